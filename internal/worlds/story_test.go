package worlds

import (
	"fmt"
	"strings"
	"time"
)

// line is a step of a schedule.
type line struct {
	at   time.Duration
	call *call
	fate fate
	err  error // of the answer
}

func (w *world) tellStory(c *call, f fate) {
	w.story = append(w.story, line{at: w.now(), call: c, fate: f})
}

// maxTold is how many steps of a story are worth reading.
const maxTold = 3000

// tale is the story of a schedule, a line for each step: when, who, what, and what happened.
func (w *world) tale() string {
	var b strings.Builder
	for i, l := range w.story {
		if i == maxTold {
			fmt.Fprintf(&b, "… and %d steps more\n", len(w.story)-i)
			break
		}
		c := l.call
		said := strings.TrimSpace(fmt.Sprintf("%s %s %s", c.op, brief(c.on), brief(c.what())))
		fmt.Fprintf(&b, "%4d %8.1fs  %-11s %s", i+1, l.at.Seconds(), c.proc.name, said)
		if l.fate != goes {
			fmt.Fprintf(&b, "   ← %s", strings.ToUpper(string(l.fate)))
		}
		if l.err != nil {
			fmt.Fprintf(&b, "   [%s]", brief(l.err.Error()))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// brief leaves out what all names have in common.
func brief(s string) string {
	return strings.NewReplacer(layout.State(), "", layout.ML(), "ML/", "TT_S01_E01_FRM-00-00-00-", "f").Replace(s)
}
