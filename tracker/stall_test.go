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

const publishedAgain = "no result has come for long and the queue is empty: publishing the open tasks again"

// The tasks queue is purged in the middle of a run.
func TestPurgedTasksArePublishedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		begun := time.Now()
		w.published(runName(1), 1, 40)
		kept := w.tasks.messages[30:]
		w.tasks.messages = w.tasks.messages[:30]
		first, err := messages.ParseTask(w.tasks.messages[0].Body) // they were sent in no order
		w.must(err)
		w.work(onlySeqs(dead("AccessDenied"), first.Seq))
		w.tasks.messages = kept
		w.tasks.purge()
		w.hire()
		status := w.run(w.tracker())
		if status.Done != 39 || status.Dead != 1 || w.tasks.sent != 40+10 {
			t.Fatalf("%+v, %d tasks sent", status, w.tasks.sent)
		}
		if lines := w.logs.FilterMessage(publishedAgain).All(); len(lines) != 1 || lines[0].ContextMap()["tasks"] != uint64(10) {
			t.Errorf("log: %v", lines)
		}
		if took := status.Finished.Sub(begun); took < tracker.DefaultStall || took > tracker.DefaultStall+time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

// No worker receives, or every task fails: the tracker warns once, and waits.
func TestNoWorkerTakesTheTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 40)
		// Between two looks at the queue.
		time.AfterFunc(3*tracker.DefaultStall+500*time.Millisecond, w.hire)
		if status := w.run(w.tracker()); status.State != state.Succeeded || w.tasks.sent != 40 {
			t.Fatalf("%+v, %d tasks sent", status, w.tasks.sent)
		}
		lines := w.logs.FilterMessageSnippet("the queue holds tasks").All()
		if len(lines) != 1 || lines[0].ContextMap()["waiting"] != int64(40) {
			t.Errorf("log: %v", lines)
		}
	})
}

// The results queue is purged: the tasks are done, but no result is left.
func TestPurgedResultsAreToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 40)
		w.work(nil)
		w.results.messages = w.results.messages[:1]
		w.hire()
		if status := w.run(w.tracker()); status.State != state.Succeeded || status.Done != 40 || w.tasks.sent != 40+30 {
			t.Errorf("%+v, %d tasks sent", status, w.tasks.sent)
		}
	})
}

// It happens again and again.
func TestPurgesInEveryRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 20)
		w.tasks.purge()
		tr := w.tracker()
		tr.Options.Stall = time.Minute
		done := w.start(tr)
		for range 3 {
			<-time.After(70 * time.Second)
			if w.tasks.len() != 20 {
				t.Fatalf("%d tasks on the queue", w.tasks.len())
			}
			w.tasks.purge()
		}
		w.hire()
		if status := <-done; status.State != state.Succeeded {
			t.Errorf("%+v", status)
		}
	})
}

// Without workers for hours, a queue that shows tasks is left alone.
func TestTasksOnTheQueueAreNotPublishedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 20)
		_, err := w.tasks.ReceiveMessage(t.Context(), 10, 0)
		w.must(err)
		w.tasks.messages = w.tasks.messages[:10] // in flight only, until its visibility ends
		w.tasks.messages[0].visible = time.Now().Add(5 * time.Hour)
		done := w.start(w.tracker())
		<-time.After(4 * time.Hour)
		if w.tasks.sent != 20 {
			t.Errorf("%d tasks sent", w.tasks.sent)
		}
		w.hire()
		if status := <-done; status.State != state.Succeeded {
			t.Errorf("%+v", status)
		}
	})
}

func TestTwoTrackersPublishOnceAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 20)
		w.tasks.purge()
		first, second := w.start(w.tracker()), w.start(w.tracker())
		<-time.After(tracker.DefaultStall + time.Minute)
		if w.tasks.sent != 40 {
			t.Errorf("%d tasks sent, want 20 twice", w.tasks.sent)
		}
		w.hire()
		for _, done := range []<-chan state.Status{first, second} {
			if status := <-done; status.State != state.Succeeded {
				t.Errorf("%+v", status)
			}
		}
	})
}

// The tasks were only late: the older publication and the newer one are both delivered.
func TestLateTasksChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 20)
		late := w.tasks.messages
		w.tasks.purge()
		done := w.start(w.tracker())
		<-time.After(tracker.DefaultStall + time.Minute)
		w.tasks.mu.Lock()
		w.tasks.messages = append(w.tasks.messages, late...)
		w.tasks.mu.Unlock()
		w.work(onlySeqs(dead("AccessDenied"), 3)) // in both rounds
		if status := <-done; status.Done != 19 || status.Dead != 1 {
			t.Errorf("%+v", status)
		}
		list, err := w.tracker().DeadList(t.Context(), "")
		if err != nil || len(list) != 1 || list[0].Round != 1 || list[0].Code != "AccessDenied" {
			t.Errorf("dead list %+v, %v", list, err)
		}
	})
}

// Everything that came before a stall counts for the time to the next.
func TestResultsPutTheStallOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 6)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.tasks.purge() // a worker has the messages in flight
		done := w.start(w.tracker())
		for _, task := range tasks {
			<-time.After(tracker.DefaultStall - time.Minute)
			w.report(task, messages.Result{Seq: task.Seq, Outcome: messages.Copied, ETag: w.apply(task).ETag})
		}
		if status := <-done; status.State != state.Succeeded || w.tasks.sent != 6 {
			t.Errorf("%+v, %d tasks sent", status, w.tasks.sent)
		}
	})
}

// The queue has just moved a task to the dead-letter queue, which no result tells of, when the run
// seems stalled: the task is dead, and not published again.
func TestStalledByALetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 40)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.tasks.purge()
		for _, task := range tasks[1:] {
			w.report(task, *w.apply(task))
		}
		time.AfterFunc(1900*time.Millisecond, func() { w.sendDeadLetter(tasks[0], dead("AccessDenied")(tasks[0])) })
		w.hire()
		tr := w.tracker()
		tr.Options.Stall = 1500 * time.Millisecond
		if status := w.run(tr); status.Dead != 1 || status.Done != 39 || w.tasks.sent != 40 {
			t.Errorf("%+v, %d tasks sent, expected 40, one of which is dead", status, w.tasks.sent)
		}
	})
}

// The tasks are purged, and their chunk, from which they would be published again, is damaged: the
// run ends with the name of the chunk.
func TestPurgedTasksAndADamagedChunk(t *testing.T) {
	for how, damage := range damages {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.published(runName(1), 1, 20)
			w.tasks.purge()
			w.damage(state.RunName(runName(1), "tasks-00000.jsonl.zst"), damage)
			ctx, stop := context.WithTimeout(t.Context(), 2*time.Hour)
			defer stop()
			status, err := w.tracker().Run(ctx)
			if err != nil || status.State != state.Failed || !strings.Contains(status.Reason, "tasks-00000") || !strings.Contains(status.Reason, "shuffle plan") {
				t.Errorf("%s: %s, %v: %s", how, status.State, err, status.Reason)
			}
		})
	}
}
