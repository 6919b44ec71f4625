package faults_test

import (
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// TestOutageKillsNoTask: the bucket does not answer, or refuses every copy, for longer than a task
// may be received by the queue's redrive policy. No task is dead afterwards.
func TestOutageKillsNoTask(t *testing.T) {
	t.Parallel()
	for _, outage := range []faults.Rule{
		{Kind: faults.Outage}, {Kind: faults.InternalError, Op: "CopyObject"}, {Kind: faults.Cut, Op: "CopyObject"},
		{Kind: faults.InternalError, Op: "GetObject", Target: "current.json", From: "w"},
	} {
		t.Run(string(outage.Kind)+" "+outage.Op, func(t *testing.T) {
			t.Parallel()
			w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 120}, services("w1", "w2", "t1"), "SHUFFLE_MAX_RECEIVE_COUNT=2"), soon(t)
			outage.First, outage.Times = 1, -1
			w.front.Add(faults.Rule{Kind: faults.Event, From: "w", Op: "CopyObject", First: 20, Do: func(faults.Request) {
				w.front.Add(outage)
				time.AfterFunc(15*time.Second, func() { w.front.End(outage.Kind) })
			}})
			plan, err := w.plan(ctx, 0)
			must(t, err)
			must(t, w.succeeds(ctx))
			dead, err := w.queues[queueNames[2]].GetQueueAttributes(ctx)
			must(t, err)
			if n := w.front.Counts()[outage.Kind]; n == 0 || dead.Visible+dead.InFlight > 0 {
				t.Errorf("run %s: %d requests failed, and %d dead letters are left", plan.Run, n, dead.Visible+dead.InFlight)
			}
			must(t, w.converge(ctx))
			must(t, w.check(ctx))
		})
	}
}
