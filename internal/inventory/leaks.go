package inventory

import (
	"cmp"
	"slices"
)

// Ref names a frame of one of several tables.
type Ref struct{ Table, Index int }

// FindIdentical finds the images that are in more than one dataset, each with all its frames, in
// the order of the tables. They are equal in every byte, at any distance: fades, title sequences,
// still frames. It needs 16 bytes a frame.
func FindIdentical(tables []*Table) (groups [][]Ref) {
	type image struct {
		hash         uint64
		table, index int32
	}
	frames := 0
	for _, t := range tables {
		frames += len(t.Frames)
	}
	all := make([]image, 0, frames)
	for n, t := range tables {
		for i, f := range t.Frames {
			if f.Image != 0 && f.InDataset() {
				all = append(all, image{f.Image, int32(n), int32(i)})
			}
		}
	}
	slices.SortFunc(all, func(a, b image) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.table, b.table), cmp.Compare(a.index, b.index))
	})
	name := func(r Ref) string { t := tables[r.Table]; return t.Text(t.Frames[r.Index].Dataset) }
	for len(all) > 0 {
		same := 1
		for same < len(all) && all[same].hash == all[0].hash {
			same++
		}
		if same > 1 {
			group := make([]Ref, same)
			for i, one := range all[:same] {
				group[i] = Ref{int(one.table), int(one.index)}
			}
			if slices.ContainsFunc(group[1:], func(r Ref) bool { return name(r) != name(group[0]) }) {
				groups = append(groups, group)
			}
		}
		all = all[same:]
	}
	slices.SortFunc(groups, func(a, b []Ref) int {
		return cmp.Or(cmp.Compare(a[0].Table, b[0].Table), cmp.Compare(a[0].Index, b[0].Index))
	})
	return groups
}
