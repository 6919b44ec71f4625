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
	for _, c := range s.candidates(spreadsheetID, gid) {
		v, err := c.read(filepath.Join(s.dir, c.name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return sheet.Values{}, fmt.Errorf("read %s: %w", filepath.Join(s.dir, c.name), asSheetError(err))
		}
		v.Title, v.GID, v.Warnings = c.name, c.gid, s.newer(spreadsheetID, c.name)
		return v, nil
	}
	return sheet.Values{}, fmt.Errorf("read sheet %s: expected %s%s: %w", spreadsheetID, s.expected(spreadsheetID, gid), s.instead(spreadsheetID), sheet.ErrNotFound)
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

// instead names other files of a spreadsheet that is not found.
func (s *Sheets) instead(id string) string {
	others := s.others(id)
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf(", found %s; save it as XLSX or CSV", strings.Join(others, ", "))
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

func (s *Sheets) expected(id, gid string) string {
	var names []string
	for _, c := range s.candidates(id, gid) {
		names = append(names, filepath.Join(s.dir, c.name))
	}
	return strings.Join(names, " or ")
}

func asSheetError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: %w", sheet.ErrPermission, err)
	}
	return err
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
