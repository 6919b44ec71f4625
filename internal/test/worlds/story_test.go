package worlds

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// line is a step of a schedule.
type line struct {
	at     time.Duration
	call   *call
	fate   fate
	choice string // the choice of the fate, as in deviations; "" when there was only one option
	err    error  // of the answer
}

// maxTold is the number of steps of a story that are worth reading.
const maxTold = 3000

// tale is the story of a schedule, with a line for each step: time, choice, process, call and
// result.
func (w *world) tale() string {
	var b strings.Builder
	for i, l := range w.story {
		if i == maxTold {
			fmt.Fprintf(&b, "… and %d steps more\n", len(w.story)-i)
			break
		}
		c := l.call
		fmt.Fprintf(&b, "%4d %8.1fs %7s  %-11s %s", i+1, l.at.Seconds(), l.choice, c.proc.name, c.describe())
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

// describe describes the call for the story.
func (c *call) describe() string {
	return strings.TrimSpace(c.op + " " + brief(c.on) + " " + brief(c.what()))
}

// drawn matches the part of a name that is drawn at random (crypto/rand.Text) and differs each
// time.
var drawn = regexp.MustCompile(`[A-Z2-7]{26}`)

// brief removes the parts that all names share, and the parts that differ in each schedule.
func brief(s string) string {
	s = drawn.ReplaceAllString(s, "…")
	return strings.NewReplacer(layout.State(), "", layout.ML(), "ML/", "TT_S01_E01_FRM-00-00-00-", "f", "TT_S01_E02_FRM-00-00-00-", "g").Replace(s)
}
