package show

import "strings"

// column of a table. Numbers stand to the right.
type column struct {
	head  string
	right bool
}

// table prints rows under their columns' heads. A table that does not fit becomes a paragraph a
// row, so that nothing is cut off.
func (p *page) table(columns []column, rows [][]span) {
	if p.grid(columns, rows) {
		return
	}
	for _, row := range rows {
		p.record(columns, row)
	}
}

// grid prints rows under their columns' heads, if they fit.
func (p *page) grid(columns []column, rows [][]span) bool {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = width(c.head)
		for _, row := range rows {
			widths[i] = max(widths[i], width(row[i].text))
		}
	}
	for _, between := range []string{"  ", " "} {
		if total(widths, width(between)) <= p.width() {
			p.rows(columns, widths, between, rows)
			return true
		}
	}
	return false
}

func total(widths []int, between int) int {
	n := -between
	for _, w := range widths {
		n += w + between
	}
	return n
}

func (p *page) rows(columns []column, widths []int, between string, rows [][]span) {
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
			line = append(line, pad(cell, widths[i], columns[i].right)...)
		}
		p.line(line...)
	}
}

// pad fills a cell up to a width.
func pad(cell span, w int, right bool) []span {
	fill := plain(strings.Repeat(" ", max(w-width(cell.text), 0)))
	if right {
		return []span{fill, cell}
	}
	return []span{cell, fill}
}

// record prints a row as words.
func (p *page) record(columns []column, row []span) {
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
	p.item(at(row[0].text+": "), body...)
}

// shown bounds a name that somebody else chose, so that one of them does not spoil a table. What is
// left out shows as an ellipsis.
func shown(name string) string {
	const most = 24
	if width(name) <= most {
		return name
	}
	return terminal.Truncate(Clean(name), most, "…")
}
