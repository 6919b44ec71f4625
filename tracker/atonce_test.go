package tracker_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/tracker"
)

// patient is a queue that waits a second for a message, whatever it is asked for, as SQS with this
// program's settings.
type patient struct {
	*memQueue
	mu    sync.Mutex
	asked int // receives under way
}

func (q *patient) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	q.count(1)
	defer q.count(-1)
	return q.memQueue.ReceiveMessage(ctx, most, max(wait, time.Second))
}

func (q *patient) count(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked += n
}

func (q *patient) isAsked() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.asked > 0
}

func (w *world) done(run string) int {
	w.t.Helper()
	p, err := w.store.ReadProgress(context.Background(), run, 0)
	w.must(err)
	return p.Done
}

// patientDeadLetters is a run of 25 tasks, and a tracker with a dead-letter queue that waits.
func (w *world) patientDeadLetters() (*state.Plan, []messages.Task, *tracker.Tracker, *patient) {
	plan := w.published(runName(1), 1, 25)
	tasks, err := w.store.ReadTasks(context.Background(), plan.Run, 0)
	w.must(err)
	tr, deadLetters := w.tracker(), &patient{memQueue: w.deadLetters}
	tr.DeadLetters = deadLetters
	return plan, tasks, tr, deadLetters
}

// The dead-letter queue, which has nothing, is asked for a second every three: no result waits for
// that.
func TestResultsDoNotWaitForDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan, tasks, tr, deadLetters := w.patientDeadLetters()
		done := w.start(tr)
		meanwhile := 0
		for i, task := range tasks[:20] {
			<-time.After(700 * time.Millisecond)
			synctest.Wait()
			if deadLetters.isAsked() {
				meanwhile++
			}
			w.report(task, *w.apply(task))
			synctest.Wait()
			if n := w.done(plan.Run); n != i+1 {
				t.Fatalf("%d results are saved, %d were sent", n, i+1)
			}
		}
		if meanwhile == 0 {
			t.Error("the dead-letter queue was never asked")
		}
		w.work(nil)
		if status := <-done; status.State != state.Succeeded {
			t.Errorf("%+v", status)
		}
	})
}

// A dead letter that comes while the tracker is being stopped is saved too: no one else could see
// it for a minute.
func TestStopSavesDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan, tasks, tr, deadLetters := w.patientDeadLetters()
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error)
		go func() {
			_, err := tr.Run(ctx)
			stopped <- err
		}()
		synctest.Wait()
		if !deadLetters.isAsked() {
			t.Fatal("the dead-letter queue is not asked")
		}
		cancel()
		w.sendDeadLetter(tasks[3], &messages.Result{Seq: 3, Outcome: messages.Dead, Code: "AccessDenied", Error: "refused"})
		if err := <-stopped; !errors.Is(err, context.Canceled) {
			t.Errorf("the tracker ended with %v", err)
		}
		list, err := w.tracker().DeadList(t.Context(), plan.Run)
		if err != nil || len(list) != 1 || w.deadLetters.len() != 0 || deadLetters.isAsked() {
			t.Errorf("dead list %+v, %v; %d dead letters left", list, err, w.deadLetters.len())
		}
	})
}

// A run that is fast has more tasks in its last second or two: their results do not wait for others
// either.
func TestNearTheEndOfAFastRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks, reported = 20_000, 12_000
		w := newWorld(t)
		plan, _ := w.plan(runName(1), 1, tasks)
		w.point(state.Pointer{Run: plan.Run, Generation: 1, State: state.Running, Tasks: tasks, Fence: state.DefaultFence})
		seq := uint32(0)
		send := func(n int) {
			var results []messages.Result
			for range n {
				results = append(results, messages.Result{Seq: seq, Outcome: messages.Copied})
				seq++
			}
			w.report(messages.Task{Run: plan.Run, Gen: 1}, results...)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error)
		go func() {
			_, err := w.tracker().Run(ctx)
			stopped <- err
		}()
		for seq < reported {
			send(500)
			<-time.After(100 * time.Millisecond)
		}
		<-time.After(3 * time.Second)
		send(500)
		synctest.Wait()
		if n := w.done(plan.Run); n != reported+500 {
			t.Errorf("%d results are saved, %d were sent", n, reported+500)
		}
		cancel()
		if err := <-stopped; !errors.Is(err, context.Canceled) {
			t.Errorf("the tracker ended with %v", err)
		}
	})
}

// requests notes those of the state, by the names of the objects.
type requests struct {
	*memBucket
	mu  sync.Mutex
	all []string
}

func (b *requests) note(verb, key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, verb+" "+key[strings.LastIndexByte(key, '/')+1:])
}

func (b *requests) GetObject(ctx context.Context, key, known string) (bucket.Content, error) {
	b.note("GET", key)
	return b.memBucket.GetObject(ctx, key, known)
}

func (b *requests) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	b.note("PUT", key)
	return b.memBucket.PutObject(ctx, key, body, cond)
}

func (b *requests) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

// What this tracker has written it does not read again: of the run's own objects only the ledger,
// which others write too. The status that it returns is the one that a full read finds.
func TestEndIsNotReadAgain(t *testing.T) {
	for name, fate := range map[string]func(messages.Task) *messages.Result{"succeeded": nil, "failed": onlySeqs(dead("AccessDenied"), 3)} {
		want := []string{"PUT report.json", "GET ledger.json"}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				plan := w.published(runName(1), 1, 12)
				w.must(queue.SendAll(t.Context(), w.results, []queue.Entry{{Body: "no results"}}))
				w.work(fate)
				noted := &requests{memBucket: w.bucket}
				tr := w.tracker()
				tr.Store = &state.Store{Bucket: noted, Layout: layout}
				status := w.run(tr)
				if want, err := state.ReadStatus(t.Context(), w.store, plan.Run); err != nil || !cmp.Equal(status, want) {
					t.Errorf("%v\n%s", err, cmp.Diff(want, status))
				}
				first := slices.Index(noted.all, "PUT current.json")
				last := len(noted.all) - 1
				for noted.all[last] != "PUT current.json" {
					last--
				}
				if after := noted.all[last+1:]; !slices.Equal(after, want) {
					t.Errorf("after the end: %q", after)
				}
				for _, unwanted := range []string{"GET current.json", "GET plan.json"} {
					if slices.Contains(noted.all[first:], unwanted) {
						t.Errorf("%s after the first change of the pointer: %q", unwanted, noted.all[first:])
					}
				}
			})
		})
	}
}

// A result that comes late, when the report is made already, is in the report when Run returns.
func TestResultDuringTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 12)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.work(onlySeqs(dead("AccessDenied"), 3))
		tr := w.tracker()
		tr.Options.Page = func(context.Context, *state.Report) ([]byte, error) {
			if w.done(plan.Run) == 11 { // another tracker has it
				l := tracker.NewLedger(plan.Run, 1, 12)
				for _, task := range tasks {
					w.must(l.Add(task.Seq, messages.Copied, 0))
				}
				w.must(w.store.WriteJSON(context.Background(), state.RunName(plan.Run, state.LedgerName), l, bucket.Condition{}))
			}
			return nil, nil
		}
		if status := w.run(tr); status.Done != 12 || status.Dead != 0 || status.State != state.Failed {
			t.Errorf("%+v", status)
		}
		if r := w.readReport(plan.Run); r.Done != 12 || r.Dead != 0 || !r.Verified {
			t.Errorf("report %+v", r.Status)
		}
	})
}

// The version is published while the queues are emptied, which takes a second; the report waits for
// both.
func TestVersionDoesNotWaitForTheQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 12)
		w.work(nil)
		tr := w.tracker()
		tr.Results, tr.DeadLetters = &patient{memQueue: w.results}, &patient{memQueue: w.deadLetters}
		done := w.start(tr)
		report := state.RunName(plan.Run, state.ReportName)
		for verifying := false; !verifying; verifying = w.pointer().State == state.Verifying {
			<-time.After(100 * time.Millisecond)
			synctest.Wait() // the moment's work is done, the queues are empty only later
		}
		if !w.exists(state.LatestName) || w.exists(report) {
			t.Errorf("there is a version: %t, a report: %t", w.exists(state.LatestName), w.exists(report))
		}
		if <-done; !w.exists(report) {
			t.Error("no report")
		}
	})
}

// The page does not wait for tasks.csv.
func TestPageAndTasksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 12)
		w.work(nil)
		slow := &gate{memBucket: w.bucket, name: "/" + state.TasksName, opened: make(chan struct{})}
		tr := w.tracker()
		tr.Store = &state.Store{Bucket: slow, Layout: layout}
		tr.Options.Page = func(context.Context, *state.Report) ([]byte, error) {
			close(slow.opened)
			return nil, nil
		}
		if status := w.run(tr); status.State != state.Succeeded {
			t.Errorf("%+v", status)
		}
	})
}
