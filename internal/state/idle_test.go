package state_test

import (
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// A run that does not go on has no rate and no end in sight, whatever its last minute was like.
func TestIdle(t *testing.T) {
	samples := []state.Sample{{Second: 100, Accounted: 0}, {Second: 160, Accounted: 600}}
	for _, tt := range []struct {
		state state.State
		age   time.Duration
		idle  float64
		rate  float64
	}{
		{state.Running, 0, 0, 10}, {state.Running, 3 * time.Minute, 0, 10}, {state.Running, 10 * time.Minute, 600, 0},
		{state.Publishing, 10 * time.Minute, 600, 0}, {state.Running, -1, 0, 10}, {state.Verifying, 10 * time.Minute, 0, 10},
	} {
		p := state.Progress{Tasks: 1000, Done: 600, Open: 400, Samples: samples, Age: tt.age}
		s := state.StatusOf(state.Pointer{State: tt.state, Tasks: 1000}, p, &state.Plan{})
		if s.IdleSeconds != tt.idle || s.Rate != tt.rate || (s.ETASeconds == nil) != (tt.rate == 0) {
			t.Errorf("%s, saved %s ago: idle %v s, rate %v, ETA %v", tt.state, tt.age, s.IdleSeconds, s.Rate, s.ETASeconds)
		}
	}
}
