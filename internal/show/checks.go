package show

import (
	"fmt"
	"io"
	"strings"
)

// Check is one thing that shuffle doctor looked at.
type Check struct {
	Name   string
	OK     bool
	Warns  bool   // OK, and yet worth a look
	Detail string // what was found
	Fix    string // what to do about it, when not OK
}

// Checks prints what doctor found, and what to fix.
func Checks(w io.Writer, s Style, checks []Check) error {
	return write(w, s, func(p *page) {
		longest, failed := 0, 0
		for _, c := range checks {
			longest = min(max(longest, width(c.Name)), p.width()*2/5)
		}
		for _, c := range checks {
			p.check(c, longest)
			if !c.OK {
				failed++
			}
		}
		p.gap()
		if failed == 0 {
			p.item(lead{{"✓ ", green}}, plain("all "+count(len(checks), "check")+" passed"))
			return
		}
		p.item(lead{{"✗ ", red}}, span{fmt.Sprintf("%s of %s failed", number(failed), count(len(checks), "check")), red})
	})
}

func (p *page) check(c Check, longest int) {
	sign := span{"✓", green}
	switch {
	case !c.OK:
		sign = span{"✗", red}
	case c.Warns:
		sign = span{"!", bold}
	}
	name := " " + c.Name + strings.Repeat(" ", max(longest-width(c.Name), 0)) + "  "
	p.para(lead{sign, plain(name)}, longest+4, plain(c.Detail))
	if !c.OK && c.Fix != "" {
		p.para(at(strings.Repeat(" ", longest+4)+"→ "), longest+6, span{p.Commands(c.Fix), bold})
	}
}
