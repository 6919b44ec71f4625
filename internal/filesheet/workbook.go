package filesheet

import (
	"fmt"
	"slices"

	"github.com/xuri/excelize/v2"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// unzipLimit bounds what an XLSX file may unfold to: ten times the ten million cells that Google allows a spreadsheet.
const unzipLimit = 1 << 30

// readWorkbook reads a worksheet of an XLSX file: the first for gid "" and "0", else the one of that name.
func readWorkbook(path, gid string) (v sheet.Values, err error) {
	defer func() {
		// The parser panics on some broken files; one spreadsheet must not stop the other episodes.
		if p := recover(); p != nil {
			v, err = sheet.Values{}, fmt.Errorf("broken XLSX file: %v", p)
		}
	}()
	f, err := excelize.OpenFile(path, excelize.Options{UnzipSizeLimit: unzipLimit})
	if err != nil {
		return sheet.Values{}, err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	name, err := worksheet(f, gid)
	if err != nil {
		return sheet.Values{}, err
	}
	rows, err := workbookRows(f, name)
	return sheet.Values{Worksheet: name, Rows: trim(rows)}, err
}

// worksheet finds the name. A tab that holds a chart is no worksheet.
func worksheet(f *excelize.File, gid string) (string, error) {
	names := slices.DeleteFunc(f.GetSheetList(), func(name string) bool {
		_, err := f.GetSheetProps(name)
		return err != nil
	})
	if slices.Contains(names, gid) {
		return gid, nil
	}
	if (gid == "" || gid == "0") && len(names) > 0 {
		return names[0], nil
	}
	return "", fmt.Errorf("expected a worksheet named %q, found %.300q: %w", gid, names, sheet.ErrWorksheetNotFound)
}

// workbookRows reads to the end or fails. (File.GetRows leaves the rest out at a row that it cannot read.)
func workbookRows(f *excelize.File, name string) (rows [][]string, err error) {
	all, err := f.Rows(name)
	if err != nil {
		return nil, fmt.Errorf("worksheet %q: %w", name, err)
	}
	defer func() {
		if closeErr := all.Close(); err == nil {
			err = closeErr
		}
	}()
	for all.Next() {
		row, err := all.Columns()
		if err != nil {
			return nil, fmt.Errorf("worksheet %q, row %d: %w", name, len(rows)+1, err)
		}
		rows = append(rows, row)
	}
	return rows, all.Error()
}
