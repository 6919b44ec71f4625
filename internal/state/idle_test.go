package state_test

import (
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// A run that makes no progress has no rate and no ETA, with any rate in its last minute.
func TestIdle(t *testing.T) {
	samples := []state.Sample{{Second: 100, Accounted: 0}, {Second: 160, Accounted: 600}}
	const (
		min, sec = time.Minute, time.Second
		none     = -2 * sec // there is no result yet
		unknown  = -1 * sec // the bucket has no clock
	)
	for _, tt := range []struct {
		state   state.State
		pointer time.Duration // the age of the pointer
		age     time.Duration // the age of the ledger
		idle    float64
		rate    float64
	}{
		{state.Running, min, 0, 0, 10}, {state.Running, 20 * min, 8 * sec, 0, 10}, {state.Running, 20 * min, 20 * sec, 0, 0},
		{state.Running, 20 * min, 31 * sec, 31, 0}, {state.Running, 20 * min, 10 * min, 600, 0}, {state.Running, 20 * min, unknown, 0, 10},
		{state.Running, 20 * sec, none, 0, 10}, {state.Running, 31 * sec, none, 31, 0}, {state.Running, -1, none, 0, 10},
		{state.Planning, 50 * sec, none, 0, 10}, {state.Planning, 2 * min, none, 120, 0},
		{state.Publishing, 2 * min, 10 * min, 120, 0}, {state.Publishing, 10 * min, 8 * sec, 0, 10}, {state.Publishing, 10 * min, none, 600, 0},
		{state.Verifying, 2 * min, 10 * min, 0, 10}, {state.Verifying, 10 * min, 10 * min, 600, 0},
		{state.Failed, 10 * min, 10 * min, 0, 0},
	} {
		p := state.Progress{Tasks: 1000, Done: 600, Open: 400, Samples: samples, Age: tt.age}
		if tt.age == none {
			p.Done, p.Open, p.Age = 0, 1000, 0
		}
		s := state.StatusOf(state.PointerSnapshot{Pointer: state.Pointer{State: tt.state, Tasks: 1000}, Age: tt.pointer}, p, &state.Plan{})
		if s.IdleSeconds != tt.idle || s.Rate != tt.rate || tt.state.Active() && (s.ETASeconds == nil) != (tt.rate == 0) {
			t.Errorf("%s, pointer of %s, ledger of %s ago: idle %v s, rate %v, ETA %v", tt.state, tt.pointer, tt.age, s.IdleSeconds, s.Rate, s.ETASeconds)
		}
		if last := s.LastResultSeconds; tt.state.Active() && (last != nil) != (tt.age >= 0) || last != nil && *last != tt.age.Seconds() {
			t.Errorf("%s, ledger of %s ago: the last result came %v s ago", tt.state, tt.age, last)
		}
		s.Expect(8 * min)
		if r := s.RecoverySeconds; (r != nil) != (tt.idle > 0 && tt.state != state.Verifying) || r != nil && *r != max(480-tt.idle, 0) {
			t.Errorf("%s, idle for %v s: acted on in %v s", tt.state, tt.idle, r)
		}
	}
}
