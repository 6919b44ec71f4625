package planner

import (
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Step is what a planner waits for, or has to do for long. The zero Step is that it goes on.
type Step struct {
	Text string
	Left time.Duration // how long it takes yet
	Why  string        // what decides how long it takes; may be empty
}

// String is the step as a person reads it: "sheets: 37 of 120 read, about 2 min left (Google allows
// 60 reads a minute)".
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

// logEvery is how often a step that goes on is logged again.
const logEvery = 15 * time.Second

// progress shows the steps of one plan: to Planner.Progress, else in the log; and in the pointer,
// for status.
type progress struct {
	p *Planner

	mu     sync.Mutex
	waits  Step // for the workers of the run before, or another planner
	sheets Step
	logged time.Time // when a step of sheets was last logged
}

// wait shows what the planner waits for; the zero Step ends it.
func (g *progress) wait(s Step, fields ...zap.Field) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waits = s
	if s.Text != "" && g.p.Progress == nil {
		g.p.log().Info(s.String(), fields...)
	}
	g.show()
}

// read shows how far the reading of the sheets is; the zero Step ends it.
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

// show is called with g.mu held. What is waited for comes first: the sheets are read meanwhile.
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

// note is the present step for the pointer; "" when nothing is waited for.
func (g *progress) note() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.step().String()
}

// Paced is a Sheets whose service allows so many reads a minute only.
type Paced interface {
	// TimeFor is how long it takes at least to read so many further sheets, and the limit that
	// decides it.
	TimeFor(sheets int) (time.Duration, string)
}

// shortRead is how long the reading of sheets may take without a word.
const shortRead = 2 * time.Second

// sheetsRead counts the sheets of a plan. It is called when one has been read, and shows how far
// the reading is when the service makes it slow.
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
