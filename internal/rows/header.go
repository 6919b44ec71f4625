// Package rows reads a worksheet: its columns, the prefix of its episode's images, and the class of
// each frame. It has only pure functions. Section 4 of the design has the rules for refusing a
// sheet.
package rows

import (
	"fmt"
	"slices"
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
	// Base is the base URI that is itself the header of a column, as typed; "" when there is none.
	Base string
	// at is the column's index plus one, so that the zero Header has no columns.
	at [columns]int
}

// ReadHeader reads row 1. It finds columns by name, in any order, and ignores unknown ones. Case,
// spaces and the kind of apostrophe do not matter. It is an error when a required column is
// missing, or when a known column occurs twice, because it is unclear which of the two counts. It
// is also an error when the first column has neither a known name nor a URI as its header.
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
	// In the real sheets A1 is the base URI. When it is lost, the default folder must not be used
	// instead.
	if first := trim(row[0]); columnOf(first) < 0 && !isBase(0, first) {
		found := "a blank cell"
		if first != "" {
			found = quote(first)
		}
		return Header{}, fmt.Errorf("expected the base URI of the images, or the name of a column such as %s, in cell A1, found %s", ColumnBase, found)
	}
	return h, nil
}

// take reads the i-th header cell.
func (h *Header) take(i int, cell string) error {
	if col := columnOf(cell); col >= 0 {
		// The program does not read these two columns, so duplicates do not matter.
		if h.at[col] != 0 && col != colIndex && col != colMetadata {
			return fmt.Errorf("expected one column %q in row 1, found it in columns %s and %s", columnNames[col], letters(h.at[col]), letters(i+1))
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

// columnOf returns the column that a header cell names, or -1 when it names none.
func columnOf(cell string) int {
	name := normal(cell)
	return slices.IndexFunc(columnNames[:], func(column string) bool { return normal(column) == name })
}

// isBase reports whether a header cell is a base URI. In the real sheets the first header cell is
// one. In other cells the URI must look like one of frames, so that a column with any other link as
// header stays an unknown column.
func isBase(i int, cell string) bool {
	if strings.ContainsFunc(cell, unicode.IsSpace) || strings.Count(cell, "/") < 2 {
		return false
	}
	return i == 0 || strings.Contains(strings.ToLower(cell), "/frames/")
}

// normal returns a header cell in the form in which names are compared.
func normal(cell string) string {
	cell = strings.Map(func(r rune) rune {
		switch r {
		case '’', '‘', '`', '´', 'ʼ', '＇':
			return '\''
		}
		return unicode.ToUpper(plainDash(r))
	}, withoutInvisible(cell))
	return strings.Join(strings.Fields(cell), " ") // Fields splits at every Unicode space, including no-break spaces
}

// withoutInvisible removes characters without width, which pasted cells often have: zero-width
// spaces and joiners, soft hyphens, direction marks, byte order marks, variation selectors.
func withoutInvisible(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Variation_Selector) || r == '\u034f' {
			return -1
		}
		return r
	}, s)
}

// trim removes invisible characters from a cell, and blanks around the rest.
func trim(cell string) string { return strings.TrimSpace(withoutInvisible(cell)) }

// cell returns the trimmed text of a row in a column, or "" when the row is shorter.
func (h *Header) cell(row []string, col int) string { return trim(h.typed(row, col)) }

// typed returns the text of a cell as typed.
func (h *Header) typed(row []string, col int) string {
	if i := h.at[col] - 1; i >= 0 && i < len(row) {
		return row[i]
	}
	return ""
}

// unused reports whether a row has neither a frame name nor a class. Sheets often have rows
// prepared in advance, with a ROW_INDEX, a tick box or the base URI.
func (h *Header) unused(row []string) bool {
	return h.cell(row, colFrame) == "" && !slices.ContainsFunc(deciding[:], func(col int) bool { return h.cell(row, col) != "" })
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

// Decide returns the text that decides the class of a row, as typed, and its column. Both are ""
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

// letters returns the letters of a column's number: A for 1.
func letters(n int) string {
	s := ""
	for ; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}
