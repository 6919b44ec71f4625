package worker

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// While receives fail the worker goes on trying, and it comes to its work when they succeed again.
func TestReceiveFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, taskOf(1, messages.Copy))
		begun := time.Now()
		w.tasks.fail = func(op string) error {
			if op == "ReceiveMessage" && time.Since(begun) < time.Minute {
				return errors.New("no network")
			}
			return nil
		}
		r := runWorker(t, w.config())
		after(2 * time.Minute)
		if n := r.Stats().Requests["ReceiveMessage"]; len(w.results.results(t)) != 1 || n > 60 {
			t.Errorf("%d results after %d receives", len(w.results.results(t)), n)
		}
		r.stop()
		r.wait(t)
	})
}

// While deletes of messages fail the tasks are applied once more at most, and nothing is lost.
func TestAcknowledgementFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, manyTasks(100)...)
		begun := time.Now()
		w.tasks.fail = func(op string) error {
			if op == "DeleteMessageBatch" && time.Since(begun) < 30*time.Second {
				return errors.New("no network")
			}
			return nil
		}
		r := runWorker(t, w.config())
		after(3 * time.Minute)
		if left, _ := w.tasks.left(); left != 0 {
			t.Errorf("%d messages left", left)
		}
		r.stop()
		r.wait(t)
	})
}

// A whole run against a bucket and queues that fail at random ends with every task reported done,
// and the bucket as wanted.
func TestRunThroughErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 400
		w := newWorld(t, manyTasks(n)...)
		w.tasks.maxReceives = 1000
		var draws atomic.Int64
		unlucky := func() bool { return draws.Add(1)%7 == 0 }
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if unlucky() {
				return s3Error(op, []string{bucket.CodeSlowDown, bucket.CodeInternal, bucket.CodeTransport}[int(draws.Load())%3], 0)
			}
			return nil
		}
		w.tasks.fail = func(string) error {
			if unlucky() {
				return errors.New("no network")
			}
			return nil
		}
		w.results.fail = w.tasks.fail
		cfg := w.config()
		cfg.ExitWhenIdle = 3 * time.Minute
		r := runWorker(t, cfg)
		r.wait(t)
		done := map[uint32]bool{}
		for _, res := range w.results.results(t) {
			done[res.Seq] = done[res.Seq] || res.Outcome.IsDone()
		}
		if len(done) != n {
			t.Errorf("%d of %d done", len(done), n)
		}
		images := w.bucket.images()
		want := maps.Clone(images)
		for _, task := range manyTasks(n) {
			for _, key := range task.Del {
				delete(want, key)
			}
			if task.Dst != "" {
				want[task.Dst] = body(int(task.Seq))
			}
		}
		if !maps.Equal(images, want) {
			t.Error("the bucket is not as the tasks want it")
		}
	})
}

// A queue that does not exist is the one error of Run.
func TestRunWithoutQueue(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.Tasks = noQueue{w.tasks}
	if err := New(cfg).Run(t.Context()); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

type noQueue struct{ Tasks }

func (noQueue) GetQueueAttributes(context.Context) (queue.Attributes, error) {
	return queue.Attributes{}, queue.ErrNotFound
}
