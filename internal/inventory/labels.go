package inventory

import "slices"

// Pair is what two columns say of a frame.
type Pair struct{ A, B string }

// Confusion counts the frames for which both columns are filled in, by what each says.
func Confusion(tables []*Table, a, b Column) map[Pair]int {
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

// beside is how many frames at each side of an island must agree.
const beside = 10

// Islands gives the places in the table of the single frames whose class differs from that of the
// ten frames before and the ten after them, which all have one class. Such a label is often a slip:
// a film seldom changes for a twenty-fourth of a second.
func (t *Table) Islands() (found []int) {
	run := 0 // how many frames up to the one before i follow each other and have one class
	for i := range t.Frames {
		if i > 0 {
			if run > 0 && t.joined(i-1) && t.Frames[i-1].Class == t.Frames[i-2].Class {
				run++
			} else {
				run = 1
			}
		}
		if run >= beside && t.island(i) {
			found = append(found, i)
		}
	}
	return found
}

// joined says that the frame i follows the one before it in the table without a gap.
func (t *Table) joined(i int) bool { return i > 0 && t.Frames[i].Index == t.Frames[i-1].Index+1 }

func (t *Table) island(i int) bool {
	before, f := t.Frames[i-1].Class, t.Frames[i].Class
	if before == 0 || f == 0 || f == before || !t.joined(i) || i+beside >= len(t.Frames) {
		return false
	}
	for k := i + 1; k <= i+beside; k++ {
		if !t.joined(k) || t.Frames[k].Class != before {
			return false
		}
	}
	return true
}

// Classes are the classes that the tables' frames have or that their cells say, the given ones
// first.
func Classes(tables []*Table, known []string) []string {
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
