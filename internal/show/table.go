package show

import "strings"

// column is a column of a table. Numbers are aligned to the right.
type column struct {
	head  string
	right bool
}

// printTable prints rows under their columns' heads. When the table is too wide, each row becomes a
// paragraph, so that nothing is cut off.
func (p *page) printTable(columns []column, rows [][]span) {
	if p.printGrid(columns, rows) {
		return
	}
	for _, row := range rows {
		p.printRecord(columns, row)
	}
}

// printGrid prints rows under their columns' heads, if they fit.
func (p *page) printGrid(columns []column, rows [][]span) bool {
	widths, total := make([]int, len(columns)), 0
	for i, c := range columns {
		widths[i] = width(c.head)
		for _, row := range rows {
			widths[i] = max(widths[i], width(row[i].text))
		}
		total += widths[i]
	}
	for _, between := range []string{"  ", " "} {
		if total+(len(columns)-1)*width(between) <= p.width() {
			p.printRows(columns, widths, between, rows)
			return true
		}
	}
	return false
}

func (p *page) printRows(columns []column, widths []int, between string, rows [][]span) {
	heads := make([]span, len(columns))
	for i, c := range columns {
		heads[i] = span{c.head, dim}
	}
	for _, row := range append([][]span{heads}, rows...) {
		var line []span
		for i, cell := range row {
			if i > 0 {
				line = append(line, plain(between))
			}
			fill := plain(strings.Repeat(" ", max(widths[i]-width(cell.text), 0)))
			if columns[i].right {
				line = append(line, fill, cell)
			} else {
				line = append(line, cell, fill)
			}
		}
		p.printLine(line...)
	}
}

// printRecord prints a row as a paragraph.
func (p *page) printRecord(columns []column, row []span) {
	body := []span{}
	for i, cell := range row[1:] {
		if cell.text == "" {
			continue
		}
		if len(body) > 0 {
			body[len(body)-1].text += ","
		}
		body = append(body, span{columns[i+1].head, dim}, cell)
	}
	p.printItem(label(row[0].text+": "), body...)
}

// shorten cuts a long name, so that it does not break a table. An ellipsis marks the cut.
func shorten(name string) string {
	const most = 24
	if width(name) <= most {
		return name
	}
	return terminal.Truncate(Clean(name), most, "…")
}
