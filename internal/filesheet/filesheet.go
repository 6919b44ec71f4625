// Package filesheet reads sheets from a folder. The files are named by spreadsheet ID: ID.csv,
// ID.GID.csv for a further worksheet, or ID.xlsx.
package filesheet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// Sheets is a folder of spreadsheets. Each read opens the file again, so it returns the latest
// edit.
type Sheets struct{ dir string }

// Open opens the folder, and creates it when it is missing.
func Open(dir string) (*Sheets, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create the folder of sheets: %w", err)
	}
	return &Sheets{dir: dir}, nil
}

// Values reads a worksheet. For gid "" and "0" it is ID.csv, or the first of ID.xlsx. For another
// gid it is ID.GID.csv; else ID.csv, since a CSV file is one worksheet; else the worksheet of
// ID.xlsx that has the gid as its name, or is the only one.
//
// Errors wrap those of package sheet and name the expected files.
func (s *Sheets) Values(ctx context.Context, spreadsheetID, gid string) (sheet.Values, error) {
	if err := ctx.Err(); err != nil {
		return sheet.Values{}, fmt.Errorf("read sheet %.130q: %w", spreadsheetID, err)
	}
	if !plainName(spreadsheetID) {
		return sheet.Values{}, fmt.Errorf("read sheet %.130q: expected an ID of letters, digits, - and _: %w", spreadsheetID, sheet.ErrNotFound)
	}
	if gid != "" && !plainName(gid) {
		return sheet.Values{}, fmt.Errorf("read sheet %s: gid %.130q: %w", spreadsheetID, gid, sheet.ErrWorksheetNotFound)
	}
	var missing []string
	for _, c := range s.candidates(spreadsheetID, gid) {
		path := filepath.Join(s.dir, c.name)
		v, err := c.read(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, path)
			continue
		case errors.Is(err, fs.ErrPermission):
			return sheet.Values{}, fmt.Errorf("read %s: %w: %w", path, sheet.ErrPermission, err)
		case err != nil:
			return sheet.Values{}, fmt.Errorf("read %s: %w", path, err)
		}
		v.Title, v.GID, v.Warnings = c.name, c.gid, s.newer(spreadsheetID, c.name)
		return v, nil
	}
	found := ""
	if others := s.others(spreadsheetID); len(others) > 0 {
		found = fmt.Sprintf(", found %s; save it as XLSX or CSV", strings.Join(others, ", "))
	}
	return sheet.Values{}, fmt.Errorf("read sheet %s: expected %s%s: %w", spreadsheetID, strings.Join(missing, " or "), found, sheet.ErrNotFound)
}

// others returns the spreadsheet's files that are not read, because of their kind or because a CSV
// file comes first.
func (s *Sheets) others(id string) (names []string) {
	entries, _ := os.ReadDir(s.dir) // an unreadable folder has no others
	for _, e := range entries {
		ext, ok := strings.CutPrefix(e.Name(), id+".")
		if !ok || ext == "csv" {
			continue
		}
		switch strings.ToLower(ext) {
		case "csv", "tsv", "xlsx", "xlsm", "xlsb", "xls", "ods", "fods", "numbers":
			names = append(names, e.Name())
		}
	}
	return names
}

// newer warns about files of the spreadsheet that are newer than the one that is read. Perhaps they
// are the edited ones.
func (s *Sheets) newer(id, read string) (warnings []string) {
	this, err := os.Stat(filepath.Join(s.dir, read))
	if err != nil {
		return nil
	}
	for _, name := range s.others(id) {
		other, err := os.Stat(filepath.Join(s.dir, name))
		if err == nil && !os.SameFile(this, other) && other.ModTime().After(this.ModTime()) {
			warnings = append(warnings, fmt.Sprintf("%s is newer than %s, which is read: remove the one that does not count", name, read))
		}
	}
	return warnings
}

// candidate is a file that may hold the worksheet.
type candidate struct {
	name string
	gid  string
	read func(path string) (sheet.Values, error)
}

// candidates returns the files in the order of preference.
func (s *Sheets) candidates(id, gid string) []candidate {
	workbook := candidate{id + ".xlsx", gid, func(path string) (sheet.Values, error) { return readWorkbook(path, gid) }}
	whole := candidate{id + ".csv", "", readCSV}
	if gid == "" {
		return []candidate{whole, workbook}
	}
	return []candidate{{id + "." + gid + ".csv", gid, readCSV}, whole, workbook}
}

// plainName reports whether a name has the form of Google's IDs. A path is refused.
func plainName(s string) bool {
	const most = 128
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_'
	})
}

// trim removes trailing empty cells and rows, as the Sheets API does.
func trim(rows [][]string) [][]string {
	last := 0
	for i, row := range rows {
		for len(row) > 0 && row[len(row)-1] == "" {
			row = row[:len(row)-1]
		}
		rows[i] = row
		if len(row) > 0 {
			last = i + 1
		}
	}
	return rows[:last]
}
