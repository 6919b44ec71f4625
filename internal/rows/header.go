// Package rows reads a worksheet: which columns it has, where its episode's images stand, and the class of each frame.
// All of it are functions of values; what they hold against a sheet is section 4 of the design.
package rows

import (
	"fmt"
	"strings"
	"unicode"
)

// The names of the columns, as messages write them.
const (
	ColumnBase         = "S3_BASE_URI"
	ColumnIndex        = "ROW_INDEX"
	ColumnFrame        = "FRAME NUMBER"
	ColumnUnsupervised = "UNSUPERVISED CLASSIFICATION"
	ColumnSupervised   = "SUPERVISED CLASSIFICATION"
	ColumnJonny        = "JONNY's RECLASSIFICATION"
	ColumnMetadata     = "METADATA"
)

const (
	colBase = iota
	colIndex
	colFrame
	colUnsupervised
	colSupervised
	colJonny
	colMetadata
	columns
)

var (
	columnNames = [columns]string{ColumnBase, ColumnIndex, ColumnFrame, ColumnUnsupervised, ColumnSupervised, ColumnJonny, ColumnMetadata}
	required    = [...]int{colFrame, colUnsupervised, colSupervised, colJonny}
	// deciding is the order in which the columns decide the class of a frame.
	deciding = [...]int{colJonny, colSupervised, colUnsupervised}
)

// Header is where the columns of a worksheet are.
type Header struct {
	// Base is the base URI that stands as the header of a column itself, as it is typed; "" where none does.
	Base string
	// at is the index in a row plus one, so that the zero Header has no columns.
	at [columns]int
}

// ReadHeader takes row 1. Columns are found by name, in any order, whatever the case, the spaces and the kind of
// apostrophe; others are ignored. A required column that is missing, and any read column that stands twice, is an
// error: which of two is meant cannot be known.
func ReadHeader(row []string) (Header, error) {
	var h Header
	for i, cell := range row {
		if err := h.take(i, cell); err != nil {
			return Header{}, err
		}
	}
	for _, col := range required {
		if h.at[col] == 0 {
			return Header{}, fmt.Errorf("expected the column %q in row 1, found %s", columnNames[col], headers(row))
		}
	}
	return h, nil
}

// take notes what the i-th header cell says.
func (h *Header) take(i int, cell string) error {
	name := normal(cell)
	for col, want := range columnNames {
		if name != normal(want) {
			continue
		}
		// Nothing reads these two, so that nothing can be misread.
		if h.at[col] != 0 && col != colIndex && col != colMetadata {
			return fmt.Errorf("expected one column %q in row 1, found it in columns %s and %s", want, letters(h.at[col]), letters(i+1))
		}
		h.at[col] = i + 1
		return nil
	}
	if !isBase(i, trim(cell)) {
		return nil
	}
	if h.Base != "" && h.Base != trim(cell) {
		return fmt.Errorf("expected one base URI in row 1, found %s and %s", quote(h.Base), quote(cell))
	}
	h.Base = trim(cell)
	return nil
}

// isBase says whether a header cell is a base URI. In the real sheets the first one is; in others a URI must look
// like one of frames, so that a column headed with some link stays an unknown column.
func isBase(i int, cell string) bool {
	if strings.ContainsFunc(cell, unicode.IsSpace) || strings.Count(cell, "/") < 2 {
		return false
	}
	return i == 0 || strings.Contains(strings.ToLower(cell), "/frames/")
}

// normal is a header cell as the names compare.
func normal(cell string) string {
	cell = strings.Map(func(r rune) rune {
		switch r {
		case '’', '‘', '`', '´', 'ʼ', '＇':
			return '\''
		}
		if invisible(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, cell)
	return strings.Join(strings.Fields(cell), " ") // Fields splits at every Unicode space, a no-break space too
}

// invisible are the characters without width that come along when cells are pasted.
func invisible(r rune) bool { return r == '\u200b' || r == '\u2060' || r == '\ufeff' }

// trim takes off what surrounds a cell and cannot be seen.
func trim(cell string) string {
	if n := len(cell); n > 0 && plain(cell[0]) && plain(cell[n-1]) {
		return cell
	}
	return strings.TrimFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || invisible(r) })
}

func plain(b byte) bool { return b > ' ' && b < 0x7f }

// cell is the trimmed text of a row in a column, "" where the row ends before it.
func (h *Header) cell(row []string, col int) string {
	if i := h.at[col] - 1; i >= 0 && i < len(row) {
		return trim(row[i])
	}
	return ""
}

// blank rows have nothing in any known column. An unknown one may hold a tick box all the way down.
func (h *Header) blank(row []string) bool {
	for col := range columns {
		if h.cell(row, col) != "" {
			return false
		}
	}
	return true
}

// Cells are the texts of one row that decide its class.
type Cells struct{ Frame, Unsupervised, Supervised, Jonny string }

// Cells reads one row.
func (h Header) Cells(row []string) Cells {
	return Cells{
		Frame:        h.cell(row, colFrame),
		Unsupervised: h.cell(row, colUnsupervised),
		Supervised:   h.cell(row, colSupervised),
		Jonny:        h.cell(row, colJonny),
	}
}

// Decide is the text that decides the class of a row, as it is typed, and the column that it stands in; both are ""
// when the row is unclassified.
func Decide(h Header, row []string) (text, column string) {
	text, col := h.decide(row)
	if text == "" {
		return "", ""
	}
	return text, columnNames[col]
}

func (h *Header) decide(row []string) (text string, col int) {
	for _, col := range deciding {
		if text := h.cell(row, col); text != "" {
			return text, col
		}
	}
	return "", 0
}

// headers shows a header row in a message.
func headers(row []string) string {
	const most = 12
	var shown []string
	for _, cell := range row {
		if len(shown) == most {
			shown = append(shown, "…")
			break
		}
		if cell = trim(cell); cell != "" {
			shown = append(shown, quote(cell))
		}
	}
	if len(shown) == 0 {
		return "a blank row"
	}
	return strings.Join(shown, ", ")
}

// letters are a column's, 1 is A.
func letters(n int) string {
	s := ""
	for ; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}
