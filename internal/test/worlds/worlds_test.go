// Package worlds runs the production planner, workers and tracker in small worlds: two or three
// frames, two generations, a bucket and queues in memory, and virtual time. Every call to a port
// waits until the world decides which call is next and what its fate is. So a schedule is a list of
// choices, which a test can try, count, search and replay.
//
// After each schedule all work ends without faults, and guarantees 1, 2, 3, 4 and 7 (DESIGN 2) must
// hold; 3 and 4 are checked at every write.
//
// # Beside package faults
//
// Two packages search for faults, and each finds faults that the other cannot find. This package
// chooses the order of the calls. It tries all schedules up to a depth, minutes cost nothing, and a
// failing schedule is the same each time. So it finds races between two lines of code. It has no
// processes, sockets, disks or files. Package internal/test/faults runs the built program, over
// HTTP and on a folder. It has kill -9, SIGSTOP, wrong clocks, truncated answers, damaged objects,
// a folder that disappears, and an operator who types what status prints. So it finds faults of
// adapters, commands and messages. There the machine decides which process is faster, and the
// package only samples. Both audits check the same guarantees with different inputs, and share no
// code: the judge here sees each call with its process and its plan, Audit there sees requests and
// answers.
package worlds

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/planner"
)

// Pauses between attempts are not random here, so a schedule is the same each time.
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
