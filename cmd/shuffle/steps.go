package main

import (
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/angel-nft/google-shuffle/internal/secret"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/planner"
)

// steps shows on a terminal what a planner waits for: one line, which counts down, below what is
// logged.
type steps struct {
	screen *screen

	mu   sync.Mutex
	now  planner.Step
	at   time.Time // of now
	all  *mpb.Progress
	line *mpb.Bar // nil while nothing is shown
}

func (l *steps) show(s planner.Step) {
	l.mu.Lock()
	l.now, l.at = s, time.Now()
	line, all := l.line, l.all
	switch {
	case s.Text == "":
		l.line, l.all = nil, nil
	case line == nil:
		l.all = mpb.New(mpb.WithOutput(secret.Unwrap(l.screen.stderr)), mpb.WithWidth(plainWidth), mpb.WithAutoRefresh())
		l.line = l.all.New(0, mpb.NopStyle(), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return l.text() })))
		l.screen.put(l.all)
	}
	l.mu.Unlock()
	if s.Text == "" && line != nil {
		l.screen.put(nil)
		line.Abort(true)
		all.Wait() // the drawing goroutine may want text until then
	}
}

// text is the step with the time that is left by now.
func (l *steps) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.now
	if s.Left > 0 {
		s.Left = max(s.Left-time.Since(l.at), time.Second)
	}
	return show.Clean(s.String())
}
