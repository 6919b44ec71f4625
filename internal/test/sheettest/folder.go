package sheettest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// readFolder makes a spreadsheet of ID.csv, gid 0, and of ID.GID.csv. It returns false when neither
// exists. Empty lines of a file are not rows. A blank row has commas.
func readFolder(dir, id string) (Spreadsheet, bool, error) {
	if id == "" || strings.ContainsAny(id, `./\*?[`) {
		return Spreadsheet{}, false, nil
	}
	book := Spreadsheet{Title: id}
	paths, err := filepath.Glob(filepath.Join(dir, id+".*.csv"))
	if err != nil {
		return Spreadsheet{}, false, fmt.Errorf("look for %s: %w", id, err)
	}
	for _, path := range append([]string{filepath.Join(dir, id+".csv")}, paths...) {
		w, err := readTab(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Spreadsheet{}, false, err
		}
		book.Worksheets = append(book.Worksheets, w)
	}
	return book, len(book.Worksheets) > 0, nil
}

func readTab(path string) (Worksheet, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Worksheet{}, fmt.Errorf("read worksheet: %w", err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return Worksheet{}, fmt.Errorf("read worksheet %s: %w", path, err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".csv")
	_, gid, _ := strings.Cut(name, ".")
	number, _ := strconv.ParseInt(gid, 10, 64) // ID.csv is gid 0
	return Worksheet{GID: number, Title: name, Rows: Table(rows...)}, nil
}
