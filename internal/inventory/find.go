package inventory

import "slices"

// Filter chooses frames. The zero value chooses all; a nil text matches any text.
type Filter struct {
	Class   *string // class in the sheet; "" is unclassified
	Dataset *string // dataset that holds the frame; "" is none
	Folder  *string // class folder that holds the frame
	Decides *Column
	Cells   [Columns]*string
	Only    FrameState
}

// FrameState is a state that a frame can be in.
type FrameState string

// The states.
const (
	Any          FrameState = ""
	OnlyFrozen   FrameState = "frozen"
	OnlyProblem  FrameState = "problem"
	Unclassified FrameState = "unclassified" // a row without a class
	NoRow        FrameState = "no row"
	NoImage      FrameState = "no image"
	Nowhere      FrameState = "left out" // it has a class and an image, but is in no dataset
)

// FrameStates are all states.
var FrameStates = []FrameState{Any, OnlyFrozen, OnlyProblem, Unclassified, NoRow, NoImage, Nowhere}

func (o FrameState) matches(f Frame) bool {
	switch o {
	case OnlyFrozen:
		return f.Frozen()
	case OnlyProblem:
		return f.Problem()
	case Unclassified:
		_, decided := f.Deciding()
		return f.Row > 0 && !decided
	case NoRow:
		return f.Row == 0
	case NoImage:
		return f.Image == 0
	case Nowhere:
		return f.Class != 0 && f.Image != 0 && !f.InDataset()
	}
	return true
}

// Find returns the indexes of the frames that match the filter, in time order.
func (t *Table) Find(f Filter) []int {
	fits, ok := t.compileFilter(f)
	if !ok {
		return nil
	}
	var found []int
	for i, frame := range t.Frames {
		if fits(frame) {
			found = append(found, i)
		}
	}
	return found
}

// compileFilter turns the filter's texts into the table's words. It returns false when a text is
// not in the table: then no frame matches.
func (t *Table) compileFilter(f Filter) (fits func(Frame) bool, ok bool) {
	type test struct {
		of   func(Frame) Word
		want Word
	}
	var tests []test
	ok = true
	add := func(text *string, of func(Frame) Word) {
		if text != nil {
			w, known := t.Word(*text)
			ok = ok && known
			tests = append(tests, test{of, w})
		}
	}
	add(f.Class, func(x Frame) Word { return x.Class })
	add(f.Dataset, func(x Frame) Word { return x.Dataset })
	add(f.Folder, func(x Frame) Word { return x.Folder })
	for c, text := range f.Cells {
		add(text, func(x Frame) Word { return x.Cells[c] })
	}
	return func(x Frame) bool {
		if f.Decides != nil {
			if c, decided := x.Deciding(); !decided || c != *f.Decides {
				return false
			}
		}
		return f.Only.matches(x) && !slices.ContainsFunc(tests, func(t test) bool { return t.of(x) != t.want })
	}, ok
}
