package main

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// tree is every file and folder below dir, with the attributes that a write changes: content, size
// and time. A missing folder is empty.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := entry.Info()
		if err != nil {
			return err
		}
		sum := ""
		if st.Mode().IsRegular() {
			sum = contentOf(t, path)
		}
		all[path] = fmt.Sprintf("%s %d bytes of %s %s", st.Mode(), st.Size(), st.ModTime(), sum)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", md5.Sum(body))
}

// untouched calls do and fails the test when anything below dir has changed.
func untouched(t *testing.T, dir string, do func()) {
	t.Helper()
	before := tree(t, dir)
	do()
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("%s has changed (-before +after):\n%s", dir, diff)
	}
}

// standing is every file in the datasets: key below ML/ → content.
func (w *world) standing() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for path, about := range tree(w.t, w.ml()) {
		if !strings.HasPrefix(about, "d") {
			name, err := filepath.Rel(w.ml(), path)
			w.must(err)
			all[filepath.ToSlash(name)] = contentOf(w.t, path)
		}
	}
	return all
}

// images counts the files in the datasets, while other processes may change them.
func (w *world) images() (n int) {
	w.t.Helper()
	folders, err := filepath.Glob(w.ml("*", "*"))
	w.must(err)
	for _, folder := range folders {
		n += files(folder)
	}
	return n
}

// files counts the files in a folder; 0 when the folder is missing.
func files(folder string) int {
	f, err := os.Open(folder)
	if err != nil {
		return 0
	}
	defer f.Close() //nolint:errcheck // It was only read.
	names, _ := f.Readdirnames(-1)
	return len(names)
}

// checkDatasets compares every file in the datasets with the sheets (guarantee 1). Each frame with
// a class and an image exists once, under its class, in the dataset that seed and frame select,
// with the bytes of its image. A frozen frame is the same as at the last check. Apart from the
// files in keep, there is nothing else.
func (w *world) checkDatasets(keep ...string) {
	w.t.Helper()
	want, seed := map[string]string{}, w.seed()
	for _, s := range w.seasons {
		for _, e := range s.Episodes {
			w.addWanted(want, seed, e)
		}
	}
	got := w.standing()
	for _, key := range keep {
		want[key] = got[key]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("the datasets are not as the sheets say (-want +got):\n%s", diff)
	}
	w.stood = got
}

func (w *world) addWanted(want map[string]string, seed string, e *season.Episode) {
	w.t.Helper()
	classes, frozen := e.Wanted()
	for f, class := range classes {
		want[datasetOf(seed, f)+"/"+class+"/"+f.File()] = contentOf(w.t, w.image(e, f))
	}
	for key, content := range w.stood {
		if frozen[frameOf(key)] {
			want[key] = content
		}
	}
}

// frameOf is the frame of a key.
func frameOf(key string) dataset.Frame {
	return dataset.Frame(strings.TrimSuffix(filepath.Base(key), ".jpg"))
}

// datasetOf is the split of DESIGN 5, implemented a second time.
func datasetOf(seed string, f dataset.Frame) string {
	sum := sha256.Sum256([]byte(seed + "\n" + string(f)))
	switch u := float64(binary.BigEndian.Uint64(sum[:8])) / math.Exp2(64); {
	case u < 0.7:
		return "train"
	case u < 0.8:
		return "validate"
	}
	return "test"
}

// seed is the seed in force.
func (w *world) seed() string {
	w.t.Helper()
	return stored[state.InForce](w, "settings.json").Settings.Seed
}

// pointer is current.json.
func (w *world) pointer() state.Pointer {
	w.t.Helper()
	return stored[state.Pointer](w, "current.json")
}

// stored reads an object of the program's state.
func stored[T any](w *world, name string) T {
	w.t.Helper()
	body, err := os.ReadFile(w.own(name))
	w.must(err)
	return decode[T](w.t, string(body))
}

// The default names of the queues.
const (
	tasksQueue   = "google-shuffle-tasks"
	resultsQueue = "google-shuffle-results"
	deadQueue    = "google-shuffle-dead-letters"
)

// withQueue opens a queue of the world's file, as another process does.
func (w *world) withQueue(name string, do func(*sqlitequeue.Queue)) {
	w.t.Helper()
	f, err := sqlitequeue.Open(filepath.Join(w.dir, "queues.db"))
	w.must(err)
	q, err := f.Queue(w.t.Context(), name)
	w.must(err)
	do(q)
	w.must(f.Close())
}

// count returns the number of messages in a queue, and how many of them are hidden.
func (w *world) count(name string) (all, hidden int) {
	w.t.Helper()
	w.withQueue(name, func(q *sqlitequeue.Queue) {
		a, err := q.GetQueueAttributes(w.t.Context())
		w.must(err)
		all, hidden = a.Visible+a.InFlight+a.Delayed, a.InFlight
	})
	return all, hidden
}

// empty reports whether no queue has a message.
func (w *world) empty() bool {
	w.t.Helper()
	return !slices.ContainsFunc([]string{tasksQueue, resultsQueue, deadQueue}, func(name string) bool {
		all, _ := w.count(name)
		return all > 0
	})
}

// send sends messages with any content to a queue.
func (w *world) send(name string, bodies ...string) {
	w.t.Helper()
	var entries []queue.Entry
	for _, body := range bodies {
		entries = append(entries, queue.Entry{Body: body})
	}
	w.withQueue(name, func(q *sqlitequeue.Queue) { w.must(queue.SendAll(w.t.Context(), q, entries)) })
}
