package season

import (
	"cmp"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// The edits change the episode in memory in the way people change sheets and folders. They take
// effect when the sheet is written, and for some edits the images too.

// Relabel gives n frames another class, as Jonny does, and returns them.
func (e *Episode) Relabel(n int) []dataset.Frame {
	frames := e.plainFrames(n)
	for _, f := range frames {
		r := e.row(f)
		r.Jonnys = e.otherClass(r.Class())
	}
	return frames
}

// Sort orders the rows by class and then by frame, as people do to view one class.
func (e *Episode) Sort() {
	slices.SortStableFunc(e.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Class(), b.Class()), cmp.Compare(a.Frame, b.Frame))
	})
}

// InsertRows adds n new frames of one class, with their rows among the others, and returns them.
// The caller must write their images too.
func (e *Episode) InsertRows(n int, class string) []dataset.Frame {
	var frames []dataset.Frame
	for range n {
		f := e.newImage()
		e.insert(Row{Index: len(e.Rows) + 1, Frame: string(f), Unsupervised: class})
		frames = append(frames, f)
	}
	return frames
}

// RemoveRows removes n frames from the sheet and returns them. Their images stay.
func (e *Episode) RemoveRows(n int) []dataset.Frame {
	frames := e.plainFrames(n)
	gone := make(map[string]bool, len(frames))
	for _, f := range frames {
		gone[string(f)] = true
	}
	e.Rows = slices.DeleteFunc(e.Rows, func(r Row) bool { return gone[r.Frame] })
	return frames
}

// Unclassify removes the classes of n frames, and returns them.
func (e *Episode) Unclassify(n int) []dataset.Frame {
	frames := e.plainFrames(n)
	for _, f := range frames {
		r := e.row(f)
		r.Unsupervised, r.Supervised, r.Jonnys = "", "", ""
	}
	return frames
}

// Repaint changes the images of n frames, as after a new render, and returns them. The caller must
// write them again.
func (e *Episode) Repaint(n int) []dataset.Frame {
	frames := e.plainFrames(n)
	for _, f := range frames {
		e.repainted[f]++
	}
	return frames
}
