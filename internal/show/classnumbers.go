package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// maxClassNumbers limits the classes that are printed: a folder may have any number of them.
const maxClassNumbers = 40

// ClassNumbers warns that a pull will change the class numbers of a folder.
func ClassNumbers(w io.Writer, s Style, dir string, changes []state.ClassNumber) error {
	return write(w, s, func(p *page) { p.printClassNumbers(" in "+dir, changes) })
}

// printClassNumbers names each class whose number changes, old → new. where may be empty.
func (p *page) printClassNumbers(where string, changes []state.ClassNumber) {
	if len(changes) == 0 {
		return
	}
	var parts []string
	for _, c := range changes[:min(len(changes), maxClassNumbers)] {
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
		text += "; a model trained with the old numbers would mix up its classes"
	}
	p.printItem(prefix{{"! ", red}}, span{text, red})
}
