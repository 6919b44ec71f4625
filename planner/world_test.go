package planner

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/filesheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// world is a bucket in a folder, a folder of sheets and a queue, with a planner that uses them.
// apply and end do the work of the workers and the tracker.
type world struct {
	t      testing.TB
	bucket *tap
	store  *state.Store
	sheets *sheetTap
	dir    string // the folder of the sheets
	tasks  *memQueue
	config Config
	logs   *observer.ObservedLogs
	log    *zap.Logger
	// finished are the runs that ended because they had no tasks.
	finished []string
}

// bubble runs a test in a synctest bubble: time passes when all goroutines wait. The planner waits
// for seconds between two runs.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sheets")
	b, err := dirbucket.Open(filepath.Join(t.TempDir(), "bucket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	files, err := filesheet.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	tapped := &tap{Bucket: b}
	core, logs := observer.New(zap.DebugLevel)
	return &world{
		t: t, bucket: tapped, store: &state.Store{Bucket: tapped, Layout: layout}, sheets: &sheetTap{Sheets: files, fail: map[string]error{}},
		dir: dir, tasks: &memQueue{}, logs: logs, log: zap.New(core),
		config: Config{
			Layout: layout, BucketNames: []string{"media.angel-nft.com"}, ImageSize: "thumbnails", Classes: classes,
			Split: Split{{"train", 1}}, MaxBadRows: limit(t, "5%"), MaxDelete: limit(t, "10%"), MaxRefresh: limit(t, "50%"),
			Lease: 15 * time.Second, Parallel: 4,
		},
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) planner() *Planner {
	return &Planner{Store: w.store, Bucket: w.bucket, Sheets: w.sheets, Tasks: w.tasks, Finish: w.finish, Config: w.config, Log: w.log}
}

// finish does the same as tracker.FinishEmpty, without a dataset version.
func (w *world) finish(ctx context.Context, pointer state.PointerSnapshot, plan *state.Plan) (state.PointerSnapshot, error) {
	if plan.Tasks != 0 || pointer.State != state.Publishing || pointer.Run != plan.Run {
		return pointer, fmt.Errorf("asked to finish %+v", pointer.Pointer)
	}
	if err := w.store.EnsureSettings(ctx, plan); err != nil {
		return pointer, err
	}
	w.finished = append(w.finished, plan.Run)
	next := pointer.Pointer
	next.State = state.Succeeded
	return w.store.Swap(ctx, pointer, next)
}

// plan makes a plan and fails the test on an error.
func (w *world) plan(opt Options) *state.Plan {
	w.t.Helper()
	plan, err := w.planner().Plan(context.Background(), opt)
	w.must(err)
	return plan
}

// change gives the datasets other settings, without applying the tasks.
func (w *world) change(settings func(*Config)) {
	w.t.Helper()
	w.give(settings)
	w.plan(Options{ChangeSettings: true, Supersede: true})
}

// give changes the configuration, with every setting given.
func (w *world) give(settings func(*Config)) {
	settings(&w.config)
	w.config.Given = map[string]string{}
	for _, name := range []string{"split", "group", "stratify", "guard", "subsample", "classes"} {
		w.config.Given[name] = "--" + name
	}
}

func (w *world) put(key, body string) {
	w.t.Helper()
	_, err := w.bucket.Bucket.PutObject(context.Background(), key, []byte(body), bucket.Condition{})
	w.must(err)
}

func (w *world) remove(keys ...string) {
	w.t.Helper()
	_, err := w.bucket.DeleteObjects(context.Background(), keys)
	w.must(err)
}

// manifest writes the manifest of a season with these episodes. Each has its own spreadsheet, named
// like the episode.
func (w *world) manifest(season string, episodes ...dataset.Episode) {
	w.t.Helper()
	entries := make([]string, len(episodes))
	for i, e := range episodes {
		entries[i] = fmt.Sprintf(`{"season_code":%q,"episode_code":%q,"google_spreadsheet_title":"Frames of %s","google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/%s/edit"}`,
			e.Season(), e.Code(), e, e)
	}
	w.put(layout.Manifests()+season+"-episodes.json", "["+strings.Join(entries, ",")+"]")
}

// sheet writes an episode's sheet.
func (w *world) sheet(e dataset.Episode, rows [][]string) {
	w.t.Helper()
	f, err := os.Create(filepath.Join(w.dir, string(e)+".csv"))
	w.must(err)
	out := csv.NewWriter(f)
	w.must(out.WriteAll(rows))
	w.must(f.Close())
}

func imageKey(f dataset.Frame) string {
	return "tuttle_twins/" + f.Episode().Folder() + "/default_eng/v1/frames/thumbnails/" + f.File()
}

func imageOf(f dataset.Frame) string { return "image of " + string(f) }

// images writes the source images of frames.
func (w *world) images(frames ...dataset.Frame) {
	w.t.Helper()
	for _, f := range frames {
		w.put(imageKey(f), imageOf(f))
	}
}

// stand puts copies of frames into a place.
func (w *world) stand(p dataset.Place, frames ...dataset.Frame) {
	w.t.Helper()
	for _, f := range frames {
		w.put(layout.Key(p, f), imageOf(f))
	}
}

// frames returns the first n frames of an episode.
func frames(e dataset.Episode, n int) []dataset.Frame {
	all := make([]dataset.Frame, n)
	for i := range all {
		all[i] = dataset.FrameAt(e, i)
	}
	return all
}

// table returns a sheet with a row for each frame, all with the same class.
func table(class string, frames []dataset.Frame) [][]string {
	all := [][]string{header}
	for _, f := range frames {
		all = append(all, []string{string(f), class, "", ""})
	}
	return all
}

var trainCommon = dataset.Place{Dataset: "train", Class: "Common"}

// episode makes an episode of n Common frames with images. They have no copies yet.
func (w *world) episode(e dataset.Episode, n int) []dataset.Frame {
	w.t.Helper()
	all := frames(e, n)
	w.images(all...)
	w.sheet(e, table("Common", all))
	return all
}

// listing returns all keys below a prefix with their ETags.
func (w *world) listing(prefix string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for page, err := range bucket.Pages(context.Background(), w.bucket.Bucket, bucket.ListInput{Prefix: prefix}) {
		w.must(err)
		for _, o := range page.Objects {
			all[o.Key] = o.ETag
		}
	}
	return all
}

func (w *world) pointer() state.Pointer {
	w.t.Helper()
	pointer, err := w.store.Current(context.Background(), state.PointerSnapshot{})
	w.must(err)
	return pointer.Pointer
}

// point changes the pointer like another process.
func (w *world) point(change func(*state.Pointer)) {
	w.t.Helper()
	pointer, err := w.store.Current(context.Background(), state.PointerSnapshot{})
	w.must(err)
	next := pointer.Pointer
	change(&next)
	_, err = w.store.Swap(context.Background(), pointer, next)
	w.must(err)
}

// sent returns the tasks on the queue, by seq.
func (w *world) sent() []messages.Task {
	w.t.Helper()
	var all []messages.Task
	for _, body := range w.tasks.bodies() {
		task, err := messages.ParseTask(body)
		w.must(err)
		w.must(task.Check(layout))
		all = append(all, task)
	}
	slices.SortStableFunc(all, func(a, b messages.Task) int { return int(a.Seq) - int(b.Seq) })
	return all
}

// apply does the tasks on the queue like a worker, and ends the run like the tracker.
func (w *world) apply() {
	w.t.Helper()
	for _, task := range w.sent() {
		if task.Op != messages.Delete {
			_, err := w.bucket.Bucket.CopyObject(context.Background(), task.Src, task.Dst, task.SrcETag)
			w.must(err)
		}
		if len(task.Del) > 0 {
			w.remove(task.Del...)
		}
	}
	w.end()
}

// end empties the queue and ends the run in force.
func (w *world) end() {
	w.t.Helper()
	w.tasks.purge()
	w.point(func(p *state.Pointer) { p.State = state.Succeeded })
}

// converge plans and applies the tasks.
func (w *world) converge(opt Options) *state.Plan {
	w.t.Helper()
	plan := w.plan(opt)
	w.apply()
	return plan
}

// of returns the episode in the plan.
func of(plan *state.Plan, e dataset.Episode) state.EpisodePlan {
	for _, p := range plan.Episodes {
		if p.Name() == e {
			return p
		}
	}
	return state.EpisodePlan{}
}
