package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// shownClassNumbers bounds the classes that are named on a terminal: those of a folder may be
// anything.
const shownClassNumbers = 40

// ClassNumbers warns that the class numbers of a folder change, before they do.
func ClassNumbers(w io.Writer, s Style, dir string, changes []state.ClassNumber) error {
	return write(w, s, func(p *page) { p.classNumbers(" in "+dir, changes) })
}

// classNumbers names each class whose number changes, old → new. where may be empty.
func (p *page) classNumbers(where string, changes []state.ClassNumber) {
	if len(changes) == 0 {
		return
	}
	var parts []string
	for _, c := range changes[:min(len(changes), shownClassNumbers)] {
		before, after := "new", "gone"
		if c.Before != nil {
			before = fmt.Sprint(*c.Before)
		}
		if c.After != nil {
			after = fmt.Sprint(*c.After)
		}
		parts = append(parts, className(c.Class)+" "+before+" → "+after)
	}
	if more := len(changes) - len(parts); more > 0 {
		parts = append(parts, "and "+number(more)+" more, see --json")
	}
	text := "Class numbers" + where + " change: " + strings.Join(parts, ", ")
	if state.Renumbers(changes) {
		text += "; a model trained on the old numbers reads them wrongly"
	}
	p.item(lead{{"! ", red}}, span{text, red})
}
