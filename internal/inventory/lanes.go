package inventory

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Lane counts the values of an episode's frames along its time: Counts is by column, then value.
type Lane struct {
	First, Last int // indexes of the frames at both ends
	Counts      [][]int
}

// Lane cuts the episode's time into columns of equal length and counts in each what value gives for
// its frames: the number of a value, below values. A negative one counts for none.
func (t *Table) Lane(columns, values int, value func(i int) int) Lane {
	if len(t.Frames) == 0 {
		return Lane{}
	}
	l := Lane{First: int(t.Frames[0].Index), Last: int(t.Frames[len(t.Frames)-1].Index)}
	length := l.Last - l.First + 1
	l.Counts = make([][]int, min(columns, length))
	for c := range l.Counts {
		l.Counts[c] = make([]int, values)
	}
	for i, f := range t.Frames {
		if v := value(i); v >= 0 {
			l.Counts[(int(f.Index)-l.First)*len(l.Counts)/length][v]++
		}
	}
	return l
}

// Standing is the dataset of each frame as it stands; "" is none.
func (t *Table) Standing() []string {
	names := make([]string, len(t.Frames))
	for i, f := range t.Frames {
		names[i] = t.Text(f.Dataset)
	}
	return names
}

// Drawn is the dataset of each frame when a plan has been applied that draws them so: as draw says
// for a frame that has a class and an image, as it stands for a frozen one, and none for the
// others. Of an episode that is held everything stays.
func (t *Table) Drawn(draw func(dataset.Frame) (string, bool)) []string {
	names := make([]string, len(t.Frames))
	for i, f := range t.Frames {
		switch {
		case f.Frozen() || t.Held != "":
			names[i] = t.Text(f.Dataset)
		case f.Class != 0 && f.Image != 0:
			names[i], _ = draw(t.Name(i))
		}
	}
	return names
}

// ClassAt is the class of a frame that a plan puts somewhere: what its sheet says, or for a frozen
// one where it stands.
func (t *Table) ClassAt(i int) string {
	f := t.Frames[i]
	if f.Frozen() || t.Held != "" {
		return t.Text(f.Folder)
	}
	return t.Text(f.Class)
}

// Leaking gives the places in the table of the frames outside the training dataset with a training
// frame right beside them, one frame away: near duplicates. names are the datasets of the frames,
// and of is how many stand outside the training one.
func (t *Table) Leaking(names []string, training string) (leaking []int, of int) {
	for i, name := range names {
		if name == "" || name == training {
			continue
		}
		of++
		if t.beside(names, i, training) >= 0 {
			leaking = append(leaking, i)
		}
	}
	return leaking, of
}

// Beside is the place in the table of the training frame right beside the i-th frame as they stand,
// -1 when there is none.
func (t *Table) Beside(i int, training string) int {
	stands := func(at int) bool { return t.Text(t.Frames[at].Dataset) == training }
	switch {
	case i > 0 && t.joined(i) && stands(i-1):
		return i - 1
	case i+1 < len(t.Frames) && t.joined(i+1) && stands(i+1):
		return i + 1
	}
	return -1
}

func (t *Table) beside(names []string, i int, training string) int {
	switch {
	case i > 0 && t.joined(i) && names[i-1] == training:
		return i - 1
	case i+1 < len(names) && t.joined(i+1) && names[i+1] == training:
		return i + 1
	}
	return -1
}

// Units counts, by place, the units that hold a frame of a class, and by class the units in all
// datasets. A unit is a block with a group, else a frame.
func (t *Table) Units(names []string, group time.Duration) (in map[dataset.Place]int, all map[string]int) {
	in, all = map[dataset.Place]int{}, map[string]int{}
	lastIn, lastOf := map[dataset.Place]int{}, map[string]int{}
	for i, name := range names {
		if name == "" {
			continue
		}
		unit := int(t.Frames[i].Index)
		if group > 0 {
			unit = int(time.Duration(unit) * time.Second / dataset.FPS / group)
		}
		unit++ // 0 is none
		p := dataset.Place{Dataset: name, Class: t.ClassAt(i)}
		if lastIn[p] != unit {
			lastIn[p] = unit
			in[p]++
		}
		if lastOf[p.Class] != unit {
			lastOf[p.Class] = unit
			all[p.Class]++
		}
	}
	return in, all
}
