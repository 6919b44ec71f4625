package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/angel-nft/google-shuffle/internal/secret"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// progress shows the progress of a run: a bar on a terminal, elsewhere a line every few seconds.
type progress interface {
	update(state.Status)
	close()
}

func (a *app) newProgress() progress {
	if isTerminal(a.screen.stderr) {
		return &progressBar{screen: a.screen}
	}
	return &progressLines{screen: a.screen}
}

// lineEvery is the time between two lines while results arrive.
const lineEvery = 5 * time.Second

// idleLineEvery is the time between two lines while no result arrives.
const idleLineEvery = 30 * time.Second

type progressLines struct {
	screen  *screen
	last    state.Status
	written time.Time
}

func (l *progressLines) update(s state.Status) {
	moved := s.Done != l.last.Done || s.Dead != l.last.Dead || s.Note != l.last.Note
	idles := s.IdleSeconds > 0 && time.Since(l.written) >= idleLineEvery
	if s.Run == l.last.Run && s.State == l.last.State && !idles && (!moved || time.Since(l.written) < lineEvery) {
		return
	}
	l.last, l.written = s, time.Now()
	_, _ = fmt.Fprintln(l.screen, show.Line(s)) // an error of stderr cannot be reported
}

func (l *progressLines) close() {}

// progressBar shows one bar for each run, while the run is active.
type progressBar struct {
	screen    *screen
	container *mpb.Progress
	bar       *mpb.Bar
	last      atomic.Pointer[state.Status] // the bar's own goroutine reads it too
}

func (b *progressBar) update(s state.Status) {
	if last := b.last.Swap(&s); b.bar != nil && (s.Run != last.Run || !s.State.Active()) {
		b.close()
	}
	if b.bar == nil && s.State.Active() && s.Tasks > 0 {
		b.container, b.bar = newBar(b.screen, s.Tasks,
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return fmt.Sprintf("%-10s ", b.last.Load().State) })),
			mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d"), decor.Any(func(decor.Statistics) string { return speed(*b.last.Load()) })),
		)
	}
	if b.bar != nil {
		b.bar.SetCurrent(int64(s.Done + s.Dead))
	}
}

// newBar shows a bar below the log lines, until closeBar.
func newBar(s *screen, total int, options ...mpb.BarOption) (*mpb.Progress, *mpb.Bar) {
	all := mpb.New(mpb.WithOutput(secret.Unwrap(s.stderr)), mpb.WithWidth(plainWidth), mpb.WithAutoRefresh())
	one := all.New(int64(total), mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"), options...)
	s.setBar(all)
	return all, one
}

func closeBar(s *screen, all *mpb.Progress, one *mpb.Bar) {
	s.setBar(nil)
	one.Abort(false)
	all.Wait()
}

func speed(s state.Status) string {
	if !s.State.Acting() {
		return ""
	}
	if s.Rate <= 0 {
		return " " + strings.Join(show.LastResult(s), "")
	}
	text := fmt.Sprintf(" %.0f/s", s.Rate)
	if s.ETASeconds != nil {
		text += " " + (time.Duration(*s.ETASeconds) * time.Second).String()
	}
	return text
}

func (b *progressBar) close() {
	if b.bar == nil {
		return
	}
	closeBar(b.screen, b.container, b.bar)
	b.bar, b.container = nil, nil
}
