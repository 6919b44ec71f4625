package planner

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// suggestedGroup is the block length that the plan compares its leakage with (FACTS: with blocks of
// 10 s the leakage is 0.55%).
const suggestedGroup = 10 * time.Second

// summary adds up the numbers of all episodes that a plan reports for the datasets as a whole.
type summary struct {
	before, after map[dataset.Place]int
	leak, grouped leakage
	images        imageHashes
	units         classUnits // the units after the plan
}

func newSummary() *summary {
	return &summary{before: map[dataset.Place]int{}, after: map[dataset.Place]int{}, images: imageHashes{seed: maphash.MakeSeed()}, units: newClassUnits()}
}

func (s *summary) add(standing dataset.Standing, expected []state.Expected, a *Assigner) {
	for _, copies := range standing {
		for _, c := range copies {
			s.before[c.Place]++
		}
	}
	points, frames := make([]point, 0, len(expected)), make([]placed, 0, len(expected))
	for _, e := range expected {
		s.after[e.Place]++
		points = append(points, point{e.Frame.Index(), e.Place.Dataset})
		frames = append(frames, placed{e.Frame.Index(), e.Place})
	}
	s.units.add(frames, a.Group)
	s.images.add(expected, a.Split.training())
	s.leak = s.leak.plus(leak(points, a.Split))
	s.grouped = s.grouped.plus(leak(regroup(expected, a), a.Split))
}

// regroup returns the same frames with the datasets that suggestedGroup would give them.
func regroup(expected []state.Expected, a *Assigner) []point {
	points := make([]point, 0, len(expected))
	last, name := -1, ""
	for _, e := range expected {
		if pinned, ok := a.pins.frames[e.Frame]; ok {
			points = append(points, point{e.Frame.Index(), pinned})
			continue
		}
		if b := block(e.Frame.Index(), suggestedGroup); b != last {
			last, name = b, a.Split.At(Position(a.Seed, blockUnit(e.Frame.Episode(), b, suggestedGroup)))
		}
		points = append(points, point{e.Frame.Index(), name})
	}
	return points
}

// point is a frame of one episode in a dataset.
type point struct {
	index   int
	dataset string
}

// leakage counts the frames outside the training dataset, and those of them that are right next to
// a training frame.
type leakage struct{ frames, leaking int }

func (l leakage) plus(o leakage) leakage {
	return leakage{l.frames + o.frames, l.leaking + o.leaking}
}

func (l leakage) share() float64 {
	if l.frames == 0 {
		return 0
	}
	return float64(l.leaking) / float64(l.frames)
}

// leak counts the leakage of one episode.
func leak(points []point, split Split) leakage {
	train := split.training()
	slices.SortFunc(points, func(a, b point) int { return a.index - b.index })
	var l leakage
	for i, p := range points {
		if p.dataset == train {
			continue
		}
		l.frames++
		before := i > 0 && points[i-1].index >= p.index-1 && points[i-1].dataset == train
		after := i+1 < len(points) && points[i+1].index <= p.index+1 && points[i+1].dataset == train
		if before || after {
			l.leaking++
		}
	}
	return l
}

// balance returns a row for each dataset and class. The datasets of the split and the configured
// classes come first.
func (s *summary) balance(settings state.Settings) []state.Balance {
	datasets, classes := slices.Clone(settings.Datasets), slices.Clone(settings.Classes)
	var more []dataset.Place
	for _, m := range []map[dataset.Place]int{s.before, s.after} {
		for p := range m {
			more = append(more, p)
		}
	}
	slices.SortFunc(more, dataset.Place.Compare)
	for _, p := range more {
		if !slices.Contains(datasets, p.Dataset) {
			datasets = append(datasets, p.Dataset)
		}
		if !slices.Contains(classes, p.Class) {
			classes = append(classes, p.Class)
		}
	}
	var rows []state.Balance
	for _, class := range classes {
		for _, name := range datasets {
			p := dataset.Place{Dataset: name, Class: class}
			rows = append(rows, state.Balance{Dataset: name, Class: class, Before: s.before[p], After: s.after[p]})
		}
	}
	return rows
}

// missing lists the places that will have no frame although other datasets have frames of the
// class.
func missing(balance []state.Balance, split Split) []string {
	total := map[string]int{}
	for _, b := range balance {
		total[b.Class] += b.After
	}
	var names []string
	for _, b := range balance {
		i := slices.IndexFunc(split, func(s Share) bool { return s.Dataset == b.Dataset })
		if i >= 0 && split[i].Ratio > 0 && b.After == 0 && total[b.Class] > 0 {
			names = append(names, b.Dataset+"/"+b.Class)
		}
	}
	return names
}

// imageHashes finds the frames outside the training dataset that have the same image as a training
// frame. It keeps 8 bytes a frame, since a plan may have a million frames. Two images count as
// equal when the 64-bit hashes of their ETags are equal.
type imageHashes struct {
	seed maphash.Seed
	// Each episode has one slice of exactly the length that it needs. A slice that grows would take
	// twice the memory.
	train, others [][]uint64
}

// add hashes the expected copies of an episode. A frozen frame counts with the ETag of its copy.
func (h *imageHashes) add(expected []state.Expected, training string) {
	n := 0
	for _, e := range expected {
		if e.Place.Dataset == training {
			n++
		}
	}
	train, others := make([]uint64, 0, n), make([]uint64, 0, len(expected)-n)
	for _, e := range expected {
		hash := maphash.String(h.seed, cmp.Or(e.SrcETag, e.ETag))
		if e.Place.Dataset == training {
			train = append(train, hash)
		} else {
			others = append(others, hash)
		}
	}
	h.train, h.others = append(h.train, train), append(h.others, others)
}

// identical counts the frames outside the training dataset that have the same image as a training
// frame of any episode.
func (h *imageHashes) identical() (n int) {
	train := slices.Concat(h.train...)
	slices.Sort(train)
	for _, others := range h.others {
		for _, hash := range others {
			if _, found := slices.BinarySearch(train, hash); found {
				n++
			}
		}
	}
	return n
}
