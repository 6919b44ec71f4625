package tracker_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// gate holds the first write to a name until it is opened.
type gate struct {
	*memBucket
	name   string
	opened chan struct{}
	once   sync.Once
}

func (b *gate) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	if strings.HasSuffix(key, b.name) {
		b.once.Do(func() { <-b.opened })
	}
	return b.memBucket.PutObject(ctx, key, body, cond)
}

func (b *gate) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

func versionOf(gen int64) state.Version {
	return state.Version{
		Generation: gen, Run: runName(gen), Created: time.Now().UTC().Truncate(time.Second),
		Settings: state.Settings{Definition: state.Definition{Classes: []string{"Common", "Rare"}}, Datasets: []string{"train", "test"}},
	}
}

// rowsOf are n images, with an ETag that names their listing.
func rowsOf(n int, etag string) []version.Row {
	rows := make([]version.Row, n)
	for i := range rows {
		f := dataset.FrameAt(e1, i)
		rows[i] = version.Row{Place: place(f), Frame: f, ETag: etag}
	}
	return rows
}

// readVersion reads a version whole, and fails unless its parts agree.
func (w *world) readVersion(gen int64) (v state.Version, rows []version.Row) {
	w.t.Helper()
	v, err := w.store.ReadVersion(context.Background(), gen)
	w.must(err)
	rows, err = versiontest.Rows(context.Background(), w.store, v)
	w.must(err)
	for _, name := range v.Datasets {
		file, err := w.store.Read(context.Background(), state.VersionName(gen, name+".csv"))
		w.must(err)
		counted := 0
		for _, n := range v.Counts[name] {
			counted += n
		}
		if lines := bytes.Count(file.Body, []byte("\n")) - 1; counted != lines {
			w.t.Errorf("%s.csv has %d rows, version.json counts %d", name, lines, counted)
		}
	}
	if v.Frames != len(rows) {
		w.t.Errorf("version of %d frames with %d rows", v.Frames, len(rows))
	}
	return v, rows
}

// Two writers of one version, from listings that differ, with one of them stopped before each
// object in turn: the version is one listing's, whole, and both get the same.
func TestTwoWritersOfOneVersion(t *testing.T) {
	for _, name := range []string{"snapshot.json", "test.csv", "train.csv", "classes.json", "version.json", "latest.json"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				slow := &gate{memBucket: w.bucket, name: "/" + name, opened: make(chan struct{})}
				var g errgroup.Group
				var slowGot state.Version
				g.Go(func() (err error) {
					store := &state.Store{Bucket: slow, Layout: layout}
					slowGot, err = versiontest.Publish(t.Context(), store, versionOf(1), rowsOf(9, "slow"))
					return err
				})
				synctest.Wait() // it waits at the gate
				fast, err := versiontest.Publish(t.Context(), w.store, versionOf(1), rowsOf(12, "fast"))
				w.must(err)
				v, rows := w.readVersion(1)
				close(slow.opened)
				w.must(g.Wait())
				if slowGot.Frames != v.Frames || fast.Frames != v.Frames {
					t.Errorf("one got %d frames, the other %d; there are %d", slowGot.Frames, fast.Frames, v.Frames)
				}
				want := map[bool]int{true: 12, false: 9}[name == "snapshot.json"]
				if v.Frames != want {
					t.Errorf("%d frames, want those of the first snapshot: %d", v.Frames, want)
				}
				if slices.ContainsFunc(rows, func(r version.Row) bool { return r.ETag != rows[0].ETag }) {
					t.Error("rows of both listings")
				}
				if again, after := w.readVersion(1); again.Frames != v.Frames || !slices.Equal(after, rows) {
					t.Error("the slow one has changed it")
				}
				if latest, err := w.store.LatestVersion(t.Context()); err != nil || latest.Generation != 1 {
					t.Errorf("latest %d, %v", latest.Generation, err)
				}
			})
		})
	}
}

// The files of a version do not wait for each other, and version.json, which means that they are
// there, waits for all.
func TestFilesOfAVersionAreWrittenAtOnce(t *testing.T) {
	for _, stopped := range []string{"test.csv", "train.csv", "classes.json"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			slow := &gate{memBucket: w.bucket, name: "/" + stopped, opened: make(chan struct{})}
			var g errgroup.Group
			g.Go(func() error {
				_, err := versiontest.Publish(t.Context(), &state.Store{Bucket: slow, Layout: layout}, versionOf(1), rowsOf(9, "e"))
				return err
			})
			synctest.Wait() // one file waits at the gate
			for _, file := range []string{"test.csv", "train.csv", "classes.json", "version.json"} {
				if want := file != stopped && file != "version.json"; w.exists(state.VersionName(1, file)) != want {
					t.Errorf("while %s is written, %s is there: %t", stopped, file, !want)
				}
			}
			close(slow.opened)
			w.must(g.Wait())
			w.readVersion(1)
		})
	}
}

// A writer of an older version that comes late does not set the trainers back.
func TestLateWriterOfAnOlderVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		slow := &gate{memBucket: w.bucket, name: "/latest.json", opened: make(chan struct{})}
		var g errgroup.Group
		g.Go(func() error {
			store := &state.Store{Bucket: slow, Layout: layout}
			_, err := versiontest.Publish(t.Context(), store, versionOf(1), rowsOf(9, "e"))
			return err
		})
		synctest.Wait()
		if w.exists(state.LatestName) || !w.exists(state.VersionName(1, "version.json")) {
			t.Error("the version is named before it is whole")
		}
		_, err := versiontest.Publish(t.Context(), w.store, versionOf(2), rowsOf(12, "e"))
		w.must(err)
		close(slow.opened)
		w.must(g.Wait())
		if latest, err := w.store.LatestVersion(t.Context()); err != nil || latest.Generation != 2 {
			t.Errorf("latest %d, %v", latest.Generation, err)
		}
		now, err := versiontest.Publish(t.Context(), w.store, versionOf(1), rowsOf(3, "e"))
		if err != nil || now.Generation != 2 {
			t.Errorf("published again: %d, %v", now.Generation, err)
		}
	})
}

// Two trackers verify at once, and another writer changes the datasets between their listings.
func TestTwoTrackersVerifyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 12)
		w.work(nil)
		tr := w.tracker()
		slow := &gate{memBucket: w.bucket, name: "/snapshot.json", opened: make(chan struct{})}
		tr.Store = &state.Store{Bucket: slow, Layout: layout}
		first := w.start(tr)
		synctest.Wait()
		w.until(func() bool { return w.pointer().State == state.Verifying })
		orphan := dataset.FrameAt("S09E09", 1) // of no planned episode, so no difference
		w.bucket.put(layout.Key(place(orphan), orphan), "orphan")
		status := w.run(w.tracker())
		close(slow.opened)
		if other := <-first; status.State != state.Succeeded || other.State != state.Succeeded {
			t.Errorf("%+v, the other %+v", status, other)
		}
		if v, _ := w.readVersion(1); v.Frames != 13 || w.announced() != 1 {
			t.Errorf("%d frames, announced %d times", v.Frames, w.announced())
		}
	})
}
