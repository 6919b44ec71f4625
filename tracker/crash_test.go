package tracker_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/tracker"
)

// crash ends a process at its n-th request that changes something: before it is carried out, or
// after, with the answer lost. All later requests fail.
type crash struct {
	at    int
	after bool

	mu   sync.Mutex
	seen int
	kill context.CancelFunc
}

var errCrashed = errors.New("the process is dead")

// do carries out one request.
func (c *crash) do(request func() error) error {
	c.mu.Lock()
	c.seen++
	n := c.seen
	c.mu.Unlock()
	if n < c.at {
		return request()
	}
	if n == c.at && c.after {
		_ = request() // it was carried out, and its answer is lost
	}
	c.kill()
	return errCrashed
}

func (c *crash) happened() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen >= c.at
}

type crashBucket struct {
	*memBucket
	*crash
}

func (b crashBucket) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (etag string, err error) {
	err = b.do(func() error {
		etag, err = b.memBucket.PutObject(ctx, key, body, cond)
		return err
	})
	return etag, err
}

func (b crashBucket) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

func (b crashBucket) GetObject(ctx context.Context, key, known string) (bucket.Content, error) {
	if b.happened() {
		return bucket.Content{}, errCrashed
	}
	return b.memBucket.GetObject(ctx, key, known)
}

type crashQueue struct {
	*memQueue
	*crash
}

func (q crashQueue) SendMessageBatch(ctx context.Context, entries []queue.Entry) (failed []queue.Failure, err error) {
	err = q.do(func() error {
		failed, err = q.memQueue.SendMessageBatch(ctx, entries)
		return err
	})
	return failed, err
}

func (q crashQueue) DeleteMessageBatch(ctx context.Context, receipts []string) (failed []queue.Failure, err error) {
	err = q.do(func() error {
		failed, err = q.memQueue.DeleteMessageBatch(ctx, receipts)
		return err
	})
	return failed, err
}

func (q crashQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) (got []queue.Message, err error) {
	if q.happened() {
		return nil, errCrashed
	}
	return q.memQueue.ReceiveMessage(ctx, most, wait)
}

// doomed is a tracker that crashes.
func (w *world) doomed(c *crash) *tracker.Tracker {
	tr := w.tracker()
	tr.Store = &state.Store{Bucket: crashBucket{w.bucket, c}, Layout: layout}
	tr.Results, tr.DeadLetters, tr.Tasks = crashQueue{w.results, c}, crashQueue{w.deadLetters, c}, crashQueue{w.tasks, c}
	return tr
}

// crashEverywhere runs a scenario with a crash at the first change, the second, and so on, before
// and after it, until the process gets through. Another tracker goes on after the crash, and a
// third receives what the first had in flight.
func crashEverywhere(t *testing.T, prepare func(*world), end func(*world)) {
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			through := false
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				prepare(w)
				ctx, kill := context.WithCancel(t.Context())
				defer kill()
				c := &crash{at: at, after: after, kill: kill}
				_, err := w.doomed(c).Run(ctx)
				if through = !c.happened(); !through && err == nil {
					t.Fatalf("crash %d (after: %v): the tracker did not notice", at, after)
				}
				w.run(w.tracker())
				<-time.After(w.results.visibility)
				w.run(w.tracker())
				end(w)
			})
			if t.Failed() {
				t.Fatalf("crash %d, after: %v", at, after)
			}
			if through {
				if at < 8 {
					t.Errorf("only %d changes in the whole run", at-1)
				}
				break
			}
		}
	}
}

func TestCrashAnywhereEndsTheSame(t *testing.T) {
	crashEverywhere(t, func(w *world) {
		plan := w.published(runName(1), 1, 25)
		tasks, err := w.store.ReadTasks(context.Background(), plan.Run, 0)
		w.must(err)
		w.bucket.put(tasks[9].Src, "newer image")
		w.work(nil)
		w.report(tasks[0], messages.Result{Seq: 0, Outcome: messages.Superseded}) // an old delivery
		w.must(queue.SendAll(context.Background(), w.results, []queue.Entry{{Body: "no results"}}))
	}, func(w *world) {
		status, err := state.ReadStatus(context.Background(), w.store, "")
		w.must(err)
		v, err := w.store.LatestVersion(context.Background())
		w.must(err)
		all, err := versiontest.Rows(context.Background(), w.store, v)
		w.must(err)
		rows := len(all)
		r := w.readReport(runName(1))
		if status.State != state.Succeeded || status.Done != 25 || v.Frames != 25 || rows != 25 || !r.Verified || r.Unreadable != 1 {
			w.t.Errorf("%+v, version %+v with %d rows, report %+v", status, v, rows, r.Status)
		}
		if w.results.len() != 0 {
			w.t.Errorf("%d results left", w.results.len())
		}
	})
}

func TestCrashAnywhereKeepsTheDeadList(t *testing.T) {
	crashEverywhere(t, func(w *world) {
		w.published(runName(1), 1, 12)
		w.work(onlySeqs(dead("AccessDenied"), 2, 5))
	}, func(w *world) {
		status, err := state.ReadStatus(context.Background(), w.store, "")
		w.must(err)
		list, err := w.tracker().DeadList(context.Background(), "")
		w.must(err)
		if status.State != state.Failed || status.Dead != 2 || len(list) != 2 || list[1].Reason != "refused by AccessDenied" {
			w.t.Errorf("%+v, dead %+v", status, list)
		}
		if r := w.readReport(runName(1)); r.Dead != 2 || r.DeadCodes["AccessDenied"] != 2 || !r.Verified {
			w.t.Errorf("report %+v", r)
		}
		if w.deadLetters.len() != 0 {
			w.t.Error("the dead-letter queue is not empty")
		}
	})
}

// A version that one tracker has begun is finished as it was begun, also when something else is
// in the datasets by then.
func TestVersionIsOfOneListing(t *testing.T) {
	crashEverywhere(t, func(w *world) {
		w.published(runName(1), 1, 12)
		w.work(nil)
	}, func(w *world) {
		v, err := w.store.LatestVersion(context.Background())
		w.must(err)
		orphan := dataset.FrameAt("S09E09", 1)
		w.bucket.put(layout.Key(place(orphan), orphan), "orphan")
		w.point(state.Pointer{Run: runName(1), Generation: 1, State: state.Verifying, Tasks: 12})
		if status := w.run(w.tracker()); status.State != state.Succeeded {
			w.t.Errorf("%+v", status)
		}
		again, err := w.store.LatestVersion(context.Background())
		w.must(err)
		if again.Frames != 12 || !again.Created.Equal(v.Created) {
			w.t.Errorf("version %+v, then %+v", v, again)
		}
	})
}

func TestCrashAnywhereWhileFinishingAPublication(t *testing.T) {
	crashEverywhere(t, func(w *world) {
		w.plan(runName(1), 1, 25)
		w.hire()
	}, func(w *world) {
		status, err := state.ReadStatus(context.Background(), w.store, "")
		w.must(err)
		if status.State != state.Succeeded || status.Done != 25 {
			w.t.Errorf("%+v", status)
		}
		if r := w.readReport(runName(1)); !r.Verified || r.Version != 1 {
			w.t.Errorf("report %+v", r.Status)
		}
	})
}

func TestTwoTrackersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.results.visibility, w.deadLetters.visibility = 2*time.Second, 2*time.Second
		plan := w.published(runName(1), 1, 200)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		var g errgroup.Group
		for range 2 {
			g.Go(func() error {
				status, err := w.tracker().Run(t.Context())
				if err == nil && (status.State != state.Failed || status.Done != 199 || status.Dead != 1) {
					t.Errorf("%+v", status)
				}
				return err
			})
		}
		for i, task := range tasks {
			r := w.apply(task)
			if i == 77 {
				w.bucket.remove(task.Dst)
				r = dead("AccessDenied")(task)
				w.sendDeadLetter(task, r)
			}
			w.report(task, *r)
			if i%3 == 0 {
				w.report(task, *r) // twice
			}
			<-time.After(30 * time.Millisecond)
		}
		w.must(g.Wait())
		if w.announced() != 1 {
			t.Errorf("the end was announced %d times", w.announced())
		}
		if list, err := w.tracker().DeadList(t.Context(), ""); len(list) != 1 || err != nil {
			t.Errorf("%v, %v", list, err)
		}
	})
}
