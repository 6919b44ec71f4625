package planner

import (
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/messages"
)

// Change is what a plan does to one frame.
type Change struct {
	// Op is empty when nothing is to be done.
	Op messages.Op
	// Del are the places whose copies go.
	Del []dataset.Place
	// Keep says that the frame stands in its place with the right content.
	Keep bool
	// Frozen says that the frame is left exactly as it stands.
	Frozen bool
	// Removes says that the frame leaves the destination: what the ceiling counts.
	Removes bool
}

// Wish is where one frame should stand.
type Wish struct {
	// Place is nil when the frame is wanted nowhere.
	Place  *dataset.Place
	ETag   string // of the source image
	Frozen bool   // the sheet contradicts itself: leave the frame alone
}

// Decide compares where a frame should stand with where it stands. same says whether the content of
// a copy is that of the source, by their ETags.
//
//	frozen | wanted | stands at          | change
//	-------+--------+--------------------+------------------------------------
//	yes    | any    | anywhere           | frozen: left as it is
//	no     | no     | nowhere            | nothing
//	no     | no     | anywhere           | delete: every copy
//	no     | at K   | nowhere            | copy: to K
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
