package show

import (
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
)

// step is a next step that only this package suggests.
func step(command, does string) advice.Step { return advice.Step{Command: command, Does: does} }

// printNext prints the next commands. Each begins a line and is never broken, so that it can be
// copied. The explanations are beside the commands if all of them fit, else below.
func (p *page) printNext(steps ...advice.Step) {
	if p.Local {
		steps = advice.OnOneMachine(steps)
	}
	if len(steps) == 0 {
		return
	}
	p.printGap()
	p.printLine(span{"Next:", bold})
	calls := make([]string, len(steps))
	widest, does := 0, 0
	for i, s := range steps {
		calls[i] = "  " + s.Call(p.Command)
		widest, does = max(widest, width(calls[i])), max(does, width(s.Does))
	}
	beside := widest+2+does <= p.width()
	for i, s := range steps {
		if beside {
			p.printLine(plain(calls[i]), plain(strings.Repeat(" ", widest-width(calls[i])+2)), span{s.Does, dim})
			continue
		}
		p.printLine(plain(calls[i]))
		p.printParagraph(label("      "), 6, span{s.Does, dim})
	}
}
