package tracker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/tracker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	e1 = dataset.Episode("S01E01")
	e2 = dataset.Episode("S01E02")
)

var layout = dataset.Layout{Prefix: "tt"}

// world is a bucket and three queues, with a planner and a worker that do what theirs would.
type world struct {
	t           *testing.T
	bucket      *memBucket
	store       *state.Store
	tasks       *memQueue
	results     *memQueue
	deadLetters *memQueue
	logs        *observer.ObservedLogs
	log         *zap.Logger
}

func newWorld(t *testing.T) *world {
	core, logs := observer.New(zapcore.DebugLevel)
	b := newMemBucket()
	return &world{
		t: t, bucket: b, store: &state.Store{Bucket: b, Layout: layout},
		tasks: newMemQueue(), results: newMemQueue(), deadLetters: newMemQueue(), logs: logs, log: zap.New(core),
	}
}

func (w *world) tracker() *tracker.Tracker {
	limit, err := rows.ParseLimit("1%")
	w.must(err)
	return &tracker.Tracker{
		Store: w.store, Results: w.results, DeadLetters: w.deadLetters, Tasks: w.tasks, Log: w.log,
		Options: tracker.Options{UntilDone: true, MaxDead: limit},
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func source(f dataset.Frame) string { return "tt/" + f.Episode().Folder() + "/frames/" + f.File() }

// place is where the tests want a frame: the index decides.
func place(f dataset.Frame) dataset.Place {
	classes := []string{"Common", "Rare"}
	datasets := []string{"train", "train", "test"}
	return dataset.Place{Dataset: datasets[f.Index()%3], Class: classes[f.Index()%2]}
}

// plan saves a run that copies a number of frames of S01E01, which all have source images, with its
// pointer publishing. S01E02 is planned too, without tasks.
func (w *world) plan(run string, gen int64, frames int) (*state.Plan, state.PointerSnapshot) {
	w.t.Helper()
	ctx := context.Background()
	plan := &state.Plan{
		Run: run, Generation: gen, State: state.Publishing, Tasks: frames, Totals: state.Totals{Copy: frames},
		Digests:  map[dataset.Episode]string{e1: w.digest(e1), e2: w.digest(e2)},
		Episodes: []state.EpisodePlan{{Season: "S01", Episode: "E01", State: state.EpisodePlanned, Totals: state.Totals{Copy: frames}}, {Season: "S01", Episode: "E02", State: state.EpisodePlanned}},
		Balance:  []state.Balance{{Dataset: "train", Class: "Common"}},
		Settings: state.Settings{Definition: state.Definition{Seed: "7", Split: "train=0.7,test=0.3", Classes: []string{"Common", "Rare"}}, Datasets: []string{"train", "test"}, Listed: []string{"train", "test"}},
	}
	var tasks []messages.Task
	var expected []state.Expected
	for i := range frames {
		f := dataset.FrameAt(e1, i)
		body := "image of " + string(f)
		w.bucket.put(source(f), body)
		tasks = append(tasks, messages.Task{
			V: 1, Run: run, Gen: gen, Seq: uint32(i), Op: messages.Copy, Frame: f,
			Src: source(f), SrcETag: etagOf(body), Dst: layout.Key(place(f), f),
		})
		expected = append(expected, state.Expected{Place: place(f), Frame: f, ETag: etagOf(body), Copied: true})
	}
	for chunk, part := range slices.Collect(slices.Chunk(tasks, state.ChunkTasks)) {
		w.must(w.store.WriteTasks(ctx, run, chunk, part))
	}
	if frames > 0 {
		w.must(w.store.WriteExpected(ctx, run, e1, expected))
	}
	w.must(w.store.WritePlan(ctx, plan))
	return plan, w.point(state.Pointer{Run: run, Generation: gen, State: state.Publishing, Tasks: frames, Started: time.Now().UTC().Truncate(time.Second), Fence: state.DefaultFence})
}

// published is a plan whose tasks have been sent.
func (w *world) published(run string, gen int64, frames int) *state.Plan {
	w.t.Helper()
	plan, pointer := w.plan(run, gen, frames)
	_, err := state.Publish(context.Background(), w.store, pointer, w.tasks)
	w.must(err)
	return plan
}

func (w *world) point(p state.Pointer) state.PointerSnapshot {
	w.t.Helper()
	pointer, err := w.store.Current(context.Background(), state.PointerSnapshot{})
	w.must(err)
	pointer, err = w.store.Swap(context.Background(), pointer, p)
	w.must(err)
	return pointer
}

func (w *world) pointer() state.Pointer {
	w.t.Helper()
	pointer, err := w.store.Current(context.Background(), state.PointerSnapshot{})
	w.must(err)
	return pointer.Pointer
}

func (w *world) list() map[dataset.Episode][]dataset.Image {
	w.t.Helper()
	d := dataset.Destination{Bucket: w.bucket, Layout: layout, Datasets: []string{"train", "test"}, Parallel: 2}
	folders, err := d.Folders(context.Background())
	w.must(err)
	all := map[dataset.Episode][]dataset.Image{}
	for e, places := range dataset.Located(folders) {
		all[e], err = d.Images(context.Background(), places, e)
		w.must(err)
	}
	return all
}

func (w *world) digest(e dataset.Episode) string { return dataset.DigestOf(w.list()[e]).String() }

// work applies all tasks that are on the queue, as a worker would, and sends their results, ten a
// message. A result that instead returns is sent without applying the task.
func (w *world) work(instead func(messages.Task) *messages.Result) {
	w.t.Helper()
	ctx := context.Background()
	for {
		got, err := w.tasks.ReceiveMessage(ctx, queue.MaxBatch, 0)
		w.must(err)
		if len(got) == 0 {
			return
		}
		var results []messages.Result
		var run messages.Task
		for _, m := range got {
			task, err := messages.ParseTask(m.Body)
			w.must(err)
			run = task
			var r *messages.Result
			if instead != nil {
				r = instead(task)
			}
			if r == nil {
				r = w.apply(task)
			}
			r.Attempts, r.Round = m.ReceiveCount, task.Round
			results = append(results, *r)
			if r.Outcome == messages.Dead {
				w.sendDeadLetter(task, r)
			}
			_, err = w.tasks.DeleteMessageBatch(ctx, []string{m.Receipt})
			w.must(err)
		}
		w.report(run, results...)
	}
}

// hire lets a worker look for tasks every ten seconds until the test ends.
func (w *world) hire() {
	go func() {
		for w.t.Context().Err() == nil {
			w.work(nil)
			select {
			case <-w.t.Context().Done():
			case <-time.After(10 * time.Second):
			}
		}
	}()
}

func (w *world) apply(task messages.Task) *messages.Result {
	src, ok := w.bucket.get(task.Src)
	if !ok {
		return &messages.Result{Seq: task.Seq, Outcome: messages.Dead, Code: "NoSuchKey", Error: "source image is gone"}
	}
	w.bucket.put(task.Dst, string(src.body))
	r := &messages.Result{Seq: task.Seq, Outcome: task.Op.Done(), ETag: src.etag}
	if src.etag != task.SrcETag {
		r.SrcETag = src.etag
	}
	return r
}

// report sends one results message.
func (w *world) report(of messages.Task, results ...messages.Result) {
	w.t.Helper()
	body := messages.Results{V: 1, Run: of.Run, Gen: of.Gen, Worker: "w1", Results: results}.Encode()
	w.must(queue.SendAll(context.Background(), w.results, []queue.Entry{{Body: body}}))
}

// sendDeadLetter sends a task to the dead-letter queue, as a worker does.
func (w *world) sendDeadLetter(task messages.Task, r *messages.Result) {
	w.t.Helper()
	w.must(queue.SendAll(context.Background(), w.deadLetters, []queue.Entry{{Body: task.Encode(), Attributes: map[string]string{
		messages.AttrReason: r.Error, messages.AttrCode: r.Code, messages.AttrAttempts: "1", messages.AttrWorker: "w1",
	}}}))
}

func dead(code string) func(messages.Task) *messages.Result {
	return func(t messages.Task) *messages.Result {
		return &messages.Result{Seq: t.Seq, Outcome: messages.Dead, Code: code, Error: "refused by " + code}
	}
}

// onlySeqs applies a fate to some tasks, and nothing to the others.
func onlySeqs(fate func(messages.Task) *messages.Result, seqs ...uint32) func(messages.Task) *messages.Result {
	return func(t messages.Task) *messages.Result {
		if slices.Contains(seqs, t.Seq) {
			return fate(t)
		}
		return nil
	}
}

func (w *world) run(tr *tracker.Tracker) state.Status {
	w.t.Helper()
	status, err := tr.Run(context.Background())
	w.must(err)
	return status
}

// start runs a tracker in the background.
func (w *world) start(tr *tracker.Tracker) <-chan state.Status {
	done := make(chan state.Status, 1)
	go func() {
		status, err := tr.Run(w.t.Context())
		if err != nil {
			w.t.Errorf("run: %v", err)
		}
		done <- status
	}()
	return done
}

// until waits, by the second, for a change by other goroutines.
func (w *world) until(happened func() bool) {
	w.t.Helper()
	for range 3600 {
		if happened() {
			return
		}
		<-time.After(time.Second)
	}
	w.t.Fatal("the awaited change has not come")
}

func (w *world) exists(name string) bool {
	_, err := w.store.Read(context.Background(), name)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		w.t.Fatal(err)
	}
	return err == nil
}

func (w *world) readReport(run string) *state.Report {
	w.t.Helper()
	r, err := w.store.ReadReport(context.Background(), run)
	w.must(err)
	return r
}

func (w *world) announced() int { return w.logs.FilterMessage("run ended").Len() }

func runName(gen int64) string { return fmt.Sprintf("20261123T212443Z-%d", gen) }
