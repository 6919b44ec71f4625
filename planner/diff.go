package planner

import (
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/messages"
)

// Change is what a plan does to one frame.
type Change struct {
	// Op is empty when there is nothing to do.
	Op messages.Op
	// Del are the places whose copies are deleted.
	Del []dataset.Place
	// Keep reports that the frame has a copy with the right content in its place.
	Keep bool
	// Frozen reports that the plan leaves the copies of the frame unchanged.
	Frozen bool
	// Removes reports that the frame leaves all datasets. The ceiling counts these frames.
	Removes bool
}

// Wish is the place and the content that one frame should have.
type Wish struct {
	// Place is nil when the frame should be in no dataset.
	Place  *dataset.Place
	ETag   string // of the source image
	Frozen bool   // the sheet contradicts itself: leave the frame unchanged
}

// Decide compares the place where a frame should be with the places of its copies. same reports
// whether a copy has the content of the source, by their ETags.
//
//	frozen | wanted | copies             | change
//	-------+--------+--------------------+------------------------------------
//	yes    | any    | anywhere           | frozen: no change
//	no     | no     | none               | nothing
//	no     | no     | anywhere           | delete: every copy
//	no     | at K   | none               | copy: to K
//	no     | at K   | K, right           | keep
//	no     | at K   | K, right, and more | delete: the others
//	no     | at K   | K, old content     | refresh: copy over K
//	no     | at K   | K, old, and more   | refresh: copy over K, delete the others
//	no     | at K   | elsewhere only     | move: copy to K, then delete the others
func Decide(w Wish, stands []dataset.Copy, same func(copyETag, srcETag string) bool) Change {
	if w.Frozen {
		return Change{Frozen: true}
	}
	var at *dataset.Copy
	var others []dataset.Place
	for i, c := range stands {
		if w.Place != nil && c.Place == *w.Place {
			at = &stands[i]
		} else {
			others = append(others, c.Place)
		}
	}
	switch {
	case w.Place == nil && len(others) == 0:
		return Change{}
	case w.Place == nil:
		return Change{Op: messages.Delete, Del: others, Removes: true}
	case at == nil && len(others) == 0:
		return Change{Op: messages.Copy}
	case at == nil:
		return Change{Op: messages.Move, Del: others}
	case !same(at.ETag, w.ETag):
		return Change{Op: messages.Refresh, Del: others}
	case len(others) > 0:
		return Change{Op: messages.Delete, Del: others}
	}
	return Change{Keep: true}
}
