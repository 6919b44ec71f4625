package show

import "strings"

// column of a table. Numbers stand to the right.
type column struct {
	head  string
	right bool
}

// table prints rows under their columns' heads. A table that does not fit becomes a paragraph a row, so that nothing is
// cut off.
func (p *page) table(columns []column, rows [][]span) {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = width(c.head)
		for _, row := range rows {
			widths[i] = max(widths[i], width(row[i].text))
		}
	}
	for _, between := range []string{"  ", " "} {
		if total(widths, width(between)) <= p.width() {
			p.grid(columns, widths, between, rows)
			return
		}
	}
	for _, row := range rows {
		p.record(columns, row)
	}
}

func total(widths []int, between int) int {
	n := -between
	for _, w := range widths {
		n += w + between
	}
	return n
}

func (p *page) grid(columns []column, widths []int, between string, rows [][]span) {
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
			line = append(line, pad(cell, widths[i], columns[i].right, i == len(row)-1)...)
		}
		p.line(trim(line)...)
	}
}

// pad fills a cell up to a width. The last one of a row is not filled at its right.
func pad(cell span, w int, right, last bool) []span {
	fill := plain(strings.Repeat(" ", max(w-width(cell.text), 0)))
	switch {
	case right:
		return []span{fill, cell}
	case last:
		return []span{cell}
	}
	return []span{cell, fill}
}

// trim takes the space off the end of a line.
func trim(line []span) []span {
	for len(line) > 0 && strings.Trim(line[len(line)-1].text, " ") == "" {
		line = line[:len(line)-1]
	}
	return line
}

// record prints a row as words.
func (p *page) record(columns []column, row []span) {
	body := []span{}
	for i, cell := range row[1:] {
		if i > 0 {
			body[len(body)-1].text += ","
		}
		body = append(body, span{columns[i+1].head, dim}, span{cell.text, cell.color})
	}
	p.item(plain(row[0].text+": "), body...)
}
