package page

import (
	"fmt"
	"html/template"
	"net/url"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Runs is the first page: the runs, newest first.
type Runs struct {
	All  []state.Status
	More bool // there are older ones
}

func (r *Runs) template() string { return "runs" }

// Title is that of the document.
func (r *Runs) Title() string { return "Runs" }

// Events is the address of its events: a new run may begin at any time.
func (r *Runs) Events() string { return "/events" }

// SheetPage lists all problems of one episode's sheet.
type SheetPage struct {
	Run string
	state.EpisodePlan
	Shown []state.Problem
	Pages Pager
}

func (p *SheetPage) template() string { return "sheet" }

// Title is that of the document.
func (p *SheetPage) Title() string { return "Problems of " + string(p.Name()) }

// Events is empty.
func (p *SheetPage) Events() string { return "" }

// All is the number of problems.
func (p *SheetPage) All() int { return len(p.Problems) + p.MoreProblems }

// DeadPage lists all dead tasks of a run.
type DeadPage struct {
	Run   string
	All   int
	Shown []state.DeadTask
	Next  []advice.Step
	Pages Pager
}

func (p *DeadPage) template() string { return "deads" }

// Title is that of the document.
func (p *DeadPage) Title() string { return "Dead tasks of run " + p.Run }

// Events is empty.
func (p *DeadPage) Events() string { return "" }

// Tile is a frame in a contact sheet.
type Tile struct {
	Frame dataset.Frame
	// Image is the address of its image, or a data: URI; "" when there is none any more.
	Image template.URL
	Class string
	Note  string // what happens to it
	Dead  bool   // its task is dead
}

// Contact is a contact sheet: frames as images.
type Contact struct {
	Name string // what the frames are
	Run  string // whose changes they are; "" for what stands in a dataset
	// Fields are what can be chosen, in a form that asks for Path.
	Fields []Field
	Path   string
	Tiles  []Tile
	Pages  Pager
}

// Field is a choice.
type Field struct {
	Name, Label string
	Options     []Option
}

// Option is one value of a Field.
type Option struct {
	Value, Text string
	Chosen      bool
}

func (p *Contact) template() string { return "contact" }

// Title is that of the document.
func (p *Contact) Title() string { return p.Name }

// Events is empty.
func (p *Contact) Events() string { return "" }

// ContactPath is the address of the contact sheet of a class in a dataset.
func ContactPath(name, class string) string {
	return "/frames?" + url.Values{"dataset": {name}, "class": {class}}.Encode()
}

// Datasets is what the latest dataset version holds.
type Datasets struct {
	Version *state.Version // nil before the first
	Balance Balance
}

func (p *Datasets) template() string { return "datasets" }

// Title is that of the document.
func (p *Datasets) Title() string { return "Frames" }

// Events is empty.
func (p *Datasets) Events() string { return "" }

// NewDatasets is the page of a version; nil is none.
func NewDatasets(v *state.Version) *Datasets {
	if v == nil {
		return &Datasets{}
	}
	var all []state.Balance
	for name, classes := range v.Counts {
		for class, n := range classes {
			all = append(all, state.Balance{Dataset: name, Class: class, Before: n, After: n})
		}
	}
	return &Datasets{Version: v, Balance: newBalance(all, v.Settings)}
}

// Message is a page that says why there is no other.
type Message struct {
	Code int // HTTP status
	Text string
}

func (p *Message) template() string { return "message" }

// Title is that of the document.
func (p *Message) Title() string { return fmt.Sprintf("%d", p.Code) }

// Events is empty.
func (p *Message) Events() string { return "" }
