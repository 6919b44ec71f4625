// Package worlds runs the production planner, workers and tracker in small worlds: two or three frames, two generations, a bucket
// and queues in memory, and virtual time. Every call to a port waits until the world decides which is next and what happens to
// it, so that a schedule is a list of choices, and can be tried, counted, searched and replayed.
//
// After each schedule everything comes to rest without faults, and guarantees 1, 2, 3, 4 and 7 (DESIGN 2) must hold; 3 and 4 are
// watched at every write.
package worlds

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/planner"
)

// Pauses between tries are without chance here, so that a schedule is the same each time.
func init() { retry.Jitter = func(most time.Duration) time.Duration { return most / 2 } }

// play runs one schedule in a bubble of its own.
func (s scenario) play(t *testing.T, from *choices) (w *world) {
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, from, s.sheets, s.standing)
		w.keep = s.keep
		if w.split = s.split; s.split == nil {
			w.split = planner.Split{{Dataset: "train", Ratio: 1}}
		}
		w.run(w.start("operator", 0, func(_ context.Context, p *process) error {
			o := operator{p}
			s.script(o)
			o.finale()
			return nil
		}))
	})
	return w
}

func TestUsual(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			w := s.play(t, scripted(nil))
			t.Logf("%d steps, %d choices\n%s", len(w.story), len(w.choices.taken), w.tale())
			if w.judge.verdict != nil {
				t.Fatal(w.judge.verdict)
			}
		})
	}
}
