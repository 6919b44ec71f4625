package page

import (
	"cmp"
	"html/template"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

// Frame is all that is known of one frame: where it stands and why. What is not known is left out of the page.
type Frame struct {
	Frame dataset.Frame
	Image template.URL // "" when there is none
	// Standing is where it stands in the datasets now.
	Standing []dataset.Place
	// Source is the key of its image in the episode's folder.
	Source   string
	Sheet    string // URL
	Class    string
	Rows     []FrameRow
	Place    *FramePlace
	Problems []state.Problem
	// Held is why the frame, or its whole episode, is left as it stands.
	Held string
	// Unknown is why the sheet and the split could not be asked.
	Unknown string
	// Operations are the tasks on it in the kept runs, newest first.
	Operations []FrameOperation
}

// Add puts in what only the sheet, the split and the kept runs know.
func (p *Frame) Add(x *why.Explanation) {
	p.Sheet, p.Class, p.Problems, p.Held = cmp.Or(x.Sheet.URL, p.Sheet), x.Class, x.Problems, cmp.Or(x.Held, x.Frozen)
	for _, r := range x.Rows {
		row := FrameRow{Number: r.Row}
		for _, c := range []FrameCell{{rows.ColumnJonny, r.Jonny, false}, {rows.ColumnSupervised, r.Supervised, false}, {rows.ColumnUnsupervised, r.Unsupervised, false}} {
			c.Decides = c.Column == r.Deciding
			row.Cells = append(row.Cells, c)
		}
		p.Rows = append(p.Rows, row)
	}
	if s := x.Split; s.Seed != "" {
		p.Place = &FramePlace{Split: s}
	}
	p.Operations = nil
	for _, o := range x.Operations {
		outcome := cmp.Or(string(o.Outcome), "no result yet")
		if o.Reason != "" {
			outcome += ": " + o.Reason
		}
		p.Operations = append(p.Operations, FrameOperation{Run: o.Run, Op: o.Op, Where: figure.Places(o.Del, o.Dst), Outcome: outcome})
	}
}

// FrameRow is a row of the sheet that names the frame.
type FrameRow struct {
	Number int // from 1
	Cells  []FrameCell
}

// FrameCell is a classification in the sheet. The deciding one is the first that is not blank.
type FrameCell struct {
	Column, Value string
	Decides       bool
}

// FramePlace is how the split places a frame: on the line from 0 to 1, which the datasets share.
type FramePlace struct{ why.Split }

// Mark is where the frame lies on a line of barWidth.
func (p *FramePlace) Mark() int { return int(p.Line * barWidth) }

// Parts are the datasets' parts of that line.
func (p *FramePlace) Parts() []FramePart {
	var all []FramePart
	for _, s := range p.Shares {
		x := int(s.From * barWidth)
		all = append(all, FramePart{Share: s, X: x, Width: int(s.To*barWidth) - x, Its: s.Dataset == p.Dataset})
	}
	return all
}

// FramePart is a dataset's part of a line of barWidth.
type FramePart struct {
	why.Share
	X, Width int
	Its      bool // the frame's own dataset
}

// FrameOperation is a task on the frame.
type FrameOperation struct {
	Run     string
	Op      messages.Op
	Where   string // "train/Common → test/Rare"
	Outcome string
}

func (p *Frame) template() string { return "frame" }

// Title is that of the document.
func (p *Frame) Title() string { return string(p.Frame) }

// Events is empty.
func (p *Frame) Events() string { return "" }
