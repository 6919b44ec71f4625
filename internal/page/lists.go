package page

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"

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

// Tile is a frame in a contact sheet.
type Tile struct {
	Frame dataset.Frame
	// Image is the address of its image, or a data: URI; "" when there is no image.
	Image       template.URL
	Class       string
	Note        string   // what happens to it
	Cause       string   // why
	Dead        bool     // its task is dead
	Marks       []string // frozen, problem
	Highlighted bool     // it is the frame that the page is about
}

// Field is a choice, or a text to type.
type Field struct {
	Name, Label string
	Options     []Option
	// Text is true when the user types Value; Hint is an example.
	Text        bool
	Value, Hint string
}

// Option is one value of a Field.
type Option struct {
	Value, Text string
	Chosen      bool
}

// ContactPath is the address of the contact sheet of a class in a dataset.
func ContactPath(name, class string) string {
	return "/frames?" + url.Values{"dataset": {name}, "folder": {cmp.Or(class, "none")}}.Encode()
}

// Message is the page for an error.
type Message struct {
	Code int // HTTP status
	Text string
}

func (p *Message) template() string { return "message" }

// Title is that of the document.
func (p *Message) Title() string { return fmt.Sprintf("%d", p.Code) }

// Events is empty.
func (p *Message) Events() string { return "" }
