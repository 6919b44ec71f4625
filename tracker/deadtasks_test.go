package tracker_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

func TestDeadTaskThenRedrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 12)
		w.work(onlySeqs(dead("AccessDenied"), 3, 7))
		status := w.run(w.tracker())
		if status.State != state.Failed || status.Dead != 2 || status.Differences != 2 || status.Reason != "2 tasks are dead: see shuffle dead "+runName(1)+"; then shuffle redrive "+runName(1) {
			t.Fatalf("status %+v", status)
		}
		list, err := w.tracker().DeadList(t.Context(), "")
		if err != nil || len(list) != 2 || list[0].Task.Seq != 3 || list[0].Code != "AccessDenied" || list[0].Worker != "w1" || list[0].Task.Frame == "" {
			t.Fatalf("dead list %+v: %v", list, err)
		}
		if w.exists(state.LatestName) {
			t.Error("a version of a failed run")
		}
		csv, err := w.store.Read(t.Context(), state.RunName(runName(1), state.TasksName))
		if err != nil || strings.Count(string(csv.Body), "\n") != 3 || !strings.Contains(string(csv.Body), "3,copy,TT_S01_E01_FRM-00-00-00-03,dead,1,AccessDenied,refused by AccessDenied,") {
			t.Errorf("tasks.csv %s: %v", csv.Body, err)
		}
		n, err := w.tracker().Redrive(t.Context(), runName(1), nil)
		if err != nil || n != 2 {
			t.Fatalf("redrive: %d, %v", n, err)
		}
		w.work(nil)
		// A dead report of the first round that comes late must not count any more.
		w.report(list[0].Task, messages.Result{Seq: 3, Outcome: messages.Dead, Attempts: 1})
		if status := w.run(w.tracker()); status.State != state.Succeeded || status.Done != 12 || status.Dead != 0 {
			t.Fatalf("after the redrive: %+v", status)
		}
		if list, err := w.tracker().DeadList(t.Context(), runName(1)); err != nil || len(list) != 0 {
			t.Errorf("dead list %+v: %v", list, err)
		}
		if _, err := w.tracker().Redrive(t.Context(), runName(1), nil); err == nil {
			t.Error("a redrive of a run that has succeeded")
		}
	})
}

func TestRedriveIsHealedByRunningItAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 12)
		w.work(onlySeqs(dead("AccessDenied"), 3))
		w.run(w.tracker())
		broken := w.tracker()
		broken.Tasks = brokenTasks{w.tasks}
		if _, err := broken.Redrive(t.Context(), runName(1), nil); err == nil {
			t.Fatal("no error")
		}
		if p := w.pointer(); p.State != state.Running || p.Reason != "" || !p.Finished.IsZero() {
			t.Fatalf("pointer %+v", p)
		}
		if n, err := w.tracker().Redrive(t.Context(), runName(1), []uint32{3, 4}); err != nil || n != 1 {
			t.Fatalf("redrive again: %d, %v", n, err)
		}
		w.work(nil)
		if status := w.run(w.tracker()); status.State != state.Succeeded {
			t.Fatalf("%+v", status)
		}
	})
}

type brokenTasks struct{ *memQueue }

func (brokenTasks) SendMessageBatch(context.Context, []queue.Entry) ([]queue.Failure, error) {
	return nil, queue.ErrNotFound
}

func TestTooManyDeadHalt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 100)
		n := 0
		w.work(func(task messages.Task) *messages.Result {
			if n++; n > 30 {
				return &messages.Result{Seq: task.Seq, Outcome: messages.Superseded}
			}
			return dead([]string{"AccessDenied", "AccessDenied", "NoSuchKey"}[n%3])(task)
		})
		// Only what came before the halt is on the queue now; the rest comes after it, as
		// superseded.
		rest := w.results.messages[4:]
		w.results.messages = w.results.messages[:4]
		status := w.run(w.tracker())
		if status.State != state.Failed || status.Dead != 30 || status.Differences != 0 {
			t.Fatalf("status %+v", status)
		}
		for _, want := range []string{"halted: 30 of 100", "1%", "AccessDenied (20)", "shuffle dead " + runName(1), "shuffle plan, which does without the source images that are gone"} {
			if !strings.Contains(status.Reason, want) {
				t.Errorf("no %q in %s", want, status.Reason)
			}
		}
		if r := w.readReport(runName(1)); r.Verified || r.DeadCodes["AccessDenied"] != 20 {
			t.Errorf("report %+v", r)
		}
		w.results.messages = rest
		if status := w.run(w.tracker()); status.Outcomes[messages.Superseded] != 70 {
			t.Errorf("late results: %+v", status)
		}
		if r := w.readReport(runName(1)); r.Outcomes[messages.Superseded] != 70 || w.announced() != 1 {
			t.Errorf("report %+v, announced %d times", r.Status, w.announced())
		}
		if n, err := w.tracker().Redrive(t.Context(), runName(1), nil); n != 100 || err != nil {
			t.Fatalf("redrive %d, %v", n, err)
		}
		w.work(nil)
		if status := w.run(w.tracker()); status.State != state.Succeeded {
			t.Errorf("after the redrive: %+v", status)
		}
	})
}

func TestFewDeadDoNotHalt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 30)
		w.work(func(task messages.Task) *messages.Result {
			if task.Seq < 20 {
				return dead("AccessDenied")(task)
			}
			return nil
		})
		if status := w.run(w.tracker()); !strings.HasPrefix(status.Reason, "20 tasks are dead") {
			t.Errorf("%+v", status)
		}
	})
}
