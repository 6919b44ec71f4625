// Package show prints for people: plans, where a run stands, how it ended, what is dead, what
// differs. Every function writes once, and depends on nothing but its arguments.
//
// What is printed comes from sheets, messages and other services, whose writers are not trusted
// with the terminal. So all text passes Clean on its way out, in one place: see page.emit.
package show

import (
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
)

// Style is how to print.
type Style struct {
	// Color adds ANSI colours. They only repeat what the words say.
	Color bool
	// Width is that of the terminal in columns; 0 is 80.
	Width int
	// Command is how the program was called, as the commands to type begin: "shuffle --local ./x".
	// Empty is "shuffle".
	Command string
	// Local is for a world in a folder, where no service runs by itself: the commands to type work
	// and track too.
	Local bool
	// Attended is for a command that goes on by itself from its plan to its report: the plan names
	// no next step, and the report leaves out what the plan has just said.
	Attended bool
}

// Commands makes the commands that a sentence names begin as the program was called.
func (s Style) Commands(sentence string) string { return advice.RewriteCommands(s.Command, sentence) }

// minWidth is what prose needs to be readable. A narrower terminal wraps by itself.
const minWidth = 40

func (s Style) width() int {
	if s.Width <= 0 {
		return 80
	}
	return max(s.Width, minWidth)
}

// color is the parameter of an SGR sequence; empty is the terminal's own colour.
type color string

const (
	red   color = "31"
	green color = "32"
	dim   color = "2"
	bold  color = "1"
)

// span is text in one colour.
type span struct {
	text  string
	color color
}

func plain(text string) span { return span{text: text} }

// lead is what stands before the first line of a paragraph.
type lead []span

// at leads with a label.
func at(label string) lead { return lead{plain(label)} }

func (l lead) width() int {
	w := 0
	for _, s := range l {
		w += width(s.text)
	}
	return w
}

// page collects what is printed.
type page struct {
	Style
	out strings.Builder
}

// write prints a page at once, so that a page printed over the last one does not flicker.
func write(w io.Writer, s Style, fill func(*page)) error {
	p := &page{Style: s}
	fill(p)
	_, err := io.WriteString(w, p.out.String())
	return err
}

// emit is the one way to the output.
func (p *page) emit(s span) {
	text := Clean(s.text) // which makes spaces of the glue too
	if p.Color && s.color != "" && text != "" {
		text = "\x1b[" + string(s.color) + "m" + text + "\x1b[0m"
	}
	p.out.WriteString(text)
}

// line prints the spans as they are, on a line of their own, without space at its end.
func (p *page) line(spans ...span) {
	for _, s := range trim(spans) {
		p.emit(s)
	}
	p.out.WriteByte('\n')
}

func trim(spans []span) []span {
	for i := len(spans) - 1; i >= 0; i-- {
		last := span{strings.TrimRight(Clean(spans[i].text), " "), spans[i].color}
		if last.text != "" {
			return append(spans[:i:i], last)
		}
	}
	return nil
}

// gap prints an empty line between two sections.
func (p *page) gap() {
	if p.out.Len() > 0 {
		p.out.WriteByte('\n')
	}
}

// para prints a paragraph: first stands before its first line, and the other lines are indented.
func (p *page) para(first lead, indent int, body ...span) {
	lines := wrap(body, p.width()-first.width(), p.width()-indent)
	if len(lines) == 0 {
		p.line(first...)
	}
	for _, l := range lines {
		p.line(append(first[:len(first):len(first)], l...)...)
		first = at(strings.Repeat(" ", indent))
	}
}

// item is a paragraph whose lines all stand right of its first words.
func (p *page) item(first lead, body ...span) {
	indent := first.width()
	if indent > p.width()/2 {
		indent = 4
	}
	p.para(first, indent, body...)
}

// head prints the headline of a section.
func (p *page) head(body ...span) { p.para(nil, 2, body...) }
