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

// Frame is the page of one frame: where it is and why. The page leaves out what is not known.
type Frame struct {
	Frame          dataset.Frame
	Previous, Next dataset.Frame // in time; "" where there is none
	// Strip are the frames before and after it, and the frame itself.
	Strip []Tile
	Image template.URL // "" when there is none
	// Folders are the folders of the datasets that hold it now.
	Folders []dataset.Place
	// Source is the key of its image in the episode's folder.
	Source string
	Sheet  string // URL
	// Known is true when the sheet has been read: then Row, Class and Cells are from it.
	Known    bool
	Row      int // 0: no row names it
	Class    string
	Cells    []FrameCell // the column that decides first comes first
	Place    *FramePlace
	Problems []state.Problem
	// Held is the reason why the next plan does not change the frame or its whole episode.
	Held string
	// Operations are its tasks in the kept runs, newest first. Searching is true while the runs are
	// still being searched.
	Operations []FrameOperation
	Searching  bool
	Reading    ReadProgress
}

// Decision explains in one sentence which column decides; "" when the sheet has not been read.
func (p *Frame) Decision() string {
	if !p.Known {
		return ""
	}
	if p.Row == 0 {
		return "No row of the sheet names this frame, so it belongs in no dataset."
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
		return "All three columns are blank: the frame is unclassified, so it belongs in no dataset."
	case len(others) > 0:
		return decides + " It has priority over " + strings.Join(others, " and ") + "."
	}
	return decides
}

// SetOperations sets the tasks that runs had for the frame.
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

// Mark is the frame's position on a line of barWidth.
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
