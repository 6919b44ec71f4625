package show

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Dead prints the dead tasks of a run with their reasons, and last, where a long list has not
// scrolled them away, their number and how to publish them again.
func Dead(w io.Writer, s Style, st state.Status, dead []state.DeadTask) error {
	return write(w, s, func(p *page) {
		if len(dead) == 0 {
			p.item(lead{{"✓ ", green}}, plain("run "+st.Run+" has no dead task"))
			return
		}
		codes, digits := map[string]int{}, 1
		for _, d := range dead {
			codes[d.Code]++
			digits = max(digits, len(fmt.Sprint(d.Task.Seq)))
		}
		for _, d := range dead {
			p.dead(d, digits)
		}
		p.gap()
		p.item(lead{{"✗ ", red}}, span{isAre(len(dead), "task") + " dead in run " + st.Run + ":", red}, plain(tally(codes)))
		p.next(advice.ForDead(st, dead)...)
	})
}

// dead prints one task. Its seq has no separators: it is what redrive --seq takes.
func (p *page) dead(d state.DeadTask, digits int) {
	tried := "attempts unknown"
	if d.Attempts > 0 {
		tried = count(d.Attempts, "attempt")
	}
	if d.Worker != "" {
		tried += ", the last by " + d.Worker
	}
	p.item(at(fmt.Sprintf("%*d  ", digits, d.Task.Seq)), plain(string(d.Task.Frame)), plain(string(d.Task.Op)+","),
		span{cmp.Or(d.Code, "no code") + ",", red}, span{tried, dim})
	p.item(at(strings.Repeat(" ", digits+2)), plain(d.Reason))
}
