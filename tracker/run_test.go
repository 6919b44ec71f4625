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
		if alarms, _ := line["alarms"].(string); !strings.Contains(alarms, "deploy/shuffle") {
			t.Errorf("a run that ends outside a stack does not log that no alarm sees it: %v", line)
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

func TestEpisodeWithoutTasksMustBeAsListed(t *testing.T) {
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
