package tracker_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/messages"
)

// queued are the tasks on the queue, by seq, which the call leaves there.
func (w *world) queued() []messages.Task {
	w.t.Helper()
	var tasks []messages.Task
	w.tasks.mu.Lock()
	defer w.tasks.mu.Unlock()
	for _, m := range w.tasks.messages {
		task, err := messages.ParseTask(m.Body)
		w.must(err)
		tasks = append(tasks, task)
	}
	slices.SortFunc(tasks, func(a, b messages.Task) int { return int(a.Seq) - int(b.Seq) })
	return tasks
}

func TestRedriveSetsTheRunRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 12)
		w.work(onlySeqs(dead("AccessDenied"), 3, 7))
		w.run(w.tracker())
		ended := w.pointer()
		if ended.State != state.Failed || ended.Finished.IsZero() {
			t.Fatalf("pointer %+v", ended)
		}
		<-time.After(time.Hour)
		if n, err := w.tracker().Redrive(t.Context(), plan.Run, []uint32{7, 11, 7}); n != 1 || err != nil {
			t.Fatalf("redrive: %d, %v", n, err)
		}
		p := w.pointer()
		if p.State != state.Running || p.Reason != "" || !p.Finished.IsZero() || p.Heartbeat == ended.Heartbeat || p.Started != ended.Started || p.Tasks != 12 {
			t.Errorf("pointer %+v after %+v", p, ended)
		}
		planned, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		if got := w.queued(); len(got) != 1 || got[0].Seq != 7 || got[0].Round != 1 || !got[0].Same(planned[7]) {
			t.Fatalf("queued %+v", got)
		}
		// Seq 3 is still dead: the run ends as failed by it alone, and a redrive of all takes it.
		w.work(nil)
		if status := w.run(w.tracker()); status.State != state.Failed || status.Dead != 1 || status.Done != 11 {
			t.Fatalf("%+v", status)
		}
		if n, err := w.tracker().Redrive(t.Context(), plan.Run, nil); n != 1 || err != nil {
			t.Fatalf("redrive: %d, %v", n, err)
		}
		if got := w.queued(); len(got) != 1 || got[0].Seq != 3 || got[0].Round != 2 {
			t.Fatalf("queued %+v", got)
		}
		w.work(nil)
		if status := w.run(w.tracker()); status.State != state.Succeeded || w.announced() != 3 {
			t.Errorf("%+v, announced %d times", status, w.announced())
		}
	})
}

// A task that is dead while the others are still at work.
func TestRedriveOfARunningRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 12)
		rest := w.tasks.messages[4:]
		w.tasks.messages = w.tasks.messages[:4]
		early := w.queued()
		w.work(onlySeqs(dead("AccessDenied"), early[2].Seq))
		done := w.start(w.tracker())
		<-time.After(time.Minute)
		if n, err := w.tracker().Redrive(t.Context(), plan.Run, []uint32{early[2].Seq}); n != 1 || err != nil {
			t.Fatalf("redrive: %d, %v", n, err)
		}
		w.tasks.mu.Lock()
		w.tasks.messages = append(w.tasks.messages, rest...)
		w.tasks.mu.Unlock()
		w.work(nil)
		if status := <-done; status.State != state.Succeeded || status.Done != 12 {
			t.Errorf("%+v", status)
		}
	})
}

func TestRedriveRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(w *world)
		run  string
		seqs []uint32
		want string
	}{
		{"no run yet", func(*world) {}, runName(1), nil, "there is no run yet"},
		{"an earlier run", func(w *world) { w.published(runName(2), 2, 3) }, runName(1), nil, "no longer in force; the newest is " + runName(2)},
		{"planning", func(w *world) { w.point(state.Pointer{Run: runName(1), Generation: 1, State: state.Planning}) }, runName(1), nil, "is planning: try again"},
		{"publishing", func(w *world) { w.plan(runName(1), 1, 3) }, runName(1), nil, "is publishing: try again"},
		{"in review", func(w *world) { w.point(state.Pointer{Run: runName(1), Generation: 1, State: state.Review}) }, runName(1), nil, "is review: try again"},
		{"cancelled", func(w *world) {
			w.published(runName(1), 1, 3)
			_, err := w.tracker().Cancel(context.Background(), runName(1))
			w.must(err)
		}, runName(1), nil, "was cancelled: run shuffle plan"},
		{"succeeded", func(w *world) {
			w.published(runName(1), 1, 3)
			w.work(nil)
			w.run(w.tracker())
		}, runName(1), nil, "has succeeded"},
		{"failed in planning", func(w *world) { w.point(state.Pointer{Run: runName(1), Generation: 1, State: state.Failed}) }, runName(1), nil, "has no tasks to publish; run shuffle plan"},
		{"failed in planning, with a plan", func(w *world) {
			_, pointer := w.plan(runName(1), 1, 3)
			failed := pointer.Pointer
			failed.State, failed.Tasks = state.Failed, 0
			w.point(failed)
		}, runName(1), nil, "has no tasks to publish; run shuffle plan"},
		{"failed by a difference", func(w *world) {
			w.published(runName(1), 1, 3)
			w.work(nil)
			w.bucket.put(layout.ML()+"train/Rare/TT_S01_E01_FRM-00-00-09-00.jpg", "a stranger")
			w.run(w.tracker())
		}, runName(1), nil, "no such task that is not done"},
		{"a seq that is done", func(w *world) {
			w.published(runName(1), 1, 3)
			w.work(onlySeqs(dead("AccessDenied"), 1))
			w.run(w.tracker())
		}, runName(1), []uint32{0, 2, 99}, "no such task that is not done"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				test.end(w)
				before, sent := w.pointer(), w.tasks.sent
				n, err := w.tracker().Redrive(t.Context(), test.run, test.seqs)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%d, error %v; want %q", n, err, test.want)
				}
				if w.pointer() != before || w.tasks.sent != sent {
					t.Errorf("pointer %+v, %d tasks sent", w.pointer(), w.tasks.sent-sent)
				}
			})
		})
	}
}

// afterPut calls do once, after an object has been written.
type afterPut struct {
	*memBucket
	name string
	do   func()
}

func (b *afterPut) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	etag, err := b.memBucket.PutObject(ctx, key, body, cond)
	if do := b.do; do != nil && strings.HasSuffix(key, b.name) {
		b.do = nil
		do()
	}
	return etag, err
}

func (b *afterPut) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

// The tracker sets the run verifying between the redrive's round and its change of the pointer: it
// sees the round, and the redrive goes on when it has.
func TestRedriveWhileTheTrackerConcludes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 12)
		w.work(onlySeqs(dead("AccessDenied"), 3))
		w.run(w.tracker())
		p := w.pointer()
		p.State, p.Reason, p.Finished = state.Running, "", time.Time{}
		w.point(p)
		var done <-chan state.Status
		tr := w.tracker()
		tr.Store = &state.Store{Layout: layout, Bucket: &afterPut{w.bucket, state.LedgerName, func() {
			p.State = state.Verifying
			w.point(p)
			done = w.start(w.tracker())
		}}}
		w.hire()
		if n, err := tr.Redrive(t.Context(), plan.Run, nil); n != 1 || err != nil {
			t.Fatalf("redrive: %d, %v", n, err)
		}
		if status := <-done; status.State != state.Succeeded || status.Done != 12 {
			t.Errorf("%+v", status)
		}
	})
}

func TestRedriveOfARunCancelledMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 12)
		w.work(onlySeqs(dead("AccessDenied"), 3))
		p := w.pointer()
		tr := w.tracker()
		tr.Store = &state.Store{Layout: layout, Bucket: &afterPut{w.bucket, state.LedgerName, func() {
			p.State = state.Cancelled
			w.point(p)
		}}}
		if _, err := tr.Redrive(t.Context(), plan.Run, nil); err == nil || !strings.Contains(err.Error(), "was cancelled") {
			t.Errorf("error %v", err)
		}
		if p := w.pointer(); p.State != state.Cancelled || w.tasks.sent != 12 {
			t.Errorf("pointer %+v, %d tasks sent", p, w.tasks.sent)
		}
	})
}

func TestDeadListOfRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 3)
		w.work(onlySeqs(dead("AccessDenied"), 1))
		w.run(w.tracker())
		w.point(state.Pointer{Run: runName(2), Generation: 2, State: state.Planning})
		if list, err := w.tracker().DeadList(t.Context(), ""); err != nil || len(list) != 0 {
			t.Errorf("a run without a plan: %+v, %v", list, err)
		}
		if list, err := w.tracker().DeadList(t.Context(), runName(1)); err != nil || len(list) != 1 {
			t.Errorf("an earlier run: %+v, %v", list, err)
		}
		for _, run := range []string{runName(9), "../" + runName(1)} {
			if _, err := w.tracker().DeadList(t.Context(), run); !errors.Is(err, state.ErrNoRun) {
				t.Errorf("%s: error %v", run, err)
			}
		}
	})
}
