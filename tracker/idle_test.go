package tracker_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/tracker"
)

// counted is a queue that counts receives, and that waits a second at least for a message, as
// package sqsqueue does.
type counted struct {
	*memQueue
	mu       sync.Mutex
	receives int
}

func (q *counted) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	q.mu.Lock()
	q.receives++
	q.mu.Unlock()
	return q.memQueue.ReceiveMessage(ctx, most, max(wait, time.Second))
}

func (q *counted) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.receives
}

// readCounter counts the objects that are read from a bucket.
type readCounter struct {
	state.Bucket
	n atomic.Int64
}

func (c *readCounter) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	c.n.Add(1)
	return c.Bucket.GetObject(ctx, key, ifNoneMatch)
}

// idle is a tracker that has seen a run end, and waits for the next one.
func (w *world) idle() (tr *tracker.Tracker, results, deadLetters *counted) {
	w.published(runName(1), 1, 3)
	w.work(nil)
	w.run(w.tracker())
	tr = w.tracker()
	tr.Options.UntilDone = false
	results, deadLetters = &counted{memQueue: w.results}, &counted{memQueue: w.deadLetters}
	tr.Results, tr.DeadLetters = results, deadLetters
	return tr, results, deadLetters
}

// follow runs the tracker until the test stops it.
func follow(t *testing.T, tr *tracker.Tracker) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = tr.Run(ctx)
	}()
	return func() { cancel(); <-done }
}

// A tracker that idles asks each queue and the pointer every five seconds: before, as often, and a
// month costs 1.04 million receives and half as many reads of the pointer.
func TestIdleRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tr, results, deadLetters := w.idle()
		reads := &readCounter{Bucket: w.bucket}
		tr.Store = &state.Store{Bucket: reads, Layout: layout}
		stop := follow(t, tr)
		<-time.After(time.Hour)
		stop()
		const month = 30 * 24
		perMonth := (results.count() + deadLetters.count()) * month
		if perMonth > 1_040_000 || results.count() < 300 {
			t.Errorf("%d receives an hour from the results queue and %d from the dead-letter queue: %d a month", results.count(), deadLetters.count(), perMonth)
		}
		if n := int(reads.n.Load()) * month; n > 540_000 {
			t.Errorf("%d reads from the bucket a month", n)
		}
	})
}

// The first result of a run is in the ledger within a second, at whatever moment of its waits an
// idle tracker is, and the run ends at once when all have come.
func TestFirstResult(t *testing.T) {
	for moment := range 12 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			tr, _, _ := w.idle()
			stop := follow(t, tr)
			defer stop()
			<-time.After(time.Minute + time.Duration(moment)*450*time.Millisecond)
			plan := w.published(runName(2), 2, 12)
			begun := time.Now()
			w.work(nil)
			<-time.After(time.Second)
			if done := w.done(plan.Run); done != 12 {
				t.Errorf("moment %d: %d of 12 results are counted after a second", moment, done)
			}
			for w.pointer().State != state.Succeeded && time.Since(begun) < time.Minute {
				<-time.After(100 * time.Millisecond)
			}
			if took := time.Since(begun); took > 1500*time.Millisecond {
				t.Errorf("moment %d: the run ended after %v", moment, took)
			}
		})
	}
}

// Results that come before the planner has reported that all tasks are sent do not delay the end of
// the run.
func TestResultsBeforeThePublicationEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tr, _, _ := w.idle()
		stop := follow(t, tr)
		defer stop()
		_, pointer := w.plan(runName(2), 2, 12)
		tasks, err := w.store.ReadTasks(t.Context(), pointer.Run, 0)
		w.must(err)
		for _, task := range tasks {
			w.report(task, *w.apply(task))
		}
		<-time.After(3 * time.Second)
		pointer, err = state.Publish(t.Context(), w.store, pointer, w.tasks)
		w.must(err)
		<-time.After(500 * time.Millisecond)
		if got := w.pointer(); got.State != state.Succeeded || got.Run != pointer.Run {
			t.Errorf("run %s is %s", got.Run, got.State)
		}
	})
}
