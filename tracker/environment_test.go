package tracker_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// send puts messages on a queue.
func (w *world) send(q *memQueue, entries ...queue.Entry) {
	w.t.Helper()
	w.must(queue.SendAll(context.Background(), q, entries))
}

// foreignTask is a task of another environment, which may have the same name.
func foreignTask(scope string) messages.Task {
	return messages.Task{
		V: 1, Run: "20261123T212443Z-1-stag", Gen: 1, Op: messages.Delete, Frame: "TT_S01_E01_FRM-00-00-00-00",
		Del: []string{"x/ML/train/Rare/TT_S01_E01_FRM-00-00-00-00.jpg"}, Scope: scope,
	}
}

// Messages of another environment are not counted, not acknowledged and not kept as unreadable;
// status names it, and the run ends.
func TestOtherEnvironment(t *testing.T) {
	for _, tc := range []struct{ name, scope, want string }{
		{"of another name", "staging/tt", "staging/tt"}, {"of the same name", "bucket/tt", "bucket/tt"}, {"of an earlier build", "", "unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.store.Scope = "bucket/tt"
				run := w.published(runName(7), 7, 5).Run
				task := foreignTask(tc.scope)
				results := messages.Results{V: 1, Run: task.Run, Gen: 1, Worker: "w9", Scope: tc.scope, Results: []messages.Result{{Outcome: messages.Deleted, Attempts: 1}}}
				for range 12 {
					w.send(w.results, queue.Entry{Body: results.Encode()})
					w.send(w.deadLetters, queue.Entry{Body: task.Encode()})
				}
				w.work(nil)
				s := w.run(w.tracker())
				if s.State != state.Succeeded || s.Done != 5 || s.Unreadable != 0 || s.Run != run {
					t.Errorf("%+v", s)
				}
				if !slices.Equal(s.Environments, []string{tc.want}) {
					t.Errorf("environments %q, want %q", s.Environments, tc.want)
				}
				if w.results.len() != 12 || w.deadLetters.len() != 12 {
					t.Errorf("%d results and %d dead letters of the other are left, want 12 each", w.results.len(), w.deadLetters.len())
				}
			})
		})
	}
}

// A tracker that has nothing to do leaves the queues to their owner: what it gives back can be
// received there.
func TestLeavesQueuesToTheirOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.Scope = "bucket/tt"
		w.published(runName(7), 7, 5)
		w.work(nil)
		w.run(w.tracker())
		for range 50 {
			w.send(w.results, queue.Entry{Body: messages.Results{V: 1, Run: "r", Gen: 1, Scope: "staging/tt", Results: []messages.Result{{Outcome: messages.Copied}}}.Encode()})
			w.send(w.deadLetters, queue.Entry{Body: foreignTask("staging/tt").Encode()})
		}
		tr := w.tracker()
		tr.Options.UntilDone = false
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		_, _ = tr.Run(ctx) // until the time is over
		for name, q := range map[string]*memQueue{"results": w.results, "dead letters": w.deadLetters} {
			most := 0
			for _, m := range q.messages {
				most = max(most, m.ReceiveCount)
			}
			if q.len() != 50 || most > 25 {
				t.Errorf("%s: %d left, received up to %d times in ten minutes", name, q.len(), most)
			}
		}
	})
}

// A message of this scope whose run is not in the state is given back for some time, and then kept
// as unreadable.
func TestStrangerEndsAsUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(7), 7, 5)
		w.send(w.deadLetters, queue.Entry{Body: foreignTask("").Encode()})
		tr := w.tracker()
		ctx, stop := context.WithTimeout(t.Context(), 15*time.Minute)
		defer stop()
		_, _ = tr.Run(ctx) // until the time is over
		if n := w.deadLetters.len(); n > 0 {
			t.Errorf("%d dead letters are left", n)
		}
		if n, err := w.store.CountUnreadable(t.Context(), 7); err != nil || n != 1 {
			t.Errorf("%d unreadable, %v", n, err)
		}
	})
}

// Tasks that workers of another environment have given up go back to the queue, and are no dead
// tasks.
func TestTaskThatOthersGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(7), 7, 5)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.tasks.purge()
		for _, task := range tasks {
			w.sendDeadLetter(task, &messages.Result{Code: messages.CodeNotOurs, Error: "given up"})
		}
		w.hire()
		if s := w.run(w.tracker()); s.State != state.Succeeded || s.Done != 5 || s.Dead != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Probes of shuffle doctor leave no trace.
func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(7), 7, 5)
		w.send(w.results, queue.Entry{Body: messages.EncodeProbe("1")})
		w.send(w.deadLetters, queue.Entry{Body: messages.EncodeProbe("2")})
		w.work(nil)
		if s := w.run(w.tracker()); s.State != state.Succeeded || s.Unreadable != 0 || w.results.len()+w.deadLetters.len() != 0 {
			t.Errorf("%+v; %d and %d left", s, w.results.len(), w.deadLetters.len())
		}
	})
}

// Thousands of messages that others have left hold up no run: of each queue a thousand are taken in
// at a time, however few tasks are open, and a drain that brings nothing of the run ends.
func TestJunkHoldsUpNothing(t *testing.T) {
	const junk = 20_000
	entries := make([]queue.Entry, junk)
	for i := range entries {
		entries[i].Body = fmt.Sprint("junk ", i)
	}
	for _, name := range []string{"results", "dead letters"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.published(runName(7), 7, 5)
				slow := &slowQueue{memQueue: w.deadLetters, takes: 20 * time.Millisecond}
				tr := w.tracker()
				tr.DeadLetters = slow
				if name == "results" {
					slow.memQueue = w.results
					tr.Results, tr.DeadLetters = slow, w.deadLetters
				}
				w.send(slow.memQueue, entries...)
				w.work(nil)
				begun := time.Now()
				if s := w.run(tr); s.State != state.Succeeded {
					t.Errorf("%+v", s)
				}
				if took := time.Since(begun); took > 15*time.Second {
					t.Errorf("the run took %s", took)
				}
			})
		})
	}
}

// slowQueue is a queue that takes a while for each request.
type slowQueue struct {
	*memQueue
	takes time.Duration
}

func (q *slowQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	<-time.After(q.takes)
	return q.memQueue.ReceiveMessage(ctx, most, wait)
}

func (q *slowQueue) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	<-time.After(q.takes)
	return q.memQueue.DeleteMessageBatch(ctx, receipts)
}

// Damaged lines of what only reports block neither results nor status.
func TestDamagedLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(7), 7, 5)
		good := `{"id":"m-old","queue":"results","reason":"r","generation":7,"body":"b"}`
		for name, body := range map[string]string{
			state.UnreadableName:                    "{cut\n" + good + "\n\x00\x01\n",
			state.RunName(plan.Run, state.DeadName): "{cut\n",
		} {
			_, err := w.store.Write(t.Context(), name, []byte(body), bucket.Condition{})
			w.must(err)
		}
		w.send(w.results, queue.Entry{Body: "junk"})
		w.work(onlySeqs(dead("AccessDenied"), 3))
		s := w.run(w.tracker())
		if s.State != state.Failed || s.Done != 4 || s.Dead != 1 || s.Unreadable != 2 {
			t.Errorf("%+v", s)
		}
		if list, err := w.tracker().DeadList(t.Context(), plan.Run); err != nil || len(list) != 1 || list[0].Code != "AccessDenied" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
