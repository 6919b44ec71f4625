package show

import (
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// balance prints the frames of each class in each dataset, before and after.
func (p *page) balance(all []state.Balance, s state.Settings) {
	m := newMatrix(all, s)
	if len(m.datasets) == 0 || len(m.classes) == 0 {
		return
	}
	p.gap()
	p.line(span{"Frames", bold}, plain(" by class and dataset, before → after, in the planned episodes"))
	columns := []column{{"Class", false}}
	for _, name := range append(slices.Clone(m.datasets), "all") {
		columns = append(columns, column{name, true})
	}
	rows := make([][]span, len(m.classes)+1)
	for i, class := range append(slices.Clone(m.classes), "Total") {
		rows[i] = []span{plain(className(class))}
	}
	for d := range len(m.datasets) + 1 {
		for i, cell := range m.cells(d) {
			rows[i] = append(rows[i], plain(cell))
		}
	}
	p.table(columns, rows)
}

// className names the class of what stands in a dataset's own folder, too.
func className(class string) string {
	if class == "" {
		return "(no class)"
	}
	return class
}

type change struct{ before, after int }

func (c change) add(o change) change { return change{c.before + o.before, c.after + o.after} }

// matrix has a row a class and a column a dataset, and a sum of each.
type matrix struct {
	classes, datasets []string
	counts            [][]change // by dataset, then class
}

// newMatrix takes what occurs or is configured, the configured first.
func newMatrix(all []state.Balance, s state.Settings) matrix {
	m := matrix{classes: slices.Clone(s.Classes), datasets: slices.Clone(s.Datasets)}
	for _, b := range all {
		if b.Before == 0 && b.After == 0 {
			continue
		}
		if !slices.Contains(m.classes, b.Class) {
			m.classes = append(m.classes, b.Class)
		}
		if !slices.Contains(m.datasets, b.Dataset) {
			m.datasets = append(m.datasets, b.Dataset)
		}
	}
	m.counts = make([][]change, len(m.datasets)+1)
	for d := range m.counts {
		m.counts[d] = make([]change, len(m.classes)+1)
	}
	for _, b := range all {
		m.count(slices.Index(m.datasets, b.Dataset), slices.Index(m.classes, b.Class), change{b.Before, b.After})
	}
	return m
}

func (m matrix) count(d, c int, n change) {
	if d < 0 || c < 0 {
		return // nothing, of a class that is not configured
	}
	for _, row := range []int{d, len(m.datasets)} {
		for _, col := range []int{c, len(m.classes)} {
			m.counts[row][col] = m.counts[row][col].add(n)
		}
	}
}

// cells are a dataset's column, aligned on both sides of the arrow.
func (m matrix) cells(d int) []string {
	before, after := 0, 0
	for _, n := range m.counts[d] {
		before, after = max(before, len(number(n.before))), max(after, len(number(n.after)))
	}
	cells := []string{}
	for _, n := range m.counts[d] {
		cell := left(number(n.after), after)
		if n.before != n.after {
			cell = left(number(n.before), before) + " → " + cell
		}
		cells = append(cells, cell)
	}
	return cells
}

// left fills ASCII text at its left.
func left(s string, w int) string { return strings.Repeat(" ", max(w-len(s), 0)) + s }

func (p *page) missing(names []string, s state.Settings) {
	if len(names) == 0 {
		return
	}
	hint := ""
	if !s.Stratify {
		hint = "; SHUFFLE_STRATIFY=true spreads rare classes over all datasets"
	}
	p.item(span{"! ", red}, span{"Missing: no frame in " + strings.Join(names, ", ") + hint, red})
}
