package tracker_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/messages"
)

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 12)
		done := w.start(w.tracker())
		<-time.After(time.Minute)
		status, err := w.tracker().Cancel(t.Context(), plan.Run)
		if err != nil || status.State != state.Cancelled || status.Finished == nil || !strings.Contains(status.Reason, "shuffle plan begins a new run") {
			t.Fatalf("%+v, %v", status, err)
		}
		if status := <-done; status.State != state.Cancelled {
			t.Errorf("the tracker: %+v", status)
		}
		if r := w.readReport(plan.Run); r.State != state.Cancelled || r.Verified || w.announced() != 1 {
			t.Errorf("report %+v, announced %d times", r.Status, w.announced())
		}
		if w.exists(state.LatestName) {
			t.Error("a version of a cancelled run")
		}
		// What was in the workers' hands comes in after the end, and is counted.
		n := 0
		w.work(func(task messages.Task) *messages.Result {
			if n++; n > 2 {
				return &messages.Result{Seq: task.Seq, Outcome: messages.Superseded}
			}
			return nil
		})
		if status := w.run(w.tracker()); status.State != state.Cancelled || status.Done != 2 || status.Outcomes[messages.Superseded] != 10 {
			t.Errorf("late results: %+v", status)
		}
		if r := w.readReport(plan.Run); r.Done != 2 || w.announced() != 1 {
			t.Errorf("report %+v, announced %d times", r.Status, w.announced())
		}
		if _, err := w.tracker().Cancel(t.Context(), plan.Run); err == nil || !strings.Contains(err.Error(), "has ended already: cancelled") {
			t.Errorf("cancelled again: %v", err)
		}
	})
}

func TestCancelInEveryState(t *testing.T) {
	for _, s := range []state.State{state.Planning, state.Publishing, state.Running, state.Verifying, state.Review, state.Succeeded, state.Failed, state.Cancelled} {
		t.Run(string(s), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.point(state.Pointer{Run: runName(1), Generation: 1, State: s})
				status, err := w.tracker().Cancel(t.Context(), runName(1))
				stops := s.Active() || s == state.Review
				if stops != (err == nil) || stops && status.State != state.Cancelled {
					t.Errorf("%+v, %v", status, err)
				}
				if p := w.pointer(); stops && p.State != state.Cancelled || !stops && p.State != s {
					t.Errorf("pointer %+v", p)
				}
			})
		})
	}
}

func TestCancelRefusesOtherRuns(t *testing.T) {
	w := newWorld(t)
	if _, err := w.tracker().Cancel(t.Context(), runName(1)); !errors.Is(err, state.ErrNoRun) {
		t.Errorf("no run: %v", err)
	}
	w.point(state.Pointer{Run: runName(2), Generation: 2, State: state.Running})
	if _, err := w.tracker().Cancel(t.Context(), runName(1)); err == nil || !strings.Contains(err.Error(), "the newest is "+runName(2)) {
		t.Errorf("an earlier run: %v", err)
	}
	if p := w.pointer(); p.State != state.Running {
		t.Errorf("pointer %+v", p)
	}
}

// beforePut calls do once, before an object is written.
type beforePut struct {
	*memBucket
	name string
	do   func()
}

func (b *beforePut) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	if do := b.do; do != nil && strings.HasSuffix(key, b.name) {
		b.do = nil
		do()
	}
	return b.memBucket.PutObject(ctx, key, body, cond)
}

func (b *beforePut) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

// The run goes on between the look at the pointer and its change: the cancel looks again.
func TestCancelOfARunThatGoesOn(t *testing.T) {
	for next, want := range map[state.State]state.State{state.Running: state.Cancelled, state.Failed: state.Failed} {
		t.Run(string(next), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				_, pointer := w.plan(runName(1), 1, 3)
				tr := w.tracker()
				tr.Store = &state.Store{Layout: layout, Bucket: &beforePut{w.bucket, "/current.json", func() {
					p := pointer.Pointer
					p.State = next
					w.point(p)
				}}}
				_, err := tr.Cancel(t.Context(), runName(1))
				if p := w.pointer(); p.State != want || (err == nil) != (want == state.Cancelled) {
					t.Errorf("pointer %+v, error %v; want %s", p, err, want)
				}
			})
		})
	}
}

// A planner that publishes sees that its run was cancelled, and stops.
func TestCancelStopsThePublication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, pointer := w.plan(runName(1), 1, 3)
		if _, err := w.tracker().Cancel(t.Context(), runName(1)); err != nil {
			t.Fatal(err)
		}
		if _, err := state.Publish(t.Context(), w.store, pointer, w.tasks); !errors.Is(err, state.ErrConflict) {
			t.Errorf("error %v", err)
		}
		if p := w.pointer(); p.State != state.Cancelled {
			t.Errorf("pointer %+v", p)
		}
	})
}
