package inventory

import "slices"

// Ref is a frame of one of several tables.
type Ref struct{ Table, Index int }

// Leaks gives the places in the table of the frames outside the training dataset with a training frame right beside them, one frame
// away: near duplicates. frames is how many there are outside it.
func (t *Table) Leaks(training string) (leaking []int, frames int) {
	train, known := t.Word(training)
	for i, f := range t.Frames {
		if !f.Stands() || known && f.Dataset == train {
			continue
		}
		frames++
		if _, leaks := t.leak(i, train); known && leaks {
			leaking = append(leaking, i)
		}
	}
	return leaking, frames
}

// Beside is the training frame right beside the i-th frame; false when there is none.
func (t *Table) Beside(i int, training string) (int, bool) {
	train, known := t.Word(training)
	if !known {
		return 0, false
	}
	return t.leak(i, train)
}

func (t *Table) leak(i int, train Word) (beside int, leaks bool) {
	if i > 0 && t.joined(i) && t.Frames[i-1].Dataset == train {
		return i - 1, true
	}
	if i+1 < len(t.Frames) && t.joined(i+1) && t.Frames[i+1].Dataset == train {
		return i + 1, true
	}
	return 0, false
}

// Identical gives the images that stand in more than one dataset, each with all its frames, in the order of the tables. They are equal
// to the byte, at any distance: fades, title sequences, still frames.
func Identical(tables []*Table) [][]Ref {
	first := map[uint64]Ref{} // the first frame of each image
	index := map[uint64]int{} // of the images with several frames, in groups
	var groups [][]Ref
	for n, t := range tables {
		for i, f := range t.Frames {
			if f.Image == 0 || !f.Stands() {
				continue
			}
			ref := Ref{n, i}
			if at, ok := index[f.Image]; ok {
				groups[at] = append(groups[at], ref)
			} else if before, ok := first[f.Image]; ok {
				index[f.Image] = len(groups)
				groups = append(groups, []Ref{before, ref})
			} else {
				first[f.Image] = ref
			}
		}
	}
	return slices.DeleteFunc(groups, func(group []Ref) bool { return !apart(tables, group) })
}

// apart says whether the frames stand in more than one dataset.
func apart(tables []*Table, group []Ref) bool {
	name := func(r Ref) string { t := tables[r.Table]; return t.Text(t.Frames[r.Index].Dataset) }
	return slices.ContainsFunc(group[1:], func(r Ref) bool { return name(r) != name(group[0]) })
}
