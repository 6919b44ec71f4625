package tracker_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/tracker"
)

func TestRunSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 25)
		w.work(nil)
		status := w.run(w.tracker())
		if status.State != state.Succeeded || status.Done != 25 || status.Outcomes[messages.Copied] != 25 || status.Reason != "" || status.Finished == nil {
			t.Fatalf("status %+v", status)
		}
		if w.results.len() != 0 {
			t.Error("results are left on their queue")
		}
		v, err := w.store.LatestVersion(t.Context())
		if err != nil || v.Generation != 1 || v.Frames != 25 || v.Counts["train"]["Common"] == 0 {
			t.Fatalf("version %+v: %v", v, err)
		}
		_, rows := w.readVersion(1)
		if len(rows) == 0 || rows[0].SrcETag != rows[0].ETag {
			t.Fatalf("rows %+v", rows)
		}
		r := w.readReport(runName(1))
		if !r.Verified || r.Version != 1 || r.Differences != 0 || r.State != state.Succeeded || r.Balance[0].After == 0 {
			t.Errorf("report %+v", r)
		}
		if w.announced() != 1 {
			t.Errorf("%d lines about the end", w.announced())
		}
		if again := w.run(w.tracker()); again.State != state.Succeeded || w.announced() != 1 {
			t.Errorf("tracking an ended run: %+v", again)
		}
	})
}

func TestMetricsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 3)
		w.work(onlySeqs(dead("AccessDenied"), 1))
		w.run(w.tracker())
		line := w.logs.FilterMessage("run ended").All()[0].ContextMap()
		if line["RunFailed"] != 1.0 || line["RunSucceeded"] != 0.0 || line["DeadTasks"] != 1.0 || line["Prefix"] != "tt" {
			t.Errorf("line %v", line)
		}
		aws, err := json.Marshal(line["_aws"])
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"Namespace":"GoogleShuffle"`, `"Dimensions":[["Prefix"]]`, `{"Name":"EpisodesHeld","Unit":"Count"}`, `"Timestamp":`} {
			if !strings.Contains(string(aws), want) {
				t.Errorf("no %s in %s", want, aws)
			}
		}
		if said, _ := line["alarms"].(string); !strings.Contains(said, "deploy/shuffle") {
			t.Errorf("a run that ends outside a stack does not say that no alarm sees it: %v", line)
		}
	})
}

// Each stack's alarms watch a namespace of their own.
func TestMetricsOfAStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 3)
		w.work(onlySeqs(dead("AccessDenied"), 1))
		tracker := w.tracker()
		tracker.Options.MetricsNamespace = "GoogleShuffle/staging"
		w.run(tracker)
		line := w.logs.FilterMessage("run ended").All()[0].ContextMap()
		aws, err := json.Marshal(line["_aws"])
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(aws), `"Namespace":"GoogleShuffle/staging"`) || line["alarms"] != nil {
			t.Errorf("metrics %s, line %v", aws, line)
		}
	})
}

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

func TestDifferencesFailTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 12)
		w.work(nil)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.bucket.remove(tasks[2].Dst)
		status := w.run(w.tracker())
		if status.State != state.Failed || status.Differences != 1 || !strings.Contains(status.Reason, tasks[2].Dst[len(layout.ML()):]+" is missing") || !strings.Contains(status.Reason, "run shuffle plan again") {
			t.Fatalf("%+v", status)
		}
		if w.exists(state.LatestName) {
			t.Error("a version of a failed run")
		}
		v, err := w.tracker().Verify(t.Context())
		if err != nil || v.Differences != 1 || len(v.First) != 1 || v.Frames != 11 || v.Against != "run "+plan.Run {
			t.Errorf("verify: %+v, %v", v, err)
		}
	})
}

func TestEpisodeWithoutTasksMustStandAsListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 3)
		w.work(nil)
		w.bucket.put("tt/ML/train/Rare/TT_S01_E02_FRM-00-00-00-00.jpg", "a stranger")
		w.bucket.put("tt/ML/train/Rare/TT_S01_E09_FRM-00-00-00-00.jpg", "of no planned episode")
		status := w.run(w.tracker())
		if status.Differences != 1 || !strings.Contains(status.Reason, "S01E02") {
			t.Errorf("%+v", status)
		}
	})
}

func TestChangedSourceIsVerifiedAndListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 5)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.bucket.put(tasks[1].Src, "newer image")
		w.work(onlySeqs(func(task messages.Task) *messages.Result {
			w.bucket.putAs(task.Dst, "sealed", "kms-etag") // a copy with an ETag of its own
			return &messages.Result{Seq: task.Seq, Outcome: messages.Copied, ETag: "kms-etag", SrcETag: task.SrcETag}
		}, 4))
		if status := w.run(w.tracker()); status.State != state.Succeeded {
			t.Fatalf("%+v", status)
		}
		csv, err := w.store.Read(t.Context(), state.RunName(plan.Run, state.TasksName))
		w.must(err)
		if strings.Count(string(csv.Body), "\n") != 2 || !strings.Contains(string(csv.Body), "1,copy,TT_S01_E01_FRM-00-00-00-01,copied,1,SourceChanged,") {
			t.Errorf("tasks.csv: %s", csv.Body)
		}
		_, all := w.readVersion(1)
		found := false
		for _, r := range all {
			found = found || r.Frame == tasks[4].Frame && r.ETag == "kms-etag" && r.SrcETag == tasks[4].SrcETag
		}
		if !found {
			t.Errorf("rows %+v", all)
		}
		pairs := 0
		w.must(w.store.EachPair(t.Context(), plan.Run, func(state.Pair) error { pairs++; return nil }))
		if pairs != 2 {
			t.Errorf("%d pairs", pairs)
		}
	})
}

func TestWaitsForTheFirstRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		done := make(chan state.Status)
		go func() {
			status, err := w.tracker().Run(t.Context())
			if err != nil {
				t.Error(err)
			}
			done <- status
		}()
		<-time.After(time.Minute)
		w.published(runName(1), 1, 3)
		w.work(nil)
		if status := <-done; status.State != state.Succeeded {
			t.Errorf("%+v", status)
		}
	})
}

func TestStopSavesWhatWasReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 40)
		w.work(nil)
		w.results.messages = w.results.messages[:2]
		tr := w.tracker()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := tr.Run(ctx)
			done <- err
		}()
		synctest.Wait() // it has received, and waits for more
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		progress, err := w.store.ReadProgress(t.Context(), runName(1), 40)
		if err != nil || progress.Done != 20 || w.results.len() != 0 {
			t.Errorf("saved %+v, %d messages left, %v", progress, w.results.len(), err)
		}
	})
}

func TestProgressRatesAndETA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 40)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		tr := w.tracker()
		var seen []state.Status
		tr.Options.Progress = func(s state.Status) { seen = append(seen, s) }
		var worker sync.WaitGroup
		worker.Go(func() {
			for _, task := range tasks {
				w.report(task, *w.apply(task))
				<-time.After(500 * time.Millisecond)
			}
		})
		w.run(tr)
		worker.Wait()
		mid := seen[len(seen)/2]
		if mid.Rate < 1.5 || mid.Rate > 2.5 || mid.ETASeconds == nil || *mid.ETASeconds <= 0 || *mid.ETASeconds > 15 {
			t.Errorf("half-way: %+v", mid)
		}
	})
}

func TestQueueThatIsGoneEndsTheTracker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tr := w.tracker()
		tr.Results = goneQueue{}
		if _, err := tr.Run(t.Context()); !errors.Is(err, queue.ErrNotFound) || !strings.Contains(err.Error(), "shuffle setup") {
			t.Errorf("error %v", err)
		}
	})
}

type goneQueue struct{ tracker.Receiver }

func (goneQueue) ReceiveMessage(context.Context, int, time.Duration) ([]queue.Message, error) {
	return nil, queue.ErrNotFound
}
