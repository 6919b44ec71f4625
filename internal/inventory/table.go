// Package inventory has compact tables of all frames of an episode: the cells of the sheet, the
// present dataset and the image of each frame. A Table of an episode of 28,800 frames takes about
// 1.3 MB, so that a whole season can be searched in memory.
//
// Everything here is a function of values. The planner makes a Survey, and the dashboard makes a
// Table of it and searches it.
package inventory

import (
	"hash/maphash"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Column is one of the three columns of a sheet that classify a frame.
type Column int

// The columns. The last one that is filled in decides the class.
const (
	Unsupervised Column = iota
	Supervised
	Jonny
	Columns // their number
)

// SurveyFrame is one frame, from the sheet and the listings.
type SurveyFrame struct {
	Frame dataset.Frame
	// Row is its first row in the sheet; 0: it has none.
	Row int
	// Cells are the values of the columns: the name of a class, or the typed text when it is no
	// class.
	Cells  [Columns]string
	Class  string // "" unclassified, frozen or without a row
	Frozen bool   // the next plan does not change it
	Stands []dataset.Place
	Image  string // ETag of its source image; "" when there is none that can be copied
}

// LabelledFrame is a frame with its class.
type LabelledFrame struct {
	Frame dataset.Frame
	Class string
}

// LabelledFrames are the frames with a class that are not frozen.
func (t *Table) LabelledFrames() (all []LabelledFrame) {
	for i, f := range t.Frames {
		if f.Class != 0 && !f.Frozen() {
			all = append(all, LabelledFrame{t.Name(i), t.Text(f.Class)})
		}
	}
	return all
}

// Survey is an episode, from the sheet and the listings.
type Survey struct {
	Episode dataset.Episode
	Sheet   string // URL
	// Base is the prefix of the images in the bucket; "" when the sheet could not be read.
	Base string
	// Held is why the next plan would hold the episode; "" when it would not.
	Held     string
	Frames   []SurveyFrame
	Problems []state.Problem
}

// Table is a Survey in compact form. It is immutable.
type Table struct {
	Episode  dataset.Episode
	Sheet    string // URL
	Base     string
	Held     string
	Read     time.Time
	Problems []state.Problem
	Frames   []Frame // in time order
	words    []string
}

// Word is the number of a text in a table: of a class, a dataset or a cell. 0 is "".
type Word uint16

// Frame is a frame in a table.
type Frame struct {
	Index   int32 // its number in the episode, dataset.FPS a second
	Row     int32 // 0: it has none
	Cells   [Columns]Word
	Class   Word // class in the sheet
	Dataset Word // dataset that holds the frame; 0: none
	Folder  Word // class folder that holds the frame
	flags   flag
	// Image is a hash of the source image's ETag, so equal images have equal numbers; 0: no image.
	Image uint64
}

type flag uint8

const (
	frozen flag = 1 << iota
	problem
	duplicated // it is in more than one place
)

// Frozen reports whether the next plan does not change the frame.
func (f Frame) Frozen() bool { return f.flags&frozen != 0 }

// Problem reports whether the sheet has a problem with the frame.
func (f Frame) Problem() bool { return f.flags&problem != 0 }

// Duplicated reports whether the frame is in more than one place.
func (f Frame) Duplicated() bool { return f.flags&duplicated != 0 }

// InDataset reports whether the frame is in a dataset.
func (f Frame) InDataset() bool { return f.Dataset != 0 }

// Deciding is the column that decides the frame's class; false when none is filled in.
func (f Frame) Deciding() (Column, bool) {
	for c := Jonny; c >= Unsupervised; c-- {
		if f.Cells[c] != 0 {
			return c, true
		}
	}
	return 0, false
}

// images is the seed of the images' hashes: the same in the whole process.
var images = maphash.MakeSeed()

// New makes the table of a survey. read is the time of the survey.
func New(s Survey, read time.Time) *Table {
	t := &Table{Episode: s.Episode, Sheet: s.Sheet, Base: s.Base, Held: s.Held, Read: read, Problems: s.Problems, words: []string{""}}
	numbers := map[string]Word{"": 0}
	word := func(text string) Word {
		n, ok := numbers[text]
		if !ok {
			if len(t.words) > maxWords {
				return 0
			}
			n = Word(len(t.words))
			numbers[text], t.words = n, append(t.words, text)
		}
		return n
	}
	wrong := make(map[string]bool, len(s.Problems))
	for _, p := range s.Problems {
		if !p.Warning {
			wrong[p.Frame] = true
		}
	}
	t.Frames = make([]Frame, 0, len(s.Frames))
	for _, seen := range s.Frames {
		f := Frame{Index: int32(seen.Frame.Index()), Row: int32(seen.Row), Class: word(seen.Class)}
		for c, text := range seen.Cells {
			f.Cells[c] = word(text)
		}
		if len(seen.Stands) > 0 {
			f.Dataset, f.Folder = word(seen.Stands[0].Dataset), word(seen.Stands[0].Class)
		}
		if seen.Image != "" {
			f.Image = max(maphash.String(images, seen.Image), 1)
		}
		if seen.Frozen {
			f.flags |= frozen
		}
		if wrong[string(seen.Frame)] {
			f.flags |= problem
		}
		if len(seen.Stands) > 1 {
			f.flags |= duplicated
		}
		t.Frames = append(t.Frames, f)
	}
	slices.SortFunc(t.Frames, func(a, b Frame) int { return int(a.Index) - int(b.Index) })
	return t
}

// maxWords limits the different texts of a table: more texts cannot be classes.
const maxWords = 60_000

// Text is the text of a word.
func (t *Table) Text(w Word) string { return t.words[w] }

// Word is the number of a text; false when the table does not have the text.
func (t *Table) Word(text string) (Word, bool) {
	i := slices.Index(t.words, text)
	return Word(max(i, 0)), i >= 0
}

// Name is the name of the i-th frame.
func (t *Table) Name(i int) dataset.Frame { return dataset.FrameAt(t.Episode, int(t.Frames[i].Index)) }

// IndexOf is the index of a frame in the table; false when the table does not have it.
func (t *Table) IndexOf(f dataset.Frame) (int, bool) {
	return slices.BinarySearchFunc(t.Frames, f.Index(), func(x Frame, index int) int { return int(x.Index) - index })
}

// Place is the present place of the i-th frame; the zero Place means no dataset.
func (t *Table) Place(i int) dataset.Place {
	f := t.Frames[i]
	return dataset.Place{Dataset: t.Text(f.Dataset), Class: t.Text(f.Folder)}
}

// ProblemsOf returns the problems of a frame.
func (t *Table) ProblemsOf(f dataset.Frame) (all []state.Problem) {
	for _, p := range t.Problems {
		if p.Frame == string(f) {
			all = append(all, p)
		}
	}
	return all
}
