package show

import (
	"fmt"
	"io"
	"strings"
)

// Check is the result of one check of shuffle doctor.
type Check struct {
	Name    string
	OK      bool
	Warning bool   // OK, but somebody should look at it
	Detail  string // what was found
	Fix     string // what to do about it, when not OK
}

// Checks prints the results of doctor, and what to fix.
func Checks(w io.Writer, s Style, checks []Check) error {
	return write(w, s, func(p *page) {
		longest, failed := 0, 0
		for _, c := range checks {
			longest = min(max(longest, width(c.Name)), p.width()*2/5)
		}
		for _, c := range checks {
			p.printCheck(c, longest)
			if !c.OK {
				failed++
			}
		}
		p.printGap()
		if failed == 0 {
			p.printItem(prefix{{"✓ ", green}}, plain("all "+count(len(checks), "check")+" passed"))
			return
		}
		p.printItem(prefix{{"✗ ", red}}, span{fmt.Sprintf("%s of %s failed", number(failed), count(len(checks), "check")), red})
	})
}

func (p *page) printCheck(c Check, longest int) {
	sign := span{"✓", green}
	switch {
	case !c.OK:
		sign = span{"✗", red}
	case c.Warning:
		sign = span{"!", bold}
	}
	name := " " + c.Name + strings.Repeat(" ", max(longest-width(c.Name), 0)) + "  "
	p.printParagraph(prefix{sign, plain(name)}, longest+4, plain(c.Detail))
	if !c.OK && c.Fix != "" {
		p.printParagraph(label(strings.Repeat(" ", longest+4)+"→ "), longest+6, span{p.RewriteCommands(c.Fix), bold})
	}
}
