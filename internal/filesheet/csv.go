package filesheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// readCSV reads a CSV file in UTF-8, with or without a byte order mark.
func readCSV(path string) (sheet.Values, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return sheet.Values{}, err
	}
	table, err := parseCSV(raw)
	return sheet.Values{Rows: table}, err
}

// notText describes a file that is not UTF-8 text. It returns "" for UTF-8 text.
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

// outsideQuotes calls visit with the index of each byte outside quoted cells, until visit returns
// false.
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

// newlines replaces each CR that ends a line without LF by LF. Old Mac programs end all lines with
// CR, and a file that was joined from several may have both. A CR in quotes is part of its cell.
func newlines(raw []byte) []byte {
	if bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	raw = bytes.Clone(raw)
	outsideQuotes(raw, func(i int) bool {
		if raw[i] == '\r' && (i+1 == len(raw) || raw[i+1] != '\n') {
			raw[i] = '\n'
		}
		return true
	})
	return raw
}

// rareLineEnds are characters that some programs treat as the end of a line, and package csv as
// part of a cell.
var rareLineEnds = []struct{ text, name string }{
	{"\u0085", "U+0085 (next line)"},
	{"\u2028", "U+2028 (line separator)"},
	{"\u2029", "U+2029 (paragraph separator)"},
}

// checkLineEnds refuses a file that has only rare line ends, because it would be read as one row.
// In a file with other line ends the rare ones are part of a cell.
func checkLineEnds(raw []byte) (err error) {
	if bytes.IndexByte(bytes.TrimRight(raw, "\r\n"), '\n') >= 0 {
		return nil
	}
	outsideQuotes(raw, func(i int) bool {
		if raw[i] < utf8.RuneSelf {
			return true
		}
		for _, end := range rareLineEnds {
			if bytes.HasPrefix(raw[i:], []byte(end.text)) {
				err = fmt.Errorf("expected line ends of LF, CRLF or CR, found %s in line %d: save it as CSV with other line ends, or put the cell in quotes",
					end.name, bytes.Count(raw[:i], []byte("\n"))+1)
			}
		}
		return err == nil
	})
	return err
}

// withCommas refuses a file with another separator than the comma. It checks the first line that is
// not empty. A line such as "sep=;" before it is only for Excel and is not a row.
func withCommas(raw []byte) ([]byte, error) {
	const prefix = "sep="
	first, rest, _ := bytes.Cut(raw, []byte("\n"))
	if line := strings.Trim(string(first), "\" \r"); len(line) > len(prefix) && strings.EqualFold(line[:len(prefix)], prefix) {
		if line[len(prefix):] != "," {
			return nil, otherSeparator(line[len(prefix):])
		}
		raw = rest
	}
	header := headerLine(raw)
	if hasColumns(header, ',') {
		return raw, nil
	}
	for _, separator := range separators {
		if hasColumns(header, separator) {
			return nil, otherSeparator(string(separator))
		}
	}
	// The header lacks a column or is misspelt. Then its most frequent separator counts.
	counts := map[byte]int{}
	outsideQuotes(header, func(i int) bool {
		counts[header[i]]++
		return true
	})
	for _, separator := range []byte(";\t|~^") {
		if counts[separator] > counts[','] {
			return nil, otherSeparator(string(separator))
		}
	}
	return raw, nil
}

// separators are the possible separators other than the comma.
const separators = ";\t|~^:!#$%&*/\\\x01\x1f¦§，；、"

// headerLine returns the first line that is not empty. Quoted cells may have line ends.
func headerLine(raw []byte) []byte {
	raw = bytes.TrimLeft(raw, "\r\n")
	end := len(raw)
	outsideQuotes(raw, func(i int) bool {
		if raw[i] == '\n' {
			end = i
		}
		return raw[i] != '\n'
	})
	return raw[:end]
}

// requiredColumns are the names of the columns that each sheet of frames must have, reduced to
// capital letters.
var requiredColumns = []string{"FRAMENUMBER", "UNSUPERVISEDCLASSIFICATION", "SUPERVISEDCLASSIFICATION", "JONNYSRECLASSIFICATION"}

// hasColumns reports whether a line has all required columns when it is split by the separator.
func hasColumns(line []byte, separator rune) bool {
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma, r.LazyQuotes = separator, true
	cells, err := r.Read()
	if err != nil {
		return false
	}
	found := map[string]bool{}
	for _, cell := range cells {
		found[capitals(cell)] = true
	}
	return !slices.ContainsFunc(requiredColumns, func(name string) bool { return !found[name] })
}

// capitals returns the letters of a text as capitals A to Z, and drops all other characters.
func capitals(text string) string {
	return strings.Map(func(r rune) rune {
		if r = unicode.ToUpper(r); r < 'A' || r > 'Z' {
			return -1
		}
		return r
	}, text)
}

func otherSeparator(found string) error {
	if found == "\t" {
		found = "a tab"
	} else {
		found = fmt.Sprintf("%.10q", found)
	}
	return fmt.Errorf("expected commas between the cells, found %s as the separator: save it as CSV with commas", found)
}

// parseCSV reads all rows or fails. A quote that never closes is an error, because it would swallow
// the rows after it. A row with values beyond the header is an error too.
func parseCSV(raw []byte) ([][]string, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if found := notText(raw); found != "" {
		return nil, fmt.Errorf("expected CSV in UTF-8, found %s: save it as CSV in UTF-8", found)
	}
	raw, err := withCommas(newlines(raw))
	if err != nil {
		return nil, err
	}
	if err := checkLineEnds(raw); err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord = -1
	var table [][]string
	read, lines := int64(0), 0 // bytes and lines behind the last row
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return trim(table), nil
		}
		if err != nil {
			return nil, fmt.Errorf("parse CSV: %w", err)
		}
		// The reader skips empty lines. They are added as rows, so that the numbers of later rows
		// are right.
		start, _ := r.FieldPos(0)
		for range start - lines - 1 {
			table = append(table, nil)
		}
		table = append(table, row)
		lines += bytes.Count(raw[read:r.InputOffset()], []byte("\n"))
		read = r.InputOffset()
	}
}
