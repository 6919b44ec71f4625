package worlds

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/memqueue"
	"github.com/angel-nft/google-shuffle/planner"
	"github.com/angel-nft/google-shuffle/tracker"
	"github.com/angel-nft/google-shuffle/worker"
)

// Latencies of a request, similar to those of S3 and SQS.
const (
	pageTime  = 60 * time.Millisecond // of a page of a listing
	writeTime = 40 * time.Millisecond
	readTime  = 20 * time.Millisecond
	queueTime = 10 * time.Millisecond
)

// slowBucket and slowQueue answer after a delay. A queue waits for a message at least a second, as
// package sqsqueue does.
type slowBucket struct{ *membucket.Bucket }

func (b slowBucket) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	<-time.After(readTime)
	return b.Bucket.GetObject(ctx, key, ifNoneMatch)
}

func (b slowBucket) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	<-time.After(writeTime)
	return b.Bucket.PutObject(ctx, key, body, cond)
}

func (b slowBucket) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	<-time.After(pageTime)
	return b.Bucket.ListObjects(ctx, in)
}

func (b slowBucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	<-time.After(writeTime)
	return b.Bucket.CopyObject(ctx, src, dst, ifMatch)
}

func (b slowBucket) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	<-time.After(writeTime)
	return b.Bucket.DeleteObjects(ctx, keys)
}

type slowQueue struct{ *memqueue.Queue }

func (q slowQueue) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	<-time.After(queueTime)
	return q.Queue.SendMessageBatch(ctx, entries)
}

func (q slowQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	<-time.After(queueTime)
	return q.Queue.ReceiveMessage(ctx, most, max(wait, time.Second))
}

func (q slowQueue) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	<-time.After(queueTime)
	return q.Queue.DeleteMessageBatch(ctx, receipts)
}

// labels are the sheets: a class for the first twelve frames of each episode, and Common for the
// others.
type labels struct {
	mu    sync.Mutex
	class string
}

func (l *labels) set(class string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.class = class
}

func (l *labels) Values(_ context.Context, spreadsheetID, _ string) (sheet.Values, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := sheet.Values{Title: spreadsheetID, Rows: [][]string{{"FRAME NUMBER", "UNSUPERVISED CLASSIFICATION", "SUPERVISED CLASSIFICATION", "JONNY's RECLASSIFICATION"}}}
	for i := range quickFrames {
		class := "Common"
		if i < 12 && dataset.Episode(spreadsheetID) == "S01E01" {
			class = l.class
		}
		v.Rows = append(v.Rows, []string{string(dataset.FrameAt(dataset.Episode(spreadsheetID), i)), class, "", ""})
	}
	return v, nil
}

const quickFrames = 200 // of each of two episodes

// quick has the program's idle services, a planner and slow ports.
type quick struct {
	bucket  slowBucket
	store   *state.Store
	sheets  *labels
	planner *planner.Planner
}

func newQuick(t *testing.T) *quick {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	q := &quick{bucket: slowBucket{&membucket.Bucket{}}, sheets: &labels{class: "Common"}}
	q.store = &state.Store{Bucket: q.bucket, Layout: layout}
	var server memqueue.Server
	open := func(name string) slowQueue {
		must(server.Setup(t.Context(), queue.Spec{Name: name, VisibilityTimeout: time.Minute}))
		opened, err := server.Open(name)
		must(err)
		return slowQueue{opened}
	}
	tasks, results, letters := open(tasksQueue), open(resultsQueue), open(lettersQueue)
	any, err := rows.ParseLimit("100%")
	must(err)
	track := &tracker.Tracker{Store: q.store, Tasks: tasks, Results: results, DeadLetters: letters, Options: tracker.Options{MaxDead: any}}
	q.planner = &planner.Planner{
		Store: q.store, Bucket: q.bucket, Sheets: q.sheets, Tasks: tasks, Finish: track.FinishEmpty,
		Config: planner.Config{
			Layout: layout, ImageSize: "thumbnails", Classes: []string{"Common", "Rare"}, Split: planner.Split{{Dataset: "train", Ratio: 0.7}, {Dataset: "test", Ratio: 0.3}},
			MaxBadRows: any, MaxDelete: any, MaxRefresh: any, Lease: 15 * time.Second, Parallel: 32,
		},
	}
	var manifest string
	for _, e := range []dataset.Episode{"S01E01", "S01E02"} {
		manifest += fmt.Sprintf(`,{"season_code":"S01","episode_code":%q,"google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/%s/edit"}`, e.Code(), e)
		for i := range quickFrames {
			f := dataset.FrameAt(e, i)
			_, err := q.bucket.Bucket.PutObject(t.Context(), rows.DefaultBase(layout.Prefix, e, "thumbnails")+f.File(), []byte(f), bucket.Condition{})
			must(err)
		}
	}
	_, err = q.bucket.Bucket.PutObject(t.Context(), layout.Manifests()+"S01-episodes.json", []byte("["+manifest[1:]+"]"), bucket.Condition{})
	must(err)
	work := worker.New(worker.Config{
		ID: "worker", Layout: layout, Bucket: q.bucket, Tasks: tasks, Results: results, DeadLetters: letters, Pointer: q.store, Runs: q.store,
	})
	ctx, stop := context.WithCancel(t.Context())
	var services sync.WaitGroup
	services.Go(func() { _ = work.Run(ctx) })
	services.Go(func() { _, _ = track.Run(ctx) })
	t.Cleanup(func() { stop(); services.Wait() })
	return q
}

// run plans, and returns the time from the start of the plan to the end of the run.
func (q *quick) run(t *testing.T, tasks int, opt planner.Options) time.Duration {
	t.Helper()
	begun := time.Now()
	plan, err := q.planner.Plan(t.Context(), opt)
	if err != nil || plan.Tasks != tasks {
		t.Fatalf("%v, plan %+v", err, plan)
	}
	for {
		pointer, err := q.store.Current(t.Context(), state.PointerSnapshot{})
		switch {
		case err != nil:
			t.Fatal(err)
		case pointer.Run == plan.Run && pointer.State == state.Succeeded:
			return time.Since(begun)
		case pointer.Run != plan.Run || !pointer.State.Active() || time.Since(begun) > time.Minute:
			t.Fatalf("%+v", pointer)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// TestQuickRun: with idle services, twelve relabelled frames are in the right place within three
// seconds after the start of the plan, at any moment of the services' waits. When the previous
// run has just ended, the plan first waits for its workers.
func TestQuickRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQuick(t)
		q.run(t, 2*quickFrames, planner.Options{Seed: "7"})
		for moment := range 6 {
			class := []string{"Rare", "Common"}[moment%2]
			<-time.After(30*time.Second + time.Duration(moment)*830*time.Millisecond)
			q.sheets.set(class)
			took := q.run(t, 12, planner.Options{Episodes: []dataset.Episode{"S01E01"}})
			t.Logf("moment %d: %v", moment, took)
			if took > 3*time.Second {
				t.Errorf("moment %d: the run took %v", moment, took)
			}
		}
		q.sheets.set("Rare")
		fence := state.DefaultFence.Quiet()
		took := q.run(t, 12, planner.Options{Episodes: []dataset.Episode{"S01E01"}})
		t.Logf("right after another run: %v, of which the fence is %v", took, fence)
		if took > 5*time.Second+fence {
			t.Errorf("right after another run it took %v", took)
		}
	})
}
