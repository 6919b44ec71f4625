package worlds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/memqueue"
	"github.com/angel-nft/google-shuffle/planner"
)

// The episodes. Most worlds have only the first.
const (
	e1 = dataset.Episode("S01E01")
	e2 = dataset.Episode("S01E02")
)

var layout = dataset.Layout{Prefix: "tt"}

// Names of the queues.
const (
	tasksQueue   = "tasks"
	resultsQueue = "results"
	lettersQueue = "dead-letters"
)

// visibility is the visibility timeout of the tasks. A heartbeat comes after 10 s or more.
const visibility = 30 * time.Second

// world is a bucket, three queues, a sheet, and the processes that use them. Only the goroutine of
// run decides in which order their calls are executed, and which faults occur.
type world struct {
	t       *testing.T
	choices *choices
	bucket  membucket.Bucket
	tasks   *memqueue.Queue
	results *memqueue.Queue
	letters *memqueue.Queue
	store   *state.Store  // reads the bucket directly, without faults
	sheets  sheets        // after the last edit
	split   planner.Split // the default split of every planner
	keep    int           // number of dataset versions that every tracker keeps; 0: all
	begun   time.Time

	mu      sync.Mutex
	arrived []*call
	procs   []*process
	news    chan struct{}

	pending  []*call
	late     []late
	restarts []restart
	used     map[fate]bool // the fates that have happened and are possible only once in a world
	calm     bool          // no more faults occur
	story    []line
	trace    trace
	judge    judge
}

// wishes are the classes of an episode's frames by index; "" is none. A sheet without rows is
// unreadable.
type wishes []string

// sheets are the sheets of all episodes, as people write them.
type sheets map[dataset.Episode]wishes

func (s sheets) equal(other sheets) bool { return maps.EqualFunc(s, other, slices.Equal[wishes]) }

func (s sheets) values(e dataset.Episode) sheet.Values {
	all := sheet.Values{Title: "Frames of " + string(e)}
	if len(s[e]) > 0 {
		all.Rows = [][]string{{"FRAME NUMBER", "UNSUPERVISED CLASSIFICATION", "SUPERVISED CLASSIFICATION", "JONNY's RECLASSIFICATION"}}
	}
	for i, class := range s[e] {
		all.Rows = append(all.Rows, []string{string(dataset.FrameAt(e, i)), class})
	}
	return all
}

// frame is a frame of the first episode.
func frame(i int) dataset.Frame { return dataset.FrameAt(e1, i) }

func imageKey(f dataset.Frame) string {
	return layout.Prefix + "/" + f.Episode().Folder() + "/default_eng/v1/frames/thumbnails/" + f.File()
}

// newWorld makes a world with a manifest, sheets, the images of their frames, and copies of some
// images that an earlier run has made.
func newWorld(t *testing.T, from *choices, wished sheets, standing map[dataset.Frame]dataset.Place) *world {
	w := &world{t: t, choices: from, sheets: maps.Clone(wished), begun: time.Now(), news: make(chan struct{}, 1), used: map[fate]bool{}}
	w.store = &state.Store{Bucket: &w.bucket, Layout: layout}
	w.judge = judge{world: w, plans: map[string]*planned{}}
	var server memqueue.Server
	for _, q := range []struct {
		spec queue.Spec
		to   **memqueue.Queue
	}{
		{queue.Spec{Name: lettersQueue, VisibilityTimeout: time.Minute}, &w.letters},
		{queue.Spec{Name: resultsQueue, VisibilityTimeout: time.Minute}, &w.results},
		{queue.Spec{Name: tasksQueue, VisibilityTimeout: visibility, MaxReceiveCount: 5, DeadLetterQueue: lettersQueue}, &w.tasks},
	} {
		err := server.Setup(always, q.spec)
		if err == nil {
			*q.to, err = server.Open(q.spec.Name)
		}
		w.must(err)
	}
	var manifest []string
	for _, e := range slices.Sorted(maps.Keys(wished)) {
		manifest = append(manifest, fmt.Sprintf(`{"season_code":"S01","episode_code":%q,"google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/%s/edit"}`, e[3:], e))
		for i := range wished[e] {
			f := dataset.FrameAt(e, i)
			w.put(imageKey(f), "image of "+string(f))
		}
	}
	w.put(layout.Manifests()+"S01-episodes.json", "["+strings.Join(manifest, ",")+"]")
	for f, place := range standing {
		w.put(layout.Key(place, f), "image of "+string(f))
	}
	return w
}

func (w *world) must(err error) {
	if err != nil {
		panic(fmt.Sprintf("the world itself is broken: %v", err)) // in a bubble, from any goroutine
	}
}

func (w *world) put(key, body string) {
	_, err := w.bucket.PutObject(always, key, []byte(body), bucket.Condition{})
	w.must(err)
}

// datasetETags are the objects in the datasets: key → ETag.
func (w *world) datasetETags() map[string]string {
	all := map[string]string{}
	for page, err := range bucket.Pages(always, &w.bucket, bucket.ListInput{Prefix: layout.ML()}) {
		w.must(err)
		for _, o := range page.Objects {
			all[o.Key] = o.ETag
		}
	}
	return all
}

func (w *world) pointer() state.PointerSnapshot {
	pointer, err := w.store.Current(always, state.PointerSnapshot{})
	w.must(err)
	return pointer
}

func (w *world) now() time.Duration { return time.Since(w.begun) }
