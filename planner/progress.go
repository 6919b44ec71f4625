package planner

import (
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Step is what a planner waits for, or a step that takes long. The zero Step means that the planner
// goes on.
type Step struct {
	Text string
	Left time.Duration // the remaining time
	Why  string        // the limit that decides Left; may be empty
}

// String returns the step for a reader: "sheets: 37 of 120 read, about 2 min left (Google allows 60
// reads a minute)".
func (s Step) String() string {
	text := s.Text
	switch {
	case s.Left >= 90*time.Second:
		text += fmt.Sprintf(", about %d min left", int(s.Left.Round(time.Minute).Minutes()))
	case s.Left > 0:
		text += fmt.Sprintf(", about %d s left", int(max(s.Left.Round(time.Second), time.Second).Seconds()))
	}
	if s.Why != "" {
		text += " (" + s.Why + ")"
	}
	return text
}

// logEvery is how often a long step is logged again.
const logEvery = 15 * time.Second

// progress shows the steps of one plan. It sends them to Planner.Progress or else to the log. It
// also writes them to the pointer, for the command status.
type progress struct {
	p *Planner

	mu     sync.Mutex
	waits  Step // the wait for the workers of the run before, or for another planner
	sheets Step
	logged time.Time // when a step of the sheets was last logged
}

// wait shows what the planner waits for. The zero Step ends the wait.
func (g *progress) wait(s Step, fields ...zap.Field) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waits = s
	if s.Text != "" && g.p.Progress == nil {
		g.p.log().Info(s.String(), fields...)
	}
	g.show()
}

// read shows how many sheets are read. The zero Step ends the reading.
func (g *progress) read(s Step) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sheets = s
	if s.Text != "" && g.p.Progress == nil && time.Since(g.logged) >= logEvery {
		g.logged = time.Now()
		g.p.log().Info(s.String())
	}
	g.show()
}

// show reports the present step. The caller holds g.mu. A wait has priority over the sheets, which
// are read meanwhile.
func (g *progress) show() {
	if g.p.Progress != nil {
		g.p.Progress(g.step())
	}
}

func (g *progress) step() Step {
	if g.waits.Text != "" {
		return g.waits
	}
	return g.sheets
}

// note returns the present step for the pointer; "" when there is none.
func (g *progress) note() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.step().String()
}

// Paced is a Sheets whose service limits the reads a minute.
type Paced interface {
	// TimeFor returns the least time to read this number of further sheets, and the limit that
	// decides it.
	TimeFor(sheets int) (time.Duration, string)
}

// shortRead is the shortest remaining time of a reading that is shown.
const shortRead = 2 * time.Second

// sheetsRead returns a function to call after each sheet. The function counts the sheets, and shows
// the count when the limit of the service makes the reading slow.
func (g *progress) sheetsRead(total int) func() {
	paced, ok := g.p.Sheets.(Paced)
	if !ok {
		return func() {}
	}
	var mu sync.Mutex
	read := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		read++
		left, why := paced.TimeFor(total - read)
		switch {
		case read == total:
			g.read(Step{})
		case left >= shortRead:
			g.read(Step{Text: fmt.Sprintf("sheets: %d of %d read", read, total), Left: left, Why: why})
		}
	}
}
