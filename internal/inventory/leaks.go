package inventory

import "slices"

// Ref names a frame of one of several tables.
type Ref struct{ Table, Index int }

// FindIdentical finds the images that are in more than one dataset, each with all its frames, in
// the order of the tables. They are equal in every byte, at any distance: fades, title sequences,
// still frames.
func FindIdentical(tables []*Table) [][]Ref {
	first := map[uint64]Ref{} // the first frame of each image
	index := map[uint64]int{} // the group of each image with several frames
	var groups [][]Ref
	for n, t := range tables {
		for i, f := range t.Frames {
			if f.Image == 0 || !f.InDataset() {
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
	name := func(r Ref) string { t := tables[r.Table]; return t.Text(t.Frames[r.Index].Dataset) }
	return slices.DeleteFunc(groups, func(group []Ref) bool {
		return !slices.ContainsFunc(group[1:], func(r Ref) bool { return name(r) != name(group[0]) })
	})
}
