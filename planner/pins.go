package planner

import (
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// pins are the frames that stay in a pinned dataset because they stand in it, and where a group
// puts them.
type pins struct {
	frames map[dataset.Frame]string // to the pinned dataset
	holds  map[string]bool          // blocks that hold a pinned frame
	near   map[string]bool          // these, and the blocks right before and after them
}

// pin gives an assigner that leaves each frame of a pinned dataset where it stands.
func (a *Assigner) pin(standing dataset.Standing) *Assigner {
	if len(a.Pinned) == 0 {
		return a
	}
	b := *a
	b.pins = pins{frames: map[dataset.Frame]string{}, holds: map[string]bool{}, near: map[string]bool{}}
	for f, copies := range standing {
		name, ok := pinnedIn(a.Pinned, copies)
		if !ok {
			continue
		}
		b.pins.frames[f] = name
		if a.Group > 0 {
			at := block(f.Index(), a.Group)
			b.pins.holds[blockUnit(f.Episode(), at, a.Group)] = true
			for i := at - 1; i <= at+1; i++ {
				b.pins.near[blockUnit(f.Episode(), i, a.Group)] = true
			}
		}
	}
	return &b
}

// pinnedIn is the pinned dataset in which a frame stands; the first one, if it stands in several.
func pinnedIn(pinned []string, copies []dataset.Copy) (string, bool) {
	for _, name := range pinned {
		if slices.ContainsFunc(copies, func(c dataset.Copy) bool { return c.Place.Dataset == name }) {
			return name, true
		}
	}
	return "", false
}

// unit is the dataset of the unit that a frame belongs to; false when the strata do not know the
// unit, that is when none of its frames has a class.
//
// With pins and a group, no block that holds or touches pinned frames is trained on, since its
// frames are near duplicates of theirs: it is drawn among the datasets that are neither trained on
// nor pinned, and left out when there is none. A block that is drawn to a pinned dataset will be
// pinned as soon as it stands there, so its neighbours are treated so at once: else the next plan
// would move them.
func (a *Assigner) unit(f dataset.Frame) (name string, ok bool) {
	unit := Unit(f, a.Group)
	at, ok := a.line(unit)
	if !ok {
		return "", false
	}
	name = a.Split.At(at)
	if len(a.Pinned) == 0 || a.Group == 0 {
		return name, true
	}
	toPinned := slices.Contains(a.Pinned, name)
	switch {
	case a.pins.near[unit] && !(toPinned && a.pins.holds[unit]), !toPinned && a.besideDrawn(f):
		name = a.untrained().At(at)
	}
	return name, name != ""
}

// besideDrawn says whether a block right before or after the frame's is drawn to a pinned dataset.
func (a *Assigner) besideDrawn(f dataset.Frame) bool {
	at := block(f.Index(), a.Group)
	for _, i := range [2]int{at - 1, at + 1} {
		unit := blockUnit(f.Episode(), i, a.Group)
		if i < 0 || a.pins.near[unit] || !kept(a.Seed, unit, a.Subsample) {
			continue
		}
		if at, ok := a.line(unit); ok && slices.Contains(a.Pinned, a.Split.At(at)) {
			return true
		}
	}
	return false
}

// untrained lays the datasets that are neither trained on nor pinned on the whole line; it is empty
// when they have no share.
func (a *Assigner) untrained() Split {
	var others Split
	sum := 0.0
	for _, share := range a.Split {
		if share.Dataset != a.Split.training() && !slices.Contains(a.Pinned, share.Dataset) && share.Ratio > 0 {
			others = append(others, share)
			sum += share.Ratio
		}
	}
	for i := range others {
		others[i].Ratio /= sum
	}
	return others
}
