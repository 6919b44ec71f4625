package inventory

import "slices"

// Pair has the values of two columns for a frame.
type Pair struct{ A, B string }

// CountPairs counts the frames with both columns filled in, by their two values.
func CountPairs(tables []*Table, a, b Column) map[Pair]int {
	counts := map[Pair]int{}
	for _, t := range tables {
		byWord := map[[2]Word]int{}
		for _, f := range t.Frames {
			if f.Cells[a] != 0 && f.Cells[b] != 0 {
				byWord[[2]Word{f.Cells[a], f.Cells[b]}]++
			}
		}
		for w, n := range byWord {
			counts[Pair{t.Text(w[0]), t.Text(w[1])}] += n
		}
	}
	return counts
}

// islandSide is how many frames on each side of an island must have one class.
const islandSide = 10

// FindIslands returns the indexes of single frames whose class differs from the ten frames before
// and the ten after, which all have one class. Such a label is often a mistake: a film seldom
// changes for a twenty-fourth of a second.
func (t *Table) FindIslands() (found []int) {
	run := 0 // number of consecutive frames before i that have one class
	for i := range t.Frames {
		if i > 0 {
			if run > 0 && t.followsPrevious(i-1) && t.Frames[i-1].Class == t.Frames[i-2].Class {
				run++
			} else {
				run = 1
			}
		}
		if run >= islandSide && t.isIsland(i) {
			found = append(found, i)
		}
	}
	return found
}

// followsPrevious reports whether frame i directly follows the frame before it in the table.
func (t *Table) followsPrevious(i int) bool {
	return i > 0 && t.Frames[i].Index == t.Frames[i-1].Index+1
}

func (t *Table) isIsland(i int) bool {
	before, f := t.Frames[i-1].Class, t.Frames[i].Class
	if before == 0 || f == 0 || f == before || !t.followsPrevious(i) || i+islandSide >= len(t.Frames) {
		return false
	}
	for k := i + 1; k <= i+islandSide; k++ {
		if !t.followsPrevious(k) || t.Frames[k].Class != before {
			return false
		}
	}
	return true
}

// ListClasses lists the classes of the tables' frames and cells, the known ones first.
func ListClasses(tables []*Table, known []string) []string {
	all := slices.Clone(known)
	for _, t := range tables {
		used := make([]bool, len(t.words))
		for _, f := range t.Frames {
			used[f.Class] = true
			for _, c := range f.Cells {
				used[c] = true
			}
		}
		for w, is := range used {
			if is && w > 0 && !slices.Contains(all, t.words[w]) {
				all = append(all, t.words[w])
			}
		}
	}
	slices.Sort(all[len(known):])
	return all
}
