package filesheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
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

// notText says what a file is that is not text in UTF-8; "" for one that is.
func notText(raw []byte) string {
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xfe")), bytes.HasPrefix(raw, []byte("\xfe\xff")):
		return "UTF-16"
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")):
		return "an XLSX or another ZIP file"
	case bytes.IndexByte(raw, 0) >= 0:
		return "zero bytes, as in UTF-16"
	case utf8.Valid(raw):
		return ""
	}
	valid := 0
	for valid < len(raw) {
		r, size := utf8.DecodeRune(raw[valid:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		valid += size
	}
	return fmt.Sprintf("another encoding in line %d", bytes.Count(raw[:valid], []byte("\n"))+1)
}

// outsideQuotes calls visit with the index of each byte that stands in no quoted cell, until it returns false.
func outsideQuotes(raw []byte, visit func(i int) bool) {
	quoted := false
	for i, c := range raw {
		if c == '"' {
			quoted = !quoted
		} else if !quoted && !visit(i) {
			return
		}
	}
}

// newlines turns the line ends of a file that has only CR, as old programs for the Mac write, into LF.
func newlines(raw []byte) []byte {
	if bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	old := true
	outsideQuotes(raw, func(i int) bool {
		old = raw[i] != '\n'
		return old
	})
	if !old {
		return raw
	}
	raw = bytes.Clone(raw)
	outsideQuotes(raw, func(i int) bool {
		if raw[i] == '\r' {
			raw[i] = '\n'
		}
		return true
	})
	return raw
}

// withCommas refuses a file whose cells are separated by something else, which the first line that is not empty shows. A line
// such as "sep=;" before it is for Excel alone, and is no row.
func withCommas(raw []byte) ([]byte, error) {
	const prefix = "sep="
	first, rest, _ := bytes.Cut(raw, []byte("\n"))
	if line := strings.Trim(string(first), "\" \r"); len(line) > len(prefix) && strings.EqualFold(line[:len(prefix)], prefix) {
		if line[len(prefix):] != "," {
			return nil, otherSeparator(line[len(prefix):])
		}
		return rest, nil
	}
	counts := map[byte]int{}
	text := bytes.TrimLeft(raw, "\r\n")
	outsideQuotes(text, func(i int) bool {
		counts[text[i]]++
		return text[i] != '\n'
	})
	for _, separator := range []byte(";\t|") {
		if counts[separator] > counts[','] {
			return nil, otherSeparator(string(separator))
		}
	}
	return raw, nil
}

func otherSeparator(found string) error {
	if found == "\t" {
		found = "a tab"
	} else {
		found = fmt.Sprintf("%.10q", found)
	}
	return fmt.Errorf("expected commas between the cells, found %s as the separator: save it as CSV with commas", found)
}

// parseCSV reads all rows or fails: a quote that never closes is an error, since it would swallow the rows after it.
func parseCSV(raw []byte) ([][]string, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if found := notText(raw); found != "" {
		return nil, fmt.Errorf("expected CSV in UTF-8, found %s: save it as CSV in UTF-8", found)
	}
	raw, err := withCommas(newlines(raw))
	if err != nil {
		return nil, err
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
