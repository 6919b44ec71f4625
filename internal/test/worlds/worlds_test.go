// Package worlds runs the production planner, workers and tracker in small worlds: two or three
// frames, two generations, a bucket and queues in memory, and virtual time. Every call to a port
// waits until the world decides which is next and what happens to it, so that a schedule is a list
// of choices, and can be tried, counted, searched and replayed.
//
// After each schedule everything comes to rest without faults, and guarantees 1, 2, 3, 4 and 7
// (DESIGN 2) must hold; 3 and 4 are watched at every write.
//
// # Beside package faults
//
// Two packages search for faults, and each finds what the other cannot. Here the order of the calls
// is chosen: all schedules up to a depth are tried, minutes cost nothing, and a failing schedule is
// the same each time. So this one finds races between two lines of code. It has no processes,
// sockets, disks or files. Package internal/test/faults runs the program as it is built, over HTTP
// and on a folder: kill -9, SIGSTOP, wrong clocks, half answers, damaged objects, a folder that
// goes away, and an operator who types what status prints. So it finds what adapters, commands and
// messages do wrong; which process is faster is the machine's affair there, and it only samples.
// Their audits hold the same guarantees of different material, and share no code: the judge here
// sees each call with its process and its plan, Audit there sees requests and answers.
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
