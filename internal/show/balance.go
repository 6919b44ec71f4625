package show

import (
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// printBalance prints the frames of each class in each dataset, before and after.
func (p *page) printBalance(all []state.Balance, s state.Settings) {
	m := matrix{state.NewMatrix(all, s)}
	if len(m.Datasets) == 0 || len(m.Classes) == 0 {
		return
	}
	p.printGap()
	title := "by class and dataset, before → after, in the planned episodes"
	if !m.Changes() {
		title = "by class and dataset, in the planned episodes; nothing changes"
	}
	p.printHead(span{"Frames", bold}, plain(title))
	if !p.printGrid(m.columns(), m.rows()) {
		p.printTable(m.list())
	}
}

func (p *page) printMissing(names []string, s state.Settings) {
	if len(names) == 0 {
		return
	}
	body := "No frame in " + strings.Join(names, ", ")
	if !s.Stratify {
		body += "; SHUFFLE_STRATIFY=true spreads rare classes over all datasets"
	}
	p.printItem(prefix{{"! ", red}}, span{body, red})
}

// matrix is the frames by class and dataset, as a table.
type matrix struct{ state.Matrix }

func (m matrix) columns() []column {
	columns := []column{{"Class", false}}
	for _, name := range m.Datasets {
		columns = append(columns, column{shorten(name), true})
	}
	return append(columns, column{"all", true})
}

func (m matrix) rows() [][]span {
	rows := make([][]span, len(m.Classes)+2)
	for i, class := range m.Classes {
		rows[i] = []span{plain(className(class))}
	}
	rows[len(m.Classes)], rows[len(m.Classes)+1] = []span{{"Total", bold}}, []span{{"Share", dim}}
	for d := range m.Counts {
		for i, c := range m.cells(d) {
			rows[i] = append(rows[i], c)
		}
	}
	return rows
}

// cells are a dataset's column, aligned on both sides of the arrow, and its share of all frames
// after the run.
func (m matrix) cells(d int) []span {
	before, after := 0, 0
	for _, n := range m.Counts[d] {
		before, after = max(before, len(number(n.Before))), max(after, len(number(n.After)))
	}
	cells := []span{}
	for _, n := range m.Counts[d] {
		c := cell(n.After, "")
		c.text = fmt.Sprintf("%*s", after, c.text)
		if n.Before != n.After {
			c = plain(fmt.Sprintf("%*s → %s", before, number(n.Before), c.text))
		}
		cells = append(cells, c)
	}
	return append(cells, span{percent(m.Share(d)), dim})
}

// list has one row for each number, for terminals that are too narrow for the matrix.
func (m matrix) list() ([]column, [][]span) {
	columns := []column{{"Class", false}, {"dataset", false}, {"before", true}, {"after", true}}
	rows := [][]span{}
	for c, class := range m.Classes {
		for d, name := range m.Datasets {
			n := m.Counts[d][c]
			rows = append(rows, []span{plain(className(class)), plain(shorten(name)), cell(n.Before, ""), cell(n.After, "")})
		}
	}
	sum := m.Total()
	return columns, append(rows, []span{{"Total", bold}, plain(""), cell(sum.Before, ""), cell(sum.After, "")})
}

// className is the class, or a text for frames that are in no class folder.
func className(class string) string {
	if class == "" {
		return "(no class)"
	}
	return shorten(class)
}
