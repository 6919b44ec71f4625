package version

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Kind is how a frame differs between two versions.
type Kind string

// The kinds, in the order in which a diff counts them.
const (
	Added      Kind = "added"
	Removed    Kind = "removed"
	Relabelled Kind = "relabelled" // it is under another class
	Moved      Kind = "moved"      // under the same class, in another dataset
	Refreshed  Kind = "refreshed"  // in the same place, with other content
)

// Kinds are all kinds.
var Kinds = []Kind{Added, Removed, Relabelled, Moved, Refreshed}

// Change is one frame that differs. Places have the form train/Rare. A frame with two copies has
// two.
type Change struct {
	Frame dataset.Frame `json:"frame"`
	Kind  Kind          `json:"kind"`
	From  []string      `json:"from,omitempty"`
	To    []string      `json:"to,omitempty"`
}

// ClassChanges counts the frames of one class: After = Before + Added - Removed + RelabelledTo -
// RelabelledFrom.
type ClassChanges struct {
	Class          string `json:"class"`
	Before         int    `json:"before"`
	After          int    `json:"after"`
	Added          int    `json:"added"`
	Removed        int    `json:"removed"`
	RelabelledTo   int    `json:"relabelled_to"`
	RelabelledFrom int    `json:"relabelled_from"`
	Moved          int    `json:"moved"`
	Refreshed      int    `json:"refreshed"`
}

// Relabelling counts the frames that changed from one class to another.
type Relabelling struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Frames int    `json:"frames"`
}

// Diff is the difference between the versions From and To.
type Diff struct {
	From    int64          `json:"from"` // generation; 0: before the first version
	To      int64          `json:"to"`
	Same    int            `json:"same"`
	Totals  map[Kind]int   `json:"totals"` // all kinds, always
	Classes []ClassChanges `json:"classes"`
	// Settings are the settings that differ in the later version.
	Settings []state.SettingChange `json:"settings,omitempty"`
	// ClassNumbers are the classes whose number in classes.json changes.
	ClassNumbers []state.ClassNumber `json:"class_numbers,omitempty"`
	// Relabellings has the most frequent first.
	Relabellings []Relabelling `json:"relabellings"`
	Changes      []Change      `json:"changes"` // the first ones, by frame
}

// Differing returns the number of frames that differ.
func (d Diff) Differing() int {
	n := 0
	for _, of := range d.Totals {
		n += of
	}
	return n
}

// Between compares two versions, one episode at a time, and calls change for each change, by frame.
// It does not read the rows of an episode when both versions have the same part. Generation 0 for
// from means before the first version. The Changes of the diff are only the first ones.
//
//	before | after | class | dataset, places | content | the frame is
//	-------+-------+-------+-----------------+---------+-------------
//	no     | yes   |       |                 |         | added
//	yes    | no    |       |                 |         | removed
//	yes    | yes   | other | any             | any     | relabelled
//	yes    | yes   | same  | other           | any     | moved
//	yes    | yes   | same  | same            | other   | refreshed
//	yes    | yes   | same  | same            | same    | the same
//
// For a frame with two copies the first place counts.
func Between(ctx context.Context, s *state.Store, from, to state.Version, change func(Change) error) (Diff, error) {
	before, after := &Contents{entries: map[dataset.Episode]Entry{}}, (*Contents)(nil)
	var err error
	if from.Generation != 0 {
		before, err = Open(ctx, s, from)
	}
	if err == nil {
		after, err = Open(ctx, s, to)
	}
	if err != nil {
		return Diff{}, err
	}
	c := &comparison{classes: map[string]*ClassChanges{}, relabelled: map[[2]string]int{}, change: change}
	c.Totals, c.Changes = map[Kind]int{}, []Change{}
	for _, k := range Kinds {
		c.Totals[k] = 0
	}
	if err := c.contents(ctx, before, after); err != nil {
		return Diff{}, err
	}
	d := c.done()
	d.From, d.To = from.Generation, to.Generation
	d.sortClasses(slices.Concat(to.Classes, from.Classes))
	if from.Generation != 0 {
		d.Settings = from.Definition.ChangesTo(to.Definition)
		d.ClassNumbers = state.ClassNumberChanges(from.ClassNames(), to.ClassNames())
	}
	return d, nil
}

func (c *comparison) contents(ctx context.Context, before, after *Contents) error {
	had, err := before.Episodes(ctx)
	if err != nil {
		return err
	}
	has, err := after.Episodes(ctx)
	if err != nil {
		return err
	}
	all := slices.Concat(had, has)
	slices.Sort(all)
	for _, e := range slices.Compact(all) {
		then, known := before.Entry(e)
		now, also := after.Entry(e)
		if known && also && then.SHA256 == now.SHA256 && now.Frames == now.Rows {
			c.same(now)
			continue
		}
		from, err := before.Rows(ctx, e)
		if err != nil {
			return err
		}
		to, err := after.Rows(ctx, e)
		if err != nil {
			return err
		}
		if err := c.rows(from, to); err != nil {
			return err
		}
	}
	return nil
}

// same counts an episode without differences and without frames that have two copies.
func (c *comparison) same(e Entry) {
	c.Same += e.Frames
	for _, classes := range e.Counts {
		for class, n := range classes {
			of := c.class(class)
			of.Before += n
			of.After += n
		}
	}
}

// rows compares the rows of an episode, which it sorts by frame.
func (c *comparison) rows(from, to []Row) error {
	byFrame(from)
	byFrame(to)
	for len(from) > 0 || len(to) > 0 {
		f := firstFrame(from, to)
		n, m := frameRows(from, f), frameRows(to, f)
		if err := c.frame(f, from[:n], to[:m]); err != nil {
			return err
		}
		from, to = from[n:], to[m:]
	}
	return nil
}

func byFrame(rows []Row) {
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(strings.Compare(string(a.Frame), string(b.Frame)), a.Place.Compare(b.Place))
	})
}

func firstFrame(from, to []Row) dataset.Frame {
	switch {
	case len(from) == 0:
		return to[0].Frame
	case len(to) == 0:
		return from[0].Frame
	}
	return min(from[0].Frame, to[0].Frame)
}

// frameRows returns how many of the first rows belong to the frame.
func frameRows(rows []Row, f dataset.Frame) int {
	n := slices.IndexFunc(rows, func(r Row) bool { return r.Frame != f })
	if n < 0 {
		return len(rows)
	}
	return n
}

// comparison is a diff while it is computed.
type comparison struct {
	Diff
	classes    map[string]*ClassChanges
	relabelled map[[2]string]int
	change     func(Change) error
}

// firstChanges is the largest number of Changes in a diff.
const firstChanges = 20

func (c *comparison) frame(f dataset.Frame, from, to []Row) error {
	var before, after *ClassChanges
	if len(from) > 0 {
		before = c.class(from[0].Place.Class)
		before.Before++
	}
	if len(to) > 0 {
		after = c.class(to[0].Place.Class)
		after.After++
	}
	kind := kindOf(from, to)
	switch kind {
	case "":
		c.Same++
		return nil
	case Added:
		after.Added++
	case Removed:
		before.Removed++
	case Relabelled:
		before.RelabelledFrom++
		after.RelabelledTo++
		c.relabelled[[2]string{before.Class, after.Class}]++
	case Moved:
		after.Moved++
	case Refreshed:
		after.Refreshed++
	}
	c.Totals[kind]++
	change := Change{Frame: f, Kind: kind, From: places(from), To: places(to)}
	if len(c.Changes) < firstChanges {
		c.Changes = append(c.Changes, change)
	}
	return c.change(change)
}

func (c *comparison) class(name string) *ClassChanges {
	if c.classes[name] == nil {
		c.classes[name] = &ClassChanges{Class: name}
	}
	return c.classes[name]
}

// kindOf implements the table at Between. It returns "" when nothing differs.
func kindOf(from, to []Row) Kind {
	switch {
	case len(from) == 0:
		return Added
	case len(to) == 0:
		return Removed
	case from[0].Place.Class != to[0].Place.Class:
		return Relabelled
	case !slices.EqualFunc(from, to, func(a, b Row) bool { return a.Place == b.Place }):
		return Moved
	case !slices.EqualFunc(from, to, sameContent):
		return Refreshed
	}
	return ""
}

// sameContent compares two images at one key. When a copy's ETag differs from its source's, the
// source's ETag identifies the content.
func sameContent(a, b Row) bool {
	return a.ETag == b.ETag || a.SrcETag != "" && a.SrcETag == b.SrcETag
}

func places(rows []Row) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.Place.String())
	}
	return all
}

// sortClasses sorts the classes in the order of the settings, and others by name after them.
func (d *Diff) sortClasses(order []string) {
	place := func(c ClassChanges) int {
		if i := slices.Index(order, c.Class); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(d.Classes, func(a, b ClassChanges) int { return cmp.Compare(place(a), place(b)) })
}

func (c *comparison) done() Diff {
	c.Classes, c.Relabellings = []ClassChanges{}, []Relabelling{}
	for _, class := range c.classes {
		c.Classes = append(c.Classes, *class)
	}
	slices.SortFunc(c.Classes, func(a, b ClassChanges) int { return strings.Compare(a.Class, b.Class) })
	for pair, n := range c.relabelled {
		c.Relabellings = append(c.Relabellings, Relabelling{From: pair[0], To: pair[1], Frames: n})
	}
	slices.SortFunc(c.Relabellings, func(a, b Relabelling) int {
		return cmp.Or(cmp.Compare(b.Frames, a.Frames), strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	return c.Diff
}
