package tracker_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/tracker"
)

// beat changes the pointer's heartbeat as a planner does, every half of the time in which it must.
func (w *world) beat(times int) {
	for range times {
		<-time.After(tracker.DefaultStall / 2)
		p := w.pointer()
		p.Heartbeat++
		w.point(p)
	}
}

func TestRunLeftInPlanningFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		begun := time.Now()
		w.point(state.Pointer{Run: runName(1), Generation: 1, State: state.Planning, Started: begun.UTC()})
		go w.beat(7)
		status := w.run(w.tracker())
		if status.State != state.Failed || !strings.Contains(status.Reason, "the planner died while planning; run shuffle plan again") {
			t.Fatalf("%+v", status)
		}
		// 7 beats put the end off; from the last one on, the time counts.
		if took, want := status.Finished.Sub(begun), 9*tracker.DefaultStall/2; took < want || took > want+10*time.Second {
			t.Errorf("ended after %s, want %s", took, want)
		}
		if r := w.readReport(runName(1)); r.State != state.Failed || r.Verified || w.announced() != 1 {
			t.Errorf("report %+v, announced %d times", r.Status, w.announced())
		}
	})
}

// A planner that dies has sent some chunks whole: the tracker sends the others, and nothing twice.
func TestRunLeftInPublishingIsPublishedToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks = state.ChunkTasks + 3
		w := newWorld(t)
		w.bucket.maxKeys = 1000
		begun := time.Now()
		plan, pointer := w.plan(runName(1), 1, tasks)
		first, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.must(state.SendTasks(t.Context(), w.tasks, first))
		p := pointer.Pointer
		p.Published = 1
		w.point(p)
		w.hire()
		status := w.run(w.tracker())
		if status.State != state.Succeeded || status.Done != tasks {
			t.Fatalf("%+v", status)
		}
		if w.tasks.sent != tasks {
			t.Errorf("%d tasks sent, want %d", w.tasks.sent, tasks)
		}
		if took := status.Finished.Sub(begun); took < tracker.DefaultStall {
			t.Errorf("taken over after %s", took)
		}
		if p := w.pointer(); p.Published != 2 {
			t.Errorf("pointer %+v", p)
		}
	})
}

// While the planner publishes, its heartbeat keeps the tracker from doing so too.
func TestRunBeingPublishedIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.plan(runName(1), 1, 25)
		done := w.start(w.tracker())
		w.beat(5)
		if w.tasks.sent != 0 {
			t.Errorf("%d tasks sent", w.tasks.sent)
		}
		pointer, err := w.store.Current(t.Context(), state.PointerSnapshot{})
		w.must(err)
		_, err = state.Publish(t.Context(), w.store, pointer, w.tasks)
		w.must(err)
		w.work(nil)
		if status := <-done; status.State != state.Succeeded || w.tasks.sent != 25 {
			t.Errorf("%+v, %d tasks sent", status, w.tasks.sent)
		}
	})
}

// All was sent, and the planner died before it could report it: the results are proof enough.
func TestRunPublishedByADeadPlannerIsVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		begun := time.Now()
		plan, _ := w.plan(runName(1), 1, 25)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.must(state.SendTasks(t.Context(), w.tasks, tasks))
		w.work(nil)
		status := w.run(w.tracker())
		if status.State != state.Succeeded || w.tasks.sent != 25 || status.Finished.Sub(begun) >= tracker.DefaultStall {
			t.Errorf("%+v, %d tasks sent", status, w.tasks.sent)
		}
	})
}

func TestRunIsHaltedWhileItIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan, pointer := w.plan(runName(1), 1, 60)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.must(state.SendTasks(t.Context(), w.tasks, tasks[:30]))
		w.work(dead("AccessDenied"))
		if status := w.run(w.tracker()); status.State != state.Failed || !strings.HasPrefix(status.Reason, "halted: 30 of 60") {
			t.Fatalf("%+v", status)
		}
		// The planner sees that the run has ended, and does not set it running.
		now, err := state.Publish(t.Context(), w.store, pointer, w.tasks)
		if err != nil || now.State != state.Failed || w.pointer().State != state.Failed {
			t.Errorf("publisher: %+v, %v; pointer %+v", now.Pointer, err, w.pointer())
		}
	})
}

func TestEmptyRunLeftInPublishingIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.plan(runName(1), 1, 0)
		if status := w.run(w.tracker()); status.State != state.Succeeded {
			t.Errorf("%+v", status)
		}
	})
}

// A tracker that dies while it verifies: another does so, when it has waited for the first.
func TestRunLeftInVerifyingIsVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 25)
		w.work(nil)
		c := &crash{at: 4, after: true} // the ledger, two acknowledgements, the pointer
		ctx, kill := context.WithCancel(t.Context())
		c.kill = kill
		if _, err := w.doomed(c).Run(ctx); err == nil {
			t.Fatal("the first tracker got through")
		}
		if p := w.pointer(); p.State != state.Verifying {
			t.Fatalf("pointer %+v", p)
		}
		if status := w.run(w.tracker()); status.State != state.Succeeded || status.Outcomes[messages.Copied] != plan.Tasks {
			t.Errorf("%+v", status)
		}
	})
}

// A run that a newer one has superseded: what its messages report is kept, and the tracker follows
// the newer one.
func TestTrackerFollowsTheNewerRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 12)
		done := w.start(w.tracker())
		<-time.After(time.Minute)
		old := w.tasks
		w.tasks = newMemQueue() // the older tasks are delivered late
		newer := w.published(runName(2), 2, 12)
		late := w.tasks
		w.tasks = old
		w.work(func(task messages.Task) *messages.Result {
			return &messages.Result{Seq: task.Seq, Outcome: messages.Superseded}
		})
		w.tasks = late
		w.work(nil)
		if status := <-done; status.Run != newer.Run || status.State != state.Succeeded {
			t.Errorf("%+v", status)
		}
		status, err := state.ReadStatus(t.Context(), w.store, runName(1))
		if err != nil || status.State != state.Superseded || status.Outcomes[messages.Superseded] != 12 {
			t.Errorf("the older run: %+v, %v", status, err)
		}
	})
}

// A tracker that finds a run in verifying leaves it for five seconds to the one that verifies.
func TestVerifyingIsLeftToItsTracker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		moments["verifying"](w, 1)
		begun := time.Now()
		status := w.run(w.tracker())
		if took := time.Since(begun); status.State != state.Succeeded || took < 5*time.Second || took > 10*time.Second {
			t.Errorf("%s after %v", status.State, took)
		}
	})
}
