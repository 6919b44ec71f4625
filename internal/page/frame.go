package page

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

// Frame is all that is known of one frame: where it stands and why. What is not known is left out
// of the page.
type Frame struct {
	Frame          dataset.Frame
	Previous, Next dataset.Frame // in time; "" where there is none
	// Strip are the frames around it, itself among them.
	Strip []Tile
	Image template.URL // "" when there is none
	// Folders is where it stands in the datasets now.
	Folders []dataset.Place
	// Source is the key of its image in the episode's folder.
	Source string
	Sheet  string // URL
	// Known says that the sheet has been read, so that Row, Class and Cells are what it says.
	Known    bool
	Row      int // 0: no row names it
	Class    string
	Cells    []FrameCell // the column that decides first comes first
	Place    *FramePlace
	Problems []state.Problem
	// Held is why the frame, or its whole episode, is left as it stands.
	Held string
	// Operations are the tasks on it in the kept runs, newest first. Looking says that they are
	// still being looked for.
	Operations []FrameOperation
	Searching    bool
	Reading    ReadProgress
}

// Decision says in one sentence which column decides, and why; "" when the sheet has not been read.
func (p *Frame) Decision() string {
	if !p.Known {
		return ""
	}
	if p.Row == 0 {
		return "No row of the sheet names this frame, so no dataset wants it."
	}
	var others []string
	decides := ""
	for _, c := range p.Cells {
		switch {
		case c.Decides:
			decides = fmt.Sprintf("%s is filled in, so it decides: %s.", c.Column, c.Value)
		case decides != "" && c.Value != "":
			others = append(others, c.Column+" ("+c.Value+")")
		}
	}
	switch {
	case decides == "":
		return "All three columns are blank: the frame is unclassified, so no dataset wants it."
	case len(others) > 0:
		return decides + " It goes before " + strings.Join(others, " and ") + "."
	}
	return decides
}

// SetOperations puts in what runs did with the frame.
func (p *Frame) SetOperations(all []why.Operation) {
	p.Operations = nil
	for _, o := range all {
		outcome := cmp.Or(string(o.Outcome), "no result yet")
		if o.Reason != "" {
			outcome += ": " + o.Reason
		}
		p.Operations = append(p.Operations, FrameOperation{Run: o.Run, Op: o.Op, Where: figure.Places(o.Del, o.Dst), Outcome: outcome})
	}
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
		all = append(all, FramePart{Share: s, X: x, Width: int(s.To*barWidth) - x, Own: s.Dataset == p.Dataset})
	}
	return all
}

// FramePart is a dataset's part of a line of barWidth.
type FramePart struct {
	why.Share
	X, Width int
	Own      bool // the frame's own dataset
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

// Events is the address of the page's events while something of it is being read.
func (p *Frame) Events() string {
	r := p.Reading
	r.Pending = r.Pending || p.Searching
	return eventsPath(r, FramePath(p.Frame)+"/events", "")
}
