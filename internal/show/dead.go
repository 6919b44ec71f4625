package show

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Dead prints the dead tasks of a run with their reasons. Their number and the next commands come
// last, so that they stay visible after a long list.
func Dead(w io.Writer, s Style, st state.Status, dead []state.DeadTask) error {
	return write(w, s, func(p *page) {
		if len(dead) == 0 {
			p.printItem(prefix{{"✓ ", green}}, plain("run "+st.Run+" has no dead task"))
			return
		}
		codes, digits := map[string]int{}, 1
		for _, d := range dead {
			codes[d.Code]++
			digits = max(digits, len(fmt.Sprint(d.Task.Seq)))
		}
		for _, d := range dead {
			tried := "attempts unknown"
			if d.Attempts > 0 {
				tried = count(d.Attempts, "attempt")
			}
			if d.Worker != "" {
				tried += ", the last by " + d.Worker
			}
			// The seq has no separators: it is what redrive --seq takes.
			p.printItem(label(fmt.Sprintf("%*d  ", digits, d.Task.Seq)), plain(string(d.Task.Frame)), plain(string(d.Task.Op)+","),
				span{cmp.Or(d.Code, "no code") + ",", red}, span{tried, dim})
			p.printItem(label(strings.Repeat(" ", digits+2)), plain(d.Reason))
		}
		p.printGap()
		p.printItem(prefix{{"✗ ", red}}, span{isAre(len(dead), "task") + " dead in run " + st.Run + ":", red}, plain(tally(codes)))
		p.printNext(advice.ForDead(st, dead)...)
	})
}
