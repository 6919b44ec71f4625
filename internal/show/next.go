package show

import (
	"cmp"
	"strings"
)

// step is a command to type, and what it does.
type step struct{ command, does string }

// next prints the commands to type, each whole and first on its line, so that it can be copied. What they do stands beside
// them where all of it fits.
func (p *page) next(steps ...step) {
	if len(steps) == 0 {
		return
	}
	p.gap()
	p.line(span{"Next:", bold})
	commands, does := 0, 0
	for i := range steps {
		steps[i].command = "  " + cmp.Or(p.Command, "shuffle") + " " + steps[i].command
		commands, does = max(commands, width(steps[i].command)), max(does, width(steps[i].does))
	}
	beside := commands+2+does <= p.width()
	for _, s := range steps {
		if beside {
			p.line(plain(s.command), plain(strings.Repeat(" ", commands-width(s.command)+2)), span{s.does, dim})
			continue
		}
		p.line(plain(s.command))
		p.para(at("      "), 6, span{s.does, dim})
	}
}
