package planner

import (
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// placed is a frame of one episode and its place.
type placed struct {
	index int
	place dataset.Place
}

// classUnits counts the units that have a frame of a class. With a group, a unit is a block.
// Without one, it is a frame.
type classUnits struct {
	in  map[dataset.Place]int
	all map[string]int // by class, over all datasets
}

func newClassUnits() classUnits {
	return classUnits{in: map[dataset.Place]int{}, all: map[string]int{}}
}

// add counts the frames of one episode. It first sorts them by index, so that the frames of a unit
// are next to each other.
func (u classUnits) add(frames []placed, group time.Duration) {
	slices.SortFunc(frames, func(a, b placed) int { return a.index - b.index })
	lastIn, lastOf := map[dataset.Place]int{}, map[string]int{}
	for _, f := range frames {
		unit := f.index
		if group > 0 {
			unit = block(f.index, group)
		}
		unit++ // 0 means no unit
		if lastIn[f.place] != unit {
			lastIn[f.place] = unit
			u.in[f.place]++
		}
		if lastOf[f.place.Class] != unit {
			lastOf[f.place.Class] = unit
			u.all[f.place.Class]++
		}
	}
}

// rare lists the datasets of the split that have fewer than least units of a class. It skips a
// class with too few units to give each dataset that many, and a dataset with the ratio 0.
func (u classUnits) rare(least int, split Split, classes []string, frames map[dataset.Place]int) []state.RareClass {
	var filled []string
	for _, s := range split {
		if s.Ratio > 0 {
			filled = append(filled, s.Dataset)
		}
	}
	var rare []state.RareClass
	for _, class := range classes {
		if u.all[class]/len(filled) < least {
			continue
		}
		for _, name := range filled {
			p := dataset.Place{Dataset: name, Class: class}
			if n := u.in[p]; n < least {
				rare = append(rare, state.RareClass{Dataset: name, Class: class, Units: n, Frames: frames[p], Enough: least, Of: u.all[class]})
			}
		}
	}
	return rare
}
