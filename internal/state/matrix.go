package state

import "slices"

// Change is a number of frames before a run and after it.
type Change struct{ Before, After int }

// Matrix counts frames by dataset and class, and sums up each.
type Matrix struct {
	Classes, Datasets []string
	// Counts is indexed by dataset, then class. The last index of each is the sum.
	Counts [][]Change
}

// NewMatrix has a row and a column for each dataset and class that is configured or occurs, the
// configured ones first.
func NewMatrix(all []Balance, s Settings) Matrix {
	m := Matrix{Classes: slices.Clone(s.Classes), Datasets: slices.Clone(s.Datasets)}
	for _, b := range all {
		if b.Before == 0 && b.After == 0 {
			continue
		}
		if !slices.Contains(m.Classes, b.Class) {
			m.Classes = append(m.Classes, b.Class)
		}
		if !slices.Contains(m.Datasets, b.Dataset) {
			m.Datasets = append(m.Datasets, b.Dataset)
		}
	}
	m.Counts = make([][]Change, len(m.Datasets)+1)
	for d := range m.Counts {
		m.Counts[d] = make([]Change, len(m.Classes)+1)
	}
	for _, b := range all {
		d, c := slices.Index(m.Datasets, b.Dataset), slices.Index(m.Classes, b.Class)
		if d < 0 || c < 0 {
			continue // it has no frames and is not configured
		}
		for _, d := range []int{d, len(m.Datasets)} {
			for _, c := range []int{c, len(m.Classes)} {
				m.Counts[d][c].Before += b.Before
				m.Counts[d][c].After += b.After
			}
		}
	}
	return m
}

// Total returns the sum over all datasets and classes.
func (m Matrix) Total() Change { return m.Counts[len(m.Datasets)][len(m.Classes)] }

// Share is the dataset's part of all frames after the run, 0 to 1; NaN when there are none.
func (m Matrix) Share(d int) float64 {
	return float64(m.Counts[d][len(m.Classes)].After) / float64(m.Total().After)
}

// Changes reports whether any number changes.
func (m Matrix) Changes() bool {
	for _, counts := range m.Counts {
		if slices.ContainsFunc(counts, func(n Change) bool { return n.Before != n.After }) {
			return true
		}
	}
	return false
}
