package show

import "strings"

// step is a command to type, and what it does.
type step struct{ command, does string }

// next prints the commands to type, each whole and first on its line, so that it can be copied.
func (p *page) next(steps ...step) {
	if len(steps) == 0 {
		return
	}
	p.gap()
	p.line(span{"Next:", bold})
	name := p.Command
	if name == "" {
		name = "shuffle"
	}
	longest, fits := 0, true
	for i := range steps {
		steps[i].command = "  " + name + " " + steps[i].command
		longest = max(longest, width(steps[i].command))
	}
	for _, s := range steps {
		fits = fits && longest+2+width(s.does) <= p.width()
	}
	for _, s := range steps {
		if fits {
			p.line(plain(s.command+strings.Repeat(" ", longest-width(s.command)+2)), span{s.does, dim})
			continue
		}
		p.line(plain(s.command))
		p.para(plain("      "), 6, span{s.does, dim})
	}
}
