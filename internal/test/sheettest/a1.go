package sheettest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// area is a rectangle of cells, from 1, ends included.
type area struct{ row1, col1, row2, col2 int }

var (
	cellRange   = regexp.MustCompile(`^([A-Za-z]{0,3})([0-9]*)(?::([A-Za-z]{0,3})([0-9]*))?$`)
	plainTitle  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	looksLikeA1 = regexp.MustCompile(`^[A-Za-z]{1,3}[0-9]+$`)
)

// splitRange takes a range in A1 notation apart: the worksheet's title, "" for the first, and the
// cells, "" for all. A quoted title is always a title; an unquoted one that reads as cells is cells
// (https://developers.google.com/workspace/sheets/api/guides/concepts).
func splitRange(s string) (title, cells string, ok bool) {
	if strings.HasPrefix(s, "'") {
		end := closingQuote(s)
		if end < 0 {
			return "", "", false
		}
		title = strings.ReplaceAll(s[1:end], "''", "'")
		rest := s[end+1:]
		cells, found := strings.CutPrefix(rest, "!")
		return title, cells, found && cells != "" || rest == ""
	}
	if title, cells, found := strings.Cut(s, "!"); found {
		return title, cells, title != "" && cells != ""
	}
	if looksLikeA1.MatchString(s) || strings.Contains(s, ":") {
		return "", s, true
	}
	return s, "", s != ""
}

func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			i++
			continue
		}
		return i
	}
	return -1
}

// areaOf reads the cells of a range ("A1:G20", "A:G", "2:5", "A5:A", "B2", "") within a grid of
// that size.
func areaOf(cells string, rows, columns int) (area, bool) {
	if cells == "" {
		return area{1, 1, rows, columns}, true
	}
	m := cellRange.FindStringSubmatch(cells)
	if m == nil || m[1]+m[2] == "" {
		return area{}, false
	}
	if !strings.Contains(cells, ":") {
		m[3], m[4] = m[1], m[2]
	}
	a := area{orElse(number(m[2]), 1), orElse(column(m[1]), 1), orElse(number(m[4]), rows), orElse(column(m[3]), columns)}
	return a, m[3]+m[4] != ""
}

func orElse(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // "" and too large numbers become 0: the whole grid
	return n
}

// column returns the number of a column's letters: 1 for A, 0 for none.
func column(letters string) int {
	n := 0
	for _, c := range strings.ToUpper(letters) {
		n = n*26 + int(c-'A') + 1
	}
	return n
}

func letters(column int) string {
	s := ""
	for ; column > 0; column = (column - 1) / 26 {
		s = string(rune('A'+(column-1)%26)) + s
	}
	return s
}

// text writes the area as the API answers it: the title quoted only where it must be.
func (a area) text(title string) string {
	if !plainTitle.MatchString(title) || looksLikeA1.MatchString(title) {
		title = "'" + strings.ReplaceAll(title, "'", "''") + "'"
	}
	first := letters(a.col1) + strconv.Itoa(a.row1)
	last := letters(a.col2) + strconv.Itoa(a.row2)
	if first == last {
		return title + "!" + first
	}
	return fmt.Sprintf("%s!%s:%s", title, first, last)
}
