package inventory

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Lane counts the values of an episode's frames over time: Counts is by column, then by value.
type Lane struct {
	First, Last int // indexes of the first and the last frame
	Counts      [][]int
}

// CountLane divides the episode's time into columns of equal length. In each it counts the values
// of its frames: value returns a number below values, or a negative one for a frame not to count.
func (t *Table) CountLane(columns, values int, value func(i int) int) Lane {
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

// CurrentDatasets is the present dataset of each frame; "" is none.
func (t *Table) CurrentDatasets() []string {
	names := make([]string, len(t.Frames))
	for i, f := range t.Frames {
		names[i] = t.Text(f.Dataset)
	}
	return names
}

// AssignDatasets is the dataset of each frame after a plan. Frames with a class and an image get
// the dataset from draw. Frozen frames, and all frames of a held episode, stay where they are. All
// others get none.
func (t *Table) AssignDatasets(draw func(dataset.Frame) (string, bool)) []string {
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

// ClassAt is the class of the i-th frame after a plan: the class in the sheet, or for a frozen
// frame its present class folder.
func (t *Table) ClassAt(i int) string {
	f := t.Frames[i]
	if f.Frozen() || t.Held != "" {
		return t.Text(f.Folder)
	}
	return t.Text(f.Class)
}

// FindLeaking returns the indexes of the frames outside the training dataset that have a training
// frame right beside them: near duplicates. names are the datasets of the frames. of is the number
// of frames outside the training dataset.
func (t *Table) FindLeaking(names []string, training string) (leaking []int, of int) {
	for i, name := range names {
		if name == "" || name == training {
			continue
		}
		of++
		before := i > 0 && t.followsPrevious(i) && names[i-1] == training
		if before || i+1 < len(names) && t.followsPrevious(i+1) && names[i+1] == training {
			leaking = append(leaking, i)
		}
	}
	return leaking, of
}

// TrainingNeighbour is the index of the training frame right beside the i-th frame, or -1. It uses
// the present datasets.
func (t *Table) TrainingNeighbour(i int, training string) int {
	isTraining := func(at int) bool { return t.Text(t.Frames[at].Dataset) == training }
	switch {
	case i > 0 && t.followsPrevious(i) && isTraining(i-1):
		return i - 1
	case i+1 < len(t.Frames) && t.followsPrevious(i+1) && isTraining(i+1):
		return i + 1
	}
	return -1
}

// CountUnits counts the units with a frame of a class: in by dataset and class, all by class over
// all datasets. A unit is a block with a group, else a frame.
func (t *Table) CountUnits(names []string, group time.Duration) (in map[dataset.Place]int, all map[string]int) {
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
