package filesheet

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// The size of a worksheet (Excel specifications and limits), and the number of cells that Google
// allows a spreadsheet.
const (
	maxRows    = 1 << 20
	maxColumns = 1 << 14
	lastColumn = "XFD"
	maxCells   = 10_000_000
)

// richText is a text in one or several pieces with different formats. It excludes a pronunciation
// that may follow.
type richText struct {
	Plain string   `xml:"t"`
	Runs  []string `xml:"r>t"`
}

func (t richText) String() string { return unescape(t.Plain + strings.Join(t.Runs, "")) }

var escaped = regexp.MustCompile("_x[0-9A-Fa-f]{4}_")

// unescape decodes characters that XML cannot hold, such as _x000D_ (ECMA-376, ST_Xstring).
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return escaped.ReplaceAllStringFunc(s, func(found string) string {
		code, _ := strconv.ParseUint(found[2:6], 16, 16) // four hexadecimal digits
		return string(rune(code))
	})
}

// sharedStrings reads the texts to which cells refer by index.
func (w *workbook) sharedStrings(part string) error {
	var found struct {
		Items []richText `xml:"si"`
	}
	if err := w.decode(part, &found); err != nil {
		return err
	}
	w.texts = make([]string, len(found.Items))
	for i, item := range found.Items {
		w.texts[i] = item.String()
	}
	return nil
}

// cell is one cell as the file has it.
type cell struct {
	Reference string    `xml:"r,attr"`
	Type      string    `xml:"t,attr"`
	Formula   *formula  `xml:"f"`
	Value     *string   `xml:"v"`
	Inline    *richText `xml:"is"`
}

// formula is a cell's formula. One of type array or dataTable also computes the other cells of its
// range, which have no formula. In the range of a shared formula, each cell with the formula refers
// to it.
type formula struct {
	Type  string `xml:"t,attr"`
	Range string `xml:"ref,attr"`
}

// text returns the value of a cell, or a text of package sheet that marks an unknown value.
//
//	type      | formula | value            | text
//	----------+---------+------------------+---------------------------------------------------
//	inlineStr | any     | in its own place | that; NoStoredValue for a formula without one
//	s         | any     | an index         | the shared string; NoSharedString without such
//	str       | yes     | missing          | NoStoredValue; an empty value is an empty text
//	e         | any     | missing or empty | NoStoredValue
//	others    | yes     | missing or empty | NoStoredValue: programs that do not compute write so
//	b         | any     | 1 or 0           | TRUE or FALSE
//	others    | any     | any              | the value; a number in full
func (w *workbook) text(c cell) string {
	value := ""
	if c.Value != nil {
		value = *c.Value
	}
	switch {
	case c.Inline != nil:
		return c.Inline.String()
	case c.Formula != nil && (c.Value == nil || value == "" && c.Type != "str"), c.Type == "e" && value == "":
		return sheet.NoStoredValue
	case c.Value == nil:
		return ""
	}
	switch c.Type {
	case "s":
		if i, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && i >= 0 && i < len(w.texts) {
			return w.texts[i]
		}
		return sheet.NoSharedString
	case "b":
		return strings.NewReplacer("1", "TRUE", "0", "FALSE").Replace(value)
	case "", "n":
		if number, err := strconv.ParseFloat(value, 64); err == nil {
			return strconv.FormatFloat(number, 'f', -1, 64)
		}
	}
	return unescape(value)
}

// rows reads the part of a worksheet to its end.
func (w *workbook) rows(part string) ([][]string, error) {
	r, err := w.open(part)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // It was only read.
	g := grid{book: w, xml: xml.NewDecoder(r)}
	for err == nil {
		err = g.next()
	}
	if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("row %d: %w", g.row, err)
	}
	// A formula may compute cells far below the last row of the file.
	g.rows = g.rows[:min(len(g.rows), g.row)]
	if err := g.fillMerges(); err != nil {
		return nil, err
	}
	return g.rows, nil
}

// grid is a worksheet while it is read.
type grid struct {
	book   *workbook
	xml    *xml.Decoder
	inside bool // inside sheetData, because other elements have rows too
	rows   [][]string
	merges []area

	row, column int // of the last row and cell, from 1
	cells       int // so far, including skipped ones
}

// next reads the next token. io.EOF is the end of a complete document.
func (g *grid) next() error {
	token, err := g.xml.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case xml.StartElement:
		switch {
		case token.Name.Local == "sheetData":
			g.inside = true
		case token.Name.Local == "row" && g.inside:
			return g.startRow(token)
		case token.Name.Local == "c" && g.inside:
			return g.cell(token)
		case token.Name.Local == "mergeCell":
			return g.merge(token)
		}
	case xml.EndElement:
		if token.Name.Local == "sheetData" {
			g.inside = false
		}
	}
	return nil
}

// startRow begins a row. A row without a number follows the previous one.
func (g *grid) startRow(start xml.StartElement) error {
	g.row, g.column = g.row+1, 0
	if number := attribute(start, "r"); number != "" {
		n, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("expected the number of a row, found %.40q", number)
		}
		g.row = n
	}
	if g.row < 1 || g.row > maxRows {
		return fmt.Errorf("expected at most %d rows", maxRows)
	}
	for len(g.rows) < g.row {
		g.rows = append(g.rows, nil)
	}
	return nil
}

// cell adds a cell. A cell without a reference such as C5 follows the previous one.
func (g *grid) cell(start xml.StartElement) error {
	var c cell
	if err := g.xml.DecodeElement(&c, &start); err != nil {
		return err
	}
	g.column++
	if c.Reference != "" {
		_, column, err := coordinates(c.Reference)
		if err != nil {
			return err
		}
		g.column = column
	}
	if g.row == 0 || g.column > maxColumns {
		return fmt.Errorf("expected a cell within %d columns, found column %d", maxColumns, g.column)
	}
	if f := c.Formula; f != nil && f.Range != "" && (f.Type == "array" || f.Type == "dataTable") {
		if err := g.computed(f.Range); err != nil {
			return fmt.Errorf("formula of type %s: %w", f.Type, err)
		}
	}
	if text := g.book.text(c); text != "" {
		return g.set(g.row, g.column, text)
	}
	// Some blank cells have an empty text as their value. The others have no value.
	empty := c.Inline != nil || c.Value != nil && (c.Type == "str" || c.Type == "s")
	if row := g.rows[g.row-1]; g.column <= len(row) && empty {
		row[g.column-1] = ""
	}
	return nil
}

// computed marks the blank cells that one formula computes as unknown. Cells with stored values
// come later in the file and replace the marks.
func (g *grid) computed(reference string) error {
	a, err := parseArea(reference)
	if err != nil {
		return err
	}
	if g.cells += (a.row2 - a.row1 + 1) * (a.column2 - a.column1 + 1); g.cells > maxCells {
		return fmt.Errorf("range %.40q: expected at most %d cells", reference, maxCells)
	}
	for len(g.rows) < a.row2 {
		g.rows = append(g.rows, nil)
	}
	for row := a.row1; row <= a.row2; row++ {
		for column := a.column1; column <= a.column2; column++ {
			if cells := g.rows[row-1]; column <= len(cells) && cells[column-1] != "" {
				continue
			}
			if err := g.set(row, column, sheet.NoStoredValue); err != nil {
				return err
			}
		}
	}
	return nil
}

// set writes a cell of an existing row, and extends the row if needed.
func (g *grid) set(row, column int, text string) error {
	cells := g.rows[row-1]
	if g.cells += max(column-len(cells), 0); g.cells > maxCells {
		return fmt.Errorf("expected at most %d cells", maxCells)
	}
	for len(cells) < column {
		cells = append(cells, "")
	}
	cells[column-1], g.rows[row-1] = text, cells
	return nil
}

// merge adds a merged cell, such as D2:D11.
func (g *grid) merge(start xml.StartElement) error {
	a, err := parseArea(attribute(start, "ref"))
	if err != nil {
		return fmt.Errorf("merged cell: %w", err)
	}
	if g.cells++; g.cells > maxCells {
		return fmt.Errorf("merged cells: expected at most %d cells", maxCells)
	}
	g.merges = append(g.merges, a)
	return nil
}

// coordinates parses the row and the column of a reference such as C5, from 1.
func coordinates(reference string) (row, column int, err error) {
	letters := strings.TrimRight(reference, "0123456789")
	for _, letter := range []byte(letters) {
		if letter < 'A' || letter > 'Z' || column > maxColumns {
			return 0, 0, fmt.Errorf("expected the reference of a cell, found %.40q", reference)
		}
		column = column*26 + int(letter-'A') + 1
	}
	row, err = strconv.Atoi(reference[len(letters):])
	if err != nil || column == 0 || row < 1 || row > maxRows {
		return 0, 0, fmt.Errorf("expected the reference of a cell, found %.40q", reference)
	}
	return row, column, nil
}

func attribute(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
