package planner

import (
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// causeOfChange returns why the plan makes a change. hasImage reports whether there is a source
// image that can be copied. If two reasons apply, the one that a person can see in the sheet
// counts.
//
//	row               | image | change                               | cause
//	------------------+-------+--------------------------------------+--------------
//	none              | any   | delete: every copy                   | row gone
//	without a class   | any   | delete: every copy                   | unlabelled
//	with a class      | none  | delete: every copy                   | image gone
//	with a class      | there | delete: every copy, since guard,     | settings
//	                  |       | subsample or pins leave it out       |
//	with a class      | there | delete: others than the one at K     | stray copy
//	with a class      | there | copy                                 | new
//	with a class      | there | refresh, and perhaps delete others   | image changed
//	with a class      | there | move; a copy is in its class, with   | settings
//	                  |       | any content                          |
//	with a class      | there | move; copies are in no class, but    | stray copy
//	                  |       | in the folder of a dataset           |
//	with a class      | there | move; otherwise, with any dataset    | relabelled
//	                  |       | and content                          |
//
// All changes of a restore have the cause restore, and all changes of a prune have the cause
// orphan.
func causeOfChange(row rows.Row, hasRow, hasImage bool, w Wish, c Change, stands []dataset.Copy) state.ChangeCause {
	switch {
	case c.Op == messages.Copy:
		return state.ChangeNew
	case c.Op == messages.Refresh:
		return state.ChangeImageChanged
	case c.Op == messages.Move && slices.ContainsFunc(stands, inClass(w.Place.Class)):
		return state.ChangeSettings
	case c.Op == messages.Move && slices.ContainsFunc(stands, func(s dataset.Copy) bool { return s.Place.Class != "" }):
		return state.ChangeRelabelled
	case c.Op == messages.Move, !c.Removes:
		return state.ChangeStrayCopy
	case !hasRow:
		return state.ChangeRowGone
	case row.Class == "":
		return state.ChangeUnlabelled
	case !hasImage:
		return state.ChangeImageGone
	}
	return state.ChangeSettings
}

func inClass(class string) func(dataset.Copy) bool {
	return func(c dataset.Copy) bool { return c.Place.Class == class }
}

// change describes what the plan does to a frame. If the frame has several copies, from is one of
// them:
//
//	change                 | from
//	-----------------------+----------------------------------------------------
//	copy                   | nowhere
//	move                   | the first copy in the wanted class, else the first
//	refresh                | K
//	delete, with or        | the first copy that is deleted
//	without one left at K  |
func (p *episodePlanner) change(f dataset.Frame, w Wish, c Change, stands []dataset.Copy) state.FrameChange {
	row, hasRow := p.row(f)
	out := state.FrameChange{Frame: f, Row: row.Row, Op: c.Op, Cause: p.cause, Column: row.Column}
	if out.Cause == "" {
		_, hasImage := p.Images[f]
		out.Cause = causeOfChange(row, hasRow, hasImage, w, c, stands)
	}
	if w.Place != nil {
		out.To = *w.Place
	}
	switch {
	case c.Op == messages.Refresh:
		out.From = out.To
	case len(c.Del) > 0:
		out.From = c.Del[0]
	}
	if c.Op == messages.Move {
		if i := slices.IndexFunc(stands, inClass(w.Place.Class)); i >= 0 {
			out.From = stands[i].Place
		}
	}
	return out
}

// hold marks the changes of a held episode. No task makes them.
func hold(changes []state.FrameChange) []state.FrameChange {
	for i := range changes {
		changes[i].Held = true
	}
	return changes
}
