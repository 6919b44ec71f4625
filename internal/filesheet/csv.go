package filesheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// readCSV reads a CSV file in UTF-8, with or without a byte order mark.
func readCSV(path string) (sheet.Values, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return sheet.Values{}, err
	}
	rows, err := parseCSV(raw)
	return sheet.Values{Rows: rows}, err
}

// parseCSV reads all rows or fails: a quote that never closes is an error, since it would swallow the rows after it.
func parseCSV(raw []byte) ([][]string, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !utf8.Valid(raw) {
		return nil, errors.New("expected CSV in UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord = -1
	var rows [][]string
	read, lines := int64(0), 0 // bytes and lines behind the last row
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return trim(rows), nil
		}
		if err != nil {
			return nil, fmt.Errorf("parse CSV: %w", err)
		}
		// The reader leaves empty lines out. They are rows, or the numbers of those after them would be wrong.
		start, _ := r.FieldPos(0)
		for range start - lines - 1 {
			rows = append(rows, nil)
		}
		rows = append(rows, row)
		lines += bytes.Count(raw[read:r.InputOffset()], []byte("\n"))
		read = r.InputOffset()
	}
}
