package filesheet

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// area is a rectangle of cells. Rows and columns count from 1, and the last ones are included.
type area struct{ row1, column1, row2, column2 int }

var corner = regexp.MustCompile(`^\$?([A-Z]*)\$?([0-9]*)$`)

// parseArea parses a range of cells (D2:D11), columns (D:D) or rows (2:11), or one cell. The
// corners may be in any order and case, and may have dollar signs.
func parseArea(reference string) (area, error) {
	bad := fmt.Errorf("expected a range of cells such as D2:D11, found %.40q", reference)
	text := strings.ToUpper(strings.TrimSpace(reference))
	first, last, isRange := strings.Cut(text, ":")
	if !isRange {
		last = first
	}
	corner1, corner2 := corner.FindStringSubmatch(first), corner.FindStringSubmatch(last)
	if corner1 == nil || corner2 == nil {
		return area{}, bad
	}
	letters1, number1, letters2, number2 := corner1[1], corner1[2], corner2[1], corner2[2]
	switch {
	case isRange && number1+number2 == "":
		number1, number2 = "1", strconv.Itoa(maxRows)
	case isRange && letters1+letters2 == "":
		letters1, letters2 = "A", lastColumn
	}
	row1, column1, err1 := coordinates(letters1 + number1)
	row2, column2, err2 := coordinates(letters2 + number2)
	if err1 != nil || err2 != nil || max(column1, column2) > maxColumns {
		return area{}, bad
	}
	return area{min(row1, row2), min(column1, column2), max(row1, row2), max(column1, column2)}, nil
}

// fillMerges gives each row of a merged cell the value of its top left cell, blank or not. The file
// may have other values in the other cells, which no program shows. Blank rows in the file stay
// blank, so that a merge over a gap does not make a frame.
//
// The value of a merged cell that begins in the header is the name of a column. So the values of
// the rows below are unknown.
func (g *grid) fillMerges() error {
	if len(g.merges) == 0 {
		return nil
	}
	values := make([]string, len(g.merges))
	for i, m := range g.merges {
		if m.row1 <= len(g.rows) && m.column1 <= len(g.rows[m.row1-1]) {
			values[i] = g.rows[m.row1-1][m.column1-1]
		}
	}
	blank := make([]bool, len(g.rows))
	for i, row := range g.rows {
		blank[i] = strings.Join(row, "") == ""
	}
	for _, m := range g.merges {
		if err := g.clear(m); err != nil {
			return err
		}
	}
	for i, m := range g.merges {
		if m.row1 == 1 {
			if err := g.fillBelowHeader(m, blank); err != nil {
				return err
			}
			continue
		}
		for row := m.row1; values[i] != "" && row <= min(m.row2, len(g.rows)); row++ {
			if row > m.row1 && blank[row-1] {
				continue
			}
			if err := g.set(row, m.column1, values[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// clear empties the cells of a merged cell, except in the header.
func (g *grid) clear(m area) error {
	for row := m.row1; row <= min(m.row2, len(g.rows)); row++ {
		cells := g.rows[row-1]
		last := min(m.column2, len(cells))
		if g.cells += 1 + max(last-m.column1, 0); g.cells > maxCells {
			return fmt.Errorf("merged cells: expected at most %d cells", maxCells)
		}
		for column := m.column1; row > 1 && column <= last; column++ {
			cells[column-1] = ""
		}
	}
	return nil
}

// fillBelowHeader marks the rows of a merged cell that begins in the header, in each column that
// has a name.
func (g *grid) fillBelowHeader(m area, blank []bool) error {
	var named []int
	for column := m.column1; len(g.rows) > 0 && column <= min(m.column2, len(g.rows[0])); column++ {
		if g.rows[0][column-1] != "" {
			named = append(named, column)
		}
	}
	for row := 2; row <= min(m.row2, len(g.rows)); row++ {
		if blank[row-1] {
			continue
		}
		// Method set counts only new cells, but many merges over the same cells take time too.
		g.cells += len(named)
		for _, column := range named {
			if err := g.set(row, column, sheet.NoStoredValue); err != nil {
				return err
			}
		}
	}
	return nil
}
