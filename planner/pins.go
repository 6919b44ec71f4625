package planner

import (
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// pins are the frames that stay in a pinned dataset because they have a copy in it. With a group,
// pins also has their blocks.
type pins struct {
	frames map[dataset.Frame]string // the pinned dataset of each frame
	holds  map[string]bool          // blocks that hold a pinned frame
	near   map[string]bool          // those, and the blocks right before and after them
}

// pin returns an assigner that keeps each frame of a pinned dataset in this dataset.
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

// pinnedIn returns the pinned dataset that has a copy of the frame. If several have one, it returns
// the first.
func pinnedIn(pinned []string, copies []dataset.Copy) (string, bool) {
	for _, name := range pinned {
		if slices.ContainsFunc(copies, func(c dataset.Copy) bool { return c.Place.Dataset == name }) {
			return name, true
		}
	}
	return "", false
}

// unit returns the dataset of the frame's unit. When stratified, it returns false if no frame of
// the unit has a class, since the unit then has no point on the line.
//
// With pins and a group, a block that contains or touches pinned frames is never in the training
// dataset. Its frames are near duplicates of the pinned ones. Such a block is assigned to a
// dataset that is neither the training one nor pinned. If there is none, the block is left out.
//
// A block that the line assigns to a pinned dataset will be pinned as soon as its frames are there.
// So its neighbours follow this rule at once. Otherwise the next plan would move them.
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

// besideDrawn reports whether the line assigns the block right before or after the frame's block to
// a pinned dataset.
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

// untrained returns a split of the datasets that are neither the training one nor pinned, scaled to
// the whole line. It is empty when these datasets have no share.
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
