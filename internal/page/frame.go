package page

import (
	"html/template"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Frame is all that is known of one frame: where it stands and why. Who fills it in leaves out what he does not know; the page
// then shows nothing of it.
type Frame struct {
	Frame dataset.Frame
	Image template.URL // "" when there is none
	// Standing is where it stands in the datasets now.
	Standing []dataset.Place
	// Source is the key of its image in the episode's folder.
	Source string
	Row    *FrameRow
	Place  *FramePlace
	// Problems are those that the last plan has with the frame.
	Problems []state.Problem
	Sheet    string // URL
	// Operations are the tasks on it in the kept runs, newest first.
	Operations []FrameOperation
}

// FrameRow is the sheet's row of a frame.
type FrameRow struct {
	Number int // from 1
	Class  string
	Cells  []FrameCell
}

// FrameCell is a classification in the sheet. The deciding one is the first that is not blank.
type FrameCell struct {
	Column, Value string
	Decides       bool
}

// FramePlace is how the split places a frame: the hash of its unit on the line from 0 to 1, which the datasets share.
type FramePlace struct {
	Dataset, Unit, Seed, Split string
	Position                   float64 // 0 to 1
	Shares                     []FrameShare
}

// FrameShare is a dataset's part of the line.
type FrameShare struct {
	Dataset  string
	From, To float64
}

// FrameOperation is a task on the frame.
type FrameOperation struct {
	Run     string
	Op      messages.Op
	Where   string // see Where
	Outcome string
}

func (p *Frame) template() string { return "frame" }

// Title is that of the document.
func (p *Frame) Title() string { return string(p.Frame) }

// Events is empty.
func (p *Frame) Events() string { return "" }

// Mark is where the frame lies on a line of barWidth.
func (p *FramePlace) Mark() int { return int(p.Position * barWidth) }

// X is where the share begins on that line, and Width how long it is.
func (s FrameShare) X() int { return int(s.From * barWidth) }

// Width is the share's length on the line.
func (s FrameShare) Width() int { return int(s.To*barWidth) - s.X() }

// Where says what a task does to its frame, in places: "train/Common → test/Rare".
func Where(l dataset.Layout, t messages.Task) string {
	var from []string
	for _, key := range t.Del {
		if p, _, ok := l.Parse(key); ok {
			from = append(from, p.String())
		}
	}
	to := ""
	if p, _, ok := l.Parse(t.Dst); ok {
		to = p.String()
	}
	switch {
	case to == "":
		return "from " + strings.Join(from, ", ")
	case len(from) == 0:
		return "to " + to
	}
	return strings.Join(from, ", ") + " → " + to
}
