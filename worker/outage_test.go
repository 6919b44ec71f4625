package worker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// codes counts what is on the dead-letter queue, by code.
func (q *memQueue) codes() map[string]int {
	q.mu.Lock()
	defer q.mu.Unlock()
	codes := map[string]int{}
	for _, e := range q.sent {
		codes[e.Attributes[messages.AttrCode]]++
	}
	return codes
}

// While the bucket does not answer, a worker holds the tasks that it has and receives no others.
// None becomes dead.
func TestOutage(t *testing.T) {
	all := func(string) bool { return true }
	for _, tc := range []struct {
		name     string
		lasts    time.Duration
		hit      func(op string) bool
		code     string
		status   int
		receives int // of messages while it lasts, at most
	}{
		{"copies are answered by 500 for nine seconds", 9 * time.Second, func(op string) bool { return op == "CopyObject" }, bucket.CodeInternal, 500, 900},
		{"copies are cut off for a minute", time.Minute, func(op string) bool { return op == "CopyObject" }, bucket.CodeTransport, 0, 900},
		{"deletes are answered by 500 for a minute", time.Minute, func(op string) bool { return op == "DeleteObjects" }, bucket.CodeInternal, 500, 900},
		{"nothing is answered for six minutes", 6 * time.Minute, all, bucket.CodeTransport, 0, 900},
		{"nothing is answered for nine minutes", 9 * time.Minute, all, bucket.CodeInternal, 500, 900},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, manyTasks(293)...)
				w.tasks.maxReceives = 5
				w.bucket.latency = 40 * time.Millisecond
				begun := time.Now()
				w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
					if since := time.Since(begun); since > 30*time.Millisecond && since < tc.lasts && tc.hit(op) {
						return s3Error(op, tc.code, tc.status)
					}
					return nil
				}
				cfg := w.config()
				cfg.ExitWhenIdle = 2 * time.Minute
				r := runWorker(t, cfg)
				after(tc.lasts)
				if got := r.Stats().Received; got > int64(tc.receives) {
					t.Errorf("%d messages were received while it lasted", got)
				}
				r.wait(t)
				if codes := w.deads.codes(); len(codes) > 0 {
					t.Errorf("dead: %v", codes)
				}
				done := map[uint32]bool{}
				for _, res := range w.results.results(t) {
					if res.Outcome.IsDone() {
						done[res.Seq] = true
					}
				}
				if len(done) != 293 {
					t.Errorf("%d tasks are done", len(done))
				}
			})
		})
	}
}

// A worker whose copies succeed while no delete is answered stops receiving, though it could have
// more messages in flight: each would wait, and another worker may reach the bucket.
func TestNoReceivesInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := make([]messages.Task, 2*minInFlight)
		for i := range tasks {
			tasks[i] = taskOf(i, messages.Move)
		}
		w := newWorld(t, tasks...)
		w.bucket.latency = 40 * time.Millisecond
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if op == "DeleteObjects" {
				return s3Error(op, bucket.CodeInternal, 500)
			}
			return nil
		}
		cfg := w.config()
		cfg.Concurrency, cfg.Drain = 8, time.Second
		r := runWorker(t, cfg)
		after(time.Minute)
		if got := r.Stats().Received; got < outageTasks || got > minInFlight/2 {
			t.Errorf("%d messages were received, expected a few until the outage was noticed", got)
		}
		r.stop()
		r.wait(t)
	})
}

// A task whose run is superseded during an outage is concluded at once: the outage is no reason to
// hold it.
func TestSupersededInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20
		w := newWorld(t, manyTasks(n)...)
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if op == "GetObject" {
				return nil
			}
			return s3Error(op, bucket.CodeInternal, 500)
		}
		r := runWorker(t, w.config())
		after(time.Minute)
		if got := len(w.results.results(t)); got > 0 {
			t.Errorf("%d results in an outage", got)
		}
		w.point(t, func(p *state.Pointer) { p.Generation, p.Run = 8, "next" })
		after(2 * outagePause)
		if got := r.Stats().Outcomes[messages.Superseded]; got != n {
			t.Errorf("%d of %d tasks superseded", got, n)
		}
		r.stop()
		r.wait(t)
	})
}

// An outage that is longer than a task's receives: it goes to the dead-letter queue with the code
// by which its tracker puts it back.
func TestLongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, manyTasks(20)...)
		w.tasks.maxReceives = 3
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error { return s3Error(op, bucket.CodeInternal, 500) }
		r := runWorker(t, w.config())
		after(3 * time.Hour)
		if codes := w.deads.codes(); codes[messages.CodePostponed] != 20 || len(codes) != 1 {
			t.Errorf("dead: %v", codes)
		}
		if got := w.results.results(t); len(got) > 0 {
			t.Errorf("results: %v", got)
		}
		r.stop()
		r.wait(t)
	})
}

// One key that always fails is its task's fault, whether other tasks succeed or there are none.
func TestOneBadKey(t *testing.T) {
	for _, others := range []int{0, 1, 60} {
		synctest.Test(t, func(t *testing.T) {
			tasks := manyTasks(1 + others)
			w := newWorld(t, tasks...)
			w.tasks.maxReceives = 5
			bad := tasks[0].Frame.File()
			w.bucket.fail = func(_ context.Context, op string, keys ...string) error {
				if op == "CopyObject" && slices.ContainsFunc(keys, func(k string) bool { return strings.HasSuffix(k, bad) }) {
					return s3Error(op, bucket.CodeInternal, 500)
				}
				return nil
			}
			cfg := w.config()
			cfg.ExitWhenIdle = 2 * time.Minute
			runWorker(t, cfg).wait(t)
			if codes := w.deads.codes(); codes[bucket.CodeInternal] != 1 || len(codes) != 1 {
				t.Errorf("beside %d others: dead %v", others, codes)
			}
		})
	}
}

// An outage of a kind of request that no task makes any more does not keep the worker from the
// others.
func TestOutageEndsBySilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outage
		begun := time.Now()
		for i := range 3 {
			d := &delivery{}
			d.task.Seq = uint32(i)
			o.record(time.Now(), headObject, s3Error("HeadObject", bucket.CodeInternal, 500), d)
			after(300 * time.Millisecond)
		}
		if !o.any(time.Now()) || !o.lasts(time.Now(), headObject) || o.lasts(time.Now(), copyObject) {
			t.Error("three tasks have failed for 0.9 s, which is an outage of this kind of request")
		}
		after(outageEnds)
		if o.any(time.Now()) {
			t.Errorf("it lasts after %s", time.Since(begun))
		}
	})
}
