package planner

import (
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// causeOfChange decides why a change that the sheet asks for is made. hasImage says whether there
// is a source image that can be copied. Of two reasons the one counts that a person can see in the
// sheet.
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
//	with a class      | there | move; a copy stands in its class,    | settings
//	                  |       | whatever its content                 |
//	with a class      | there | move; copies stand in no class, but  | stray copy
//	                  |       | in the folder of a dataset           |
//	with a class      | there | move; else, whatever the dataset     | relabelled
//	                  |       | and content                          |
//
// A restore has the cause restore for all its changes, and a prune the cause orphan.
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

// change describes what is done to a frame. Of several copies it names as the place before:
//
//	change                 | from
//	-----------------------+----------------------------------------------------
//	copy                   | nowhere
//	move                   | the first copy in the wanted class, else the first
//	refresh                | K
//	delete, with or        | the first copy that goes
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

// hold marks the changes of a held episode, which are not made.
func hold(changes []state.FrameChange) []state.FrameChange {
	for i := range changes {
		changes[i].Held = true
	}
	return changes
}
