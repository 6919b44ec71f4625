package inventory

import "slices"

// Filter chooses frames. The zero value chooses all; a nil text is any.
type Filter struct {
	Class   *string // what the sheet says; "" is unclassified
	Dataset *string // where it stands; "" is nowhere
	Folder  *string // the class folder where it stands
	Decides *Column
	Cells   [Columns]*string
	Only    Only
}

// Only is a state that a frame can be in.
type Only string

// The states.
const (
	Any          Only = ""
	OnlyFrozen   Only = "frozen"
	OnlyProblem  Only = "problem"
	Unclassified Only = "unclassified" // a row without a class
	NoRow        Only = "no row"
	NoImage      Only = "no image"
	Nowhere      Only = "left out" // a class and an image, and it stands nowhere
)

// Onlys are all states.
var Onlys = []Only{Any, OnlyFrozen, OnlyProblem, Unclassified, NoRow, NoImage, Nowhere}

func (o Only) fits(f Frame) bool {
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
		return f.Class != 0 && f.Image != 0 && !f.Stands()
	}
	return true
}

// Find gives the places in the table of the frames that the filter chooses, in time order.
func (t *Table) Find(f Filter) []int {
	fits, ok := t.compile(f)
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

// compile turns the filter's texts into the table's words; false when a text is none of them, so
// that nothing fits.
func (t *Table) compile(f Filter) (fits func(Frame) bool, ok bool) {
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
		return f.Only.fits(x) && !slices.ContainsFunc(tests, func(t test) bool { return t.of(x) != t.want })
	}, ok
}
