package planner

import (
	"slices"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Assigner assigns frames to datasets. The result is a pure function of the seed, the settings and,
// when stratified, the classes of the season.
type Assigner struct {
	Split     Split
	Seed      string
	Group     time.Duration // 0: each frame is a unit
	Guard     int           // frames to leave out on each side of a border between datasets
	Subsample int           // keep one unit in this many; 0 and 1 keep all
	Pinned    []string      // datasets whose frames stay in them

	pins pins
	// strata maps each unit to its point on the line when stratified; nil otherwise.
	strata map[string]float64
}

// Dataset returns the dataset of the frame. It returns false when the guard or the subsample leaves
// the frame out. A pinned frame stays where it is.
func (a *Assigner) Dataset(f dataset.Frame) (string, bool) {
	if name, ok := a.pins.frames[f]; ok {
		return name, true
	}
	unit := Unit(f, a.Group)
	if !kept(a.Seed, unit, a.Subsample) {
		return "", false
	}
	name, ok := a.unit(f)
	if !ok || a.Guard > 0 && a.nearBorder(f, unit, name) {
		return "", false
	}
	return name, true
}

// line returns the point of a unit on the line of the ratios, 0 ≤ point < 1. It returns false in
// the same case as unit.
func (a *Assigner) line(unit string) (float64, bool) {
	if a.strata != nil {
		at, ok := a.strata[unit]
		return at, ok
	}
	return Position(a.Seed, unit), true
}

// nearBorder reports whether a frame at most Guard frames away is in a unit of another dataset. It
// ignores where an episode ends, since the dataset of a frame must not depend on which other frames
// exist. So the last Guard frames may be left out although no frame follows them.
func (a *Assigner) nearBorder(f dataset.Frame, unit, name string) bool {
	e, index := f.Episode(), f.Index()
	last := unit
	for d := 1; d <= a.Guard; d++ {
		for _, i := range [2]int{index - d, index + d} {
			if i < 0 {
				continue
			}
			beside := dataset.FrameAt(e, i)
			if pinned, ok := a.pins.frames[beside]; ok && pinned != name {
				return true
			}
			other := Unit(beside, a.Group)
			if other == unit || other == last {
				continue
			}
			last = other
			if got, ok := a.unit(beside); ok && got != name && kept(a.Seed, other, a.Subsample) {
				return true
			}
		}
	}
	return false
}

// Labelled is a frame with its class.
type Labelled struct {
	Frame dataset.Frame
	Class string
}

// Stratify assigns the units so that each class of the season is split at the ratios. It sorts the
// units of a class by their Position and puts them on the line at equal distances.
//
// With a group, a block counts for the rarest class in it, so that a rare class reaches every
// dataset. A unit that the subsample leaves out has no point on the line. A new frame moves at most
// the units next to a border.
func (a *Assigner) Stratify(season []Labelled) {
	frames := map[string]int{}
	for _, l := range season {
		frames[l.Class]++
	}
	rarer := func(x, y string) bool {
		return frames[x] < frames[y] || frames[x] == frames[y] && x < y
	}
	class := map[string]string{}
	for _, l := range season {
		unit := Unit(l.Frame, a.Group)
		c, ok := class[unit]
		if ok && rarer(l.Class, c) || !ok && kept(a.Seed, unit, a.Subsample) {
			class[unit] = l.Class
		}
	}
	a.cut(class)
}

// cut puts the units of each class on the line at equal distances.
func (a *Assigner) cut(class map[string]string) {
	type point struct {
		unit string
		at   float64
	}
	units := map[string][]point{}
	for unit, c := range class {
		units[c] = append(units[c], point{unit, Position(a.Seed, unit)})
	}
	a.strata = make(map[string]float64, len(class))
	for _, points := range units {
		slices.SortFunc(points, func(x, y point) int {
			if x.at != y.at {
				if x.at < y.at {
					return -1
				}
				return 1
			}
			return strings.Compare(x.unit, y.unit)
		})
		for i, p := range points {
			a.strata[p.unit] = (float64(i) + 0.5) / float64(len(points))
		}
	}
}
