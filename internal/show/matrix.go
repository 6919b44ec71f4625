package show

import (
	"slices"

	"github.com/angel-nft/google-shuffle/internal/state"
)

type change struct{ before, after int }

func (c change) add(o change) change { return change{c.before + o.before, c.after + o.after} }

// matrix counts frames by dataset and class, and sums up each.
type matrix struct {
	classes, datasets []string
	// counts is by dataset, then class; the last of each is the sum.
	counts [][]change
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
		return // nothing, and not configured
	}
	for _, d := range []int{d, len(m.datasets)} {
		for _, c := range []int{c, len(m.classes)} {
			m.counts[d][c] = m.counts[d][c].add(n)
		}
	}
}

func (m matrix) total() change { return m.counts[len(m.datasets)][len(m.classes)] }

// share is the dataset's part of all frames after the run.
func (m matrix) share(d int) float64 {
	return float64(m.counts[d][len(m.classes)].after) / float64(m.total().after)
}

func (m matrix) changes() bool {
	for _, counts := range m.counts {
		if slices.ContainsFunc(counts, func(n change) bool { return n.before != n.after }) {
			return true
		}
	}
	return false
}
