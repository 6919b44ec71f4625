// Package show prints for people: plans, statuses, reports, dead tasks, differences. Every function
// writes once, and depends only on its arguments.
//
// The text comes from sheets, messages and other services, whose writers are not trusted: it could
// contain control sequences for the terminal. So all text passes Clean in one place: see
// page.printLine.
package show

import (
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/figure"
)

// Style is how to print.
type Style struct {
	// Color adds ANSI colours. They give no further information.
	Color bool
	// Width is the terminal's width in columns; 0 means 80.
	Width int
	// Command is how the user called the program, such as "shuffle --local ./x". Printed commands
	// begin with it. Empty means "shuffle".
	Command string
	// Local is true with --local, where no services run: the next commands then apply and track
	// tasks too.
	Local bool
	// ReportFollows is true for a command that prints its plan and later its report. Then the plan
	// has no next commands, and the report does not repeat the plan.
	ReportFollows bool
}

// RewriteCommands makes the commands in a sentence begin as the user called the program.
func (s Style) RewriteCommands(sentence string) string {
	return advice.RewriteCommands(s.Command, sentence)
}

// minWidth is the least width for readable text. A narrower terminal wraps the lines itself.
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

// prefix is the text before the first line of a paragraph.
type prefix []span

// label is a prefix without colour.
func label(label string) prefix { return prefix{plain(label)} }

func (l prefix) width() int {
	w := 0
	for _, s := range l {
		w += width(s.text)
	}
	return w
}

// page collects the output.
type page struct {
	Style
	out strings.Builder
}

// write prints a page with one Write.
func write(w io.Writer, s Style, fill func(*page)) error {
	p := &page{Style: s}
	fill(p)
	_, err := io.WriteString(w, p.out.String())
	return err
}

// printLine prints the spans on one line, without spaces at its end. All output goes through it.
func (p *page) printLine(spans ...span) {
	for _, s := range trimEnd(spans) {
		text := Clean(s.text) // it also replaces glue with spaces
		if p.Color && s.color != "" && text != "" {
			text = "\x1b[" + string(s.color) + "m" + text + "\x1b[0m"
		}
		p.out.WriteString(text)
	}
	p.out.WriteByte('\n')
}

func trimEnd(spans []span) []span {
	for i := len(spans) - 1; i >= 0; i-- {
		last := span{strings.TrimRight(Clean(spans[i].text), " "), spans[i].color}
		if last.text != "" {
			return append(spans[:i:i], last)
		}
	}
	return nil
}

// printGap prints an empty line between two sections.
func (p *page) printGap() {
	if p.out.Len() > 0 {
		p.out.WriteByte('\n')
	}
}

// printParagraph prints a paragraph: its first line follows first, the other lines are indented.
func (p *page) printParagraph(first prefix, indent int, body ...span) {
	lines := wrap(body, p.width()-first.width(), p.width()-indent)
	if len(lines) == 0 {
		p.printLine(first...)
	}
	for _, l := range lines {
		p.printLine(append(first[:len(first):len(first)], l...)...)
		first = label(strings.Repeat(" ", indent))
	}
}

// printItem prints a paragraph whose lines are all indented by the width of first.
func (p *page) printItem(first prefix, body ...span) {
	indent := first.width()
	if indent > p.width()/2 {
		indent = 4
	}
	p.printParagraph(first, indent, body...)
}

// printHead prints the headline of a section.
func (p *page) printHead(body ...span) { p.printParagraph(nil, 2, body...) }

// Short names for the functions that nearly every line needs.
var (
	number, count, isAre    = figure.Number, figure.Count, figure.IsAre
	duration, clock, moment = figure.Duration, figure.Clock, figure.Moment
	dollars, percent, rate  = figure.Dollars, figure.Percent, figure.Rate
)
