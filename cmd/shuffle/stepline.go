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

// stepLine shows on a terminal what the planner waits for: one line below the log lines, with the
// time that is left.
type stepLine struct {
	screen *screen

	mu        sync.Mutex
	current   planner.Step
	started   time.Time // of now
	container *mpb.Progress
	line      *mpb.Bar // nil while nothing is shown
}

func (l *stepLine) show(s planner.Step) {
	l.mu.Lock()
	l.current, l.started = s, time.Now()
	line, all := l.line, l.container
	switch {
	case s.Text == "":
		l.line, l.container = nil, nil
	case line == nil:
		l.container = mpb.New(mpb.WithOutput(secret.Unwrap(l.screen.stderr)), mpb.WithWidth(plainWidth), mpb.WithAutoRefresh())
		l.line = l.container.New(0, mpb.NopStyle(), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return l.text() })))
		l.screen.setBar(l.container)
	}
	l.mu.Unlock()
	if s.Text == "" && line != nil {
		l.screen.setBar(nil)
		line.Abort(true)
		all.Wait() // until then its goroutine may call text
	}
}

// text is the step with the time that is left now.
func (l *stepLine) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.current
	if s.Left > 0 {
		s.Left = max(s.Left-time.Since(l.started), time.Second)
	}
	return show.Clean(s.String())
}
