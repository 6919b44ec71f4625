package show

import (
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
)

// step is advice that only a page of this package gives.
func step(command, does string) advice.Step { return advice.Step{Command: command, Does: does} }

// next prints the commands to type, each whole and first on its line, so that it can be copied.
// What they do stands beside them where all of it fits.
func (p *page) next(steps ...advice.Step) {
	if p.Local {
		steps = advice.OnOneMachine(steps)
	}
	if len(steps) == 0 {
		return
	}
	p.gap()
	p.line(span{"Next:", bold})
	calls := make([]string, len(steps))
	widest, does := 0, 0
	for i, s := range steps {
		calls[i] = "  " + s.Call(p.Command)
		widest, does = max(widest, width(calls[i])), max(does, width(s.Does))
	}
	beside := widest+2+does <= p.width()
	for i, s := range steps {
		if beside {
			p.line(plain(calls[i]), plain(strings.Repeat(" ", widest-width(calls[i])+2)), span{s.Does, dim})
			continue
		}
		p.line(plain(calls[i]))
		p.para(at("      "), 6, span{s.Does, dim})
	}
}
