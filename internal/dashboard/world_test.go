package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

const (
	runName = "20261123T212443Z-7"
	e1      = dataset.Episode("S01E01")
	e2      = dataset.Episode("S01E02")
)

var layout = dataset.Layout{Prefix: "tt"}

// world is a bucket in a folder with a run in it, and its dashboard.
type world struct {
	t       testing.TB
	bucket  *tap
	store   *state.Store
	options Options
	handler http.Handler
	pointer state.PointerSnapshot
	plan    *state.Plan
	jpeg    []byte
}

// tap is a bucket that fails on request.
type tap struct {
	*dirbucket.Bucket
	mu     sync.Mutex
	broken error
}

func (b *tap) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = err
}

func (b *tap) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}

func (b *tap) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	if err := b.failure(); err != nil {
		return bucket.Content{}, err
	}
	return b.Bucket.GetObject(ctx, key, ifNoneMatch)
}

func (b *tap) OpenObject(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	if err := b.failure(); err != nil {
		return nil, bucket.Object{}, err
	}
	return b.Bucket.OpenObject(ctx, key)
}

var errBroken = errors.New("the bucket is broken")

// newWorld returns a world with a running run. It has frames tasks for S01E01 and as many for
// S01E02. Two in three are copies, the others are deletions.
func newWorld(t testing.TB, frames int) *world {
	t.Helper()
	dir, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	s, err := season.Generate(season.Options{Episodes: 1, Frames: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, bucket: &tap{Bucket: dir}}
	w.jpeg, err = s.Episodes[0].Image(s.Episodes[0].Images[0])
	w.must(err)
	w.store = &state.Store{Bucket: w.bucket, Layout: layout}
	w.options = Options{
		Store: w.store, Bucket: w.bucket, Site: page.Site{Name: "bucket/tt"},
		ReadLedger: func(context.Context, *state.Plan) ([]state.DeadTask, map[dataset.Episode]state.EpisodeProgress, error) {
			dead := []state.DeadTask{{Task: messages.Task{Seq: 0, Op: messages.Copy, Frame: dataset.FrameAt(e1, 0)}, Code: "NoSuchKey", Reason: "source image is gone"}}
			return dead, map[dataset.Episode]state.EpisodeProgress{e1: {Tasks: frames}}, nil
		},
	}
	w.handler = New(w.options)
	w.write(frames)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func sourceKey(f dataset.Frame) string {
	return "tt/" + f.Episode().Folder() + "/default_eng/v1/frames/thumbnails/" + f.File()
}

var rare = dataset.Place{Dataset: "train", Class: "Rare"}

// write saves the plan with its tasks, and makes the pointer refer to it.
func (w *world) write(frames int) {
	w.t.Helper()
	ctx := w.t.Context()
	var tasks []messages.Task
	plan := &state.Plan{
		Run: runName, Generation: 7, State: state.Running,
		Settings: state.Settings{Definition: state.Definition{Classes: []string{"Rare"}}, ImageSize: "thumbnails", Datasets: []string{"train"}, Listed: []string{"train"}},
	}
	for _, e := range []dataset.Episode{e1, e2} {
		row := state.EpisodePlan{Season: e.Season(), Episode: e.Code(), State: state.EpisodePlanned, FirstSeq: len(tasks), Problems: []state.Problem{}}
		for i := range frames {
			f := dataset.FrameAt(e, i)
			t := messages.Task{V: 1, Run: runName, Gen: 7, Seq: uint32(len(tasks)), Frame: f, Op: messages.Copy, Src: sourceKey(f), SrcETag: "x", Dst: layout.Key(rare, f)}
			row.Copy++
			if i%3 == 2 {
				t.Op, t.Src, t.SrcETag, t.Dst, t.Del = messages.Delete, "", "", "", []string{layout.Key(rare, f)}
				row.Copy, row.Delete = row.Copy-1, row.Delete+1
			}
			tasks = append(tasks, t)
			row.Problems = append(row.Problems, state.Problem{Row: i + 2, Frame: string(f), Problem: fmt.Sprintf("problem %d of %s", i, e)})
		}
		plan.Totals = plan.Totals.Add(row.Totals)
		plan.Episodes = append(plan.Episodes, row)
	}
	plan.Tasks = len(tasks)
	for chunk, part := range slices.Collect(slices.Chunk(tasks, state.ChunkTasks)) {
		w.must(w.store.WriteTasks(ctx, runName, chunk, part))
	}
	w.must(w.store.WritePlan(ctx, plan))
	w.plan = plan
	w.point(state.Pointer{Run: runName, Generation: 7, State: state.Running, Tasks: plan.Tasks, Started: time.Unix(1_795_000_000, 0).UTC()})
}

func (w *world) point(p state.Pointer) {
	w.t.Helper()
	pointer, err := w.store.Swap(w.t.Context(), w.pointer, p)
	w.must(err)
	w.pointer = pointer
}

func (w *world) put(key string, body []byte) {
	w.t.Helper()
	_, err := w.bucket.PutObject(w.t.Context(), key, body, bucket.Condition{})
	w.must(err)
}

// get requests a page of the dashboard, as a browser on this machine does.
func (w *world) get(target string) *httptest.ResponseRecorder {
	return w.ask(http.MethodGet, target, nil)
}

func (w *world) ask(method, target string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:8080"
	if change != nil {
		change(r)
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

// settled requests a page until all of its data are read.
func (w *world) settled(target string) *httptest.ResponseRecorder {
	w.t.Helper()
	for end := time.Now().Add(bound); ; <-time.After(20 * time.Millisecond) {
		answer := w.get(target)
		if !strings.Contains(answer.Body.String(), " data-events=") || time.Now().After(end) {
			return answer
		}
	}
}

// newServer serves on a port of its own, and returns its address.
func newServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// expect fails the test when the answer has another status, or lacks one of the texts.
func (w *world) expect(answer *httptest.ResponseRecorder, code int, all ...string) {
	w.t.Helper()
	if answer.Code != code {
		w.t.Errorf("status %d, expected %d: %.500s", answer.Code, code, answer.Body)
	}
	for _, want := range all {
		absent, no := strings.CutPrefix(want, "!")
		if no == strings.Contains(answer.Body.String(), absent) {
			w.t.Errorf("expected %q in %.5000s", want, answer.Body)
		}
	}
}
