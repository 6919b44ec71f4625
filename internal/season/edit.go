package season

import (
	"cmp"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// The edits change the episode in memory as people change sheets and folders; write the sheet, and the images where an
// edit says so, for them to count.

// Relabel gives n frames another class, as Jonny does, and returns them.
func (e *Episode) Relabel(n int) []dataset.Frame {
	frames := e.plainFrames(n)
	for _, f := range frames {
		r := e.row(f)
		r.Jonnys = e.otherClass(r.Class())
	}
	return frames
}

// Sort orders the rows by class and then by frame, as someone does who looks at one class.
func (e *Episode) Sort() {
	slices.SortStableFunc(e.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Class(), b.Class()), cmp.Compare(a.Frame, b.Frame))
	})
}

// InsertRows adds n new frames, all of one class, with their rows among the others, and returns them. Their images
// are to be written too.
func (e *Episode) InsertRows(n int, class string) []dataset.Frame {
	var frames []dataset.Frame
	for range n {
		f := e.newImage()
		e.insert(Row{Index: len(e.Rows) + 1, Frame: string(f), Unsupervised: class})
		frames = append(frames, f)
	}
	return frames
}

// RemoveRows takes n frames out of the sheet and returns them. Their images stay.
func (e *Episode) RemoveRows(n int) []dataset.Frame {
	frames := e.plainFrames(n)
	gone := make(map[string]bool, len(frames))
	for _, f := range frames {
		gone[string(f)] = true
	}
	e.Rows = slices.DeleteFunc(e.Rows, func(r Row) bool { return gone[r.Frame] })
	return frames
}

// Unclassify takes the classes off n frames, and returns them.
func (e *Episode) Unclassify(n int) []dataset.Frame {
	frames := e.plainFrames(n)
	for _, f := range frames {
		r := e.row(f)
		r.Unsupervised, r.Supervised, r.Jonnys = "", "", ""
	}
	return frames
}

// Repaint replaces the images of n frames, as after a new render, and returns them. They are to be written again.
func (e *Episode) Repaint(n int) []dataset.Frame {
	frames := e.plainFrames(n)
	for _, f := range frames {
		e.repainted[f]++
	}
	return frames
}
