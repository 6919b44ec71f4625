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

// progress shows how far a run is: a bar on a terminal, a line now and then elsewhere.
type progress interface {
	update(state.Status)
	close()
}

func (a *app) progress() progress {
	if isTerminal(a.screen.stderr) {
		return &bar{screen: a.screen}
	}
	return &lines{screen: a.screen}
}

// lineEvery is how often a run that goes on writes a line.
const lineEvery = 5 * time.Second

// idleLineEvery is how often a run that does not go on does.
const idleLineEvery = 30 * time.Second

type lines struct {
	screen *screen
	last   state.Status
	at     time.Time
}

func (l *lines) update(s state.Status) {
	moved := s.Done != l.last.Done || s.Dead != l.last.Dead || s.Note != l.last.Note
	idles := s.IdleSeconds > 0 && time.Since(l.at) >= idleLineEvery
	if s.Run == l.last.Run && s.State == l.last.State && !idles && (!moved || time.Since(l.at) < lineEvery) {
		return
	}
	l.last, l.at = s, time.Now()
	_, _ = fmt.Fprintln(l.screen, show.Line(s)) // stderr; there is nobody to tell
}

func (l *lines) close() {}

func eta(s state.Status) string {
	return (time.Duration(*s.ETASeconds) * time.Second).String()
}

// bar is drawn while a run is active, one a run.
type bar struct {
	screen *screen
	all    *mpb.Progress
	one    *mpb.Bar
	last   atomic.Pointer[state.Status] // the drawing goroutine reads it
}

func (b *bar) update(s state.Status) {
	if last := b.last.Swap(&s); b.one != nil && (s.Run != last.Run || !s.State.Active()) {
		b.close()
	}
	if b.one == nil && s.State.Active() && s.Tasks > 0 {
		b.open(s.Tasks)
	}
	if b.one != nil {
		b.one.SetCurrent(int64(s.Done + s.Dead))
	}
}

func (b *bar) open(tasks int) {
	b.all, b.one = newBar(b.screen, tasks,
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return fmt.Sprintf("%-10s ", b.last.Load().State) })),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d"), decor.Any(func(decor.Statistics) string { return speed(*b.last.Load()) })),
	)
}

// newBar shows a bar below what is logged, until closeBar.
func newBar(s *screen, total int, options ...mpb.BarOption) (*mpb.Progress, *mpb.Bar) {
	all := mpb.New(mpb.WithOutput(secret.Unwrap(s.stderr)), mpb.WithWidth(plainWidth), mpb.WithAutoRefresh())
	one := all.New(int64(total), mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"), options...)
	s.put(all)
	return all, one
}

func closeBar(s *screen, all *mpb.Progress, one *mpb.Bar) {
	s.put(nil)
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
		text += " " + eta(s)
	}
	return text
}

func (b *bar) close() {
	if b.one == nil {
		return
	}
	closeBar(b.screen, b.all, b.one)
	b.one, b.all = nil, nil
}
