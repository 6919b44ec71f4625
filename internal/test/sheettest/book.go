// Package sheettest has the contract of every sheet adapter, and a fake of the Google Sheets API.
// Tests set, edit and break its sheets while they run.
package sheettest

import "github.com/angel-nft/google-shuffle/internal/sheet"

// Spreadsheet is a spreadsheet that a test gives to an adapter.
type Spreadsheet struct {
	Title      string
	Worksheets []Worksheet
}

// Worksheet is one tab. Rows are as typed. The server removes trailing blanks. A cell is a string,
// or a number or bool, which the answer has as a JSON number or bool.
type Worksheet struct {
	GID    int64
	Title  string
	Object bool // a chart on a tab of its own: it has no cells
	Rows   [][]any
	Merges []sheet.Merge

	// Grid is the size of the tab, never less than its rows need; zero means 1,000 by 26, as a new
	// one has.
	GridRows, GridColumns int
}

// Table makes rows of text.
func Table(rows ...[]string) [][]any {
	table := make([][]any, len(rows))
	for i, row := range rows {
		table[i] = make([]any, len(row))
		for j, cell := range row {
			table[i][j] = cell
		}
	}
	return table
}

// One is a spreadsheet with a single worksheet, gid 0.
func One(title string, rows ...[]string) Spreadsheet {
	return Spreadsheet{Title: title, Worksheets: []Worksheet{{Title: "Sheet1", Rows: Table(rows...)}}}
}

// size is the grid: rows and columns.
func (w Worksheet) size() (rows, columns int) {
	rows, columns = w.GridRows, w.GridColumns
	if rows == 0 {
		rows = 1000
	}
	if columns == 0 {
		columns = 26
	}
	rows = max(rows, len(w.Rows))
	for _, row := range w.Rows {
		columns = max(columns, len(row))
	}
	return rows, columns
}

// within cuts the cells of a range, and leaves out trailing empty rows and cells as the API does.
func (w Worksheet) within(a area) [][]any {
	var rows [][]any
	for r := a.row1; r <= min(a.row2, len(w.Rows)); r++ {
		row := w.Rows[r-1]
		cells := []any{}
		for c := a.col1; c <= min(a.col2, len(row)); c++ {
			cells = append(cells, row[c-1])
		}
		rows = append(rows, trimmed(cells))
	}
	for len(rows) > 0 && len(rows[len(rows)-1]) == 0 {
		rows = rows[:len(rows)-1]
	}
	return rows
}

func trimmed(cells []any) []any {
	for len(cells) > 0 && (cells[len(cells)-1] == "" || cells[len(cells)-1] == nil) {
		cells = cells[:len(cells)-1]
	}
	return cells
}
