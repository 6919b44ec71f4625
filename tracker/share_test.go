package tracker_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// listings notes which episodes are listed, and deletes.
type listings struct {
	*memBucket
	mu       sync.Mutex
	episodes []string
}

func (b *listings) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	if _, name, ok := strings.Cut(in.Prefix, "/TT_"); ok && len(name) == len("S01_E01_") {
		b.mu.Lock()
		b.episodes = append(b.episodes, name[:len("S01_E01")])
		b.mu.Unlock()
	}
	return b.memBucket.ListObjects(ctx, in)
}

func (b *listings) DeleteObjects(_ context.Context, keys []string) ([]*bucket.Error, error) {
	for _, key := range keys {
		b.remove(key)
	}
	return nil, nil
}

// shared is a world of three episodes. A first run has left version 1, and the tasks of a second
// one, which copies a frame more of S01E01, are done. S01E02 is planned and has nothing to do,
// S01E03 is not planned.
func shared(t *testing.T, before func(w *world)) (*world, *listings, *state.Plan) {
	t.Helper()
	w := newWorld(t)
	for _, e := range []dataset.Episode{e2, "S01E03"} {
		for i := range 4 {
			f := dataset.FrameAt(e, i)
			w.bucket.put(layout.Key(place(f), f), "image of "+string(f))
		}
	}
	w.published(runName(1), 1, 12)
	w.work(nil)
	if status := w.run(w.tracker()); status.State != state.Succeeded {
		t.Fatalf("%+v", status)
	}
	if before != nil {
		before(w)
	}
	plan := w.published(runName(2), 2, 13)
	w.work(nil)
	return w, &listings{memBucket: w.bucket}, plan
}

func (w *world) parts(gen string) (names []string) {
	prefix := "tt/shuffle/versions/" + gen + "/parts/"
	for _, key := range w.bucket.keys(prefix) {
		names = append(names, key[len(prefix):][:len("S01E01")])
	}
	return names
}

// Only the episode with tasks is listed; the others are as the plan and the version before have
// them.
func TestOnlyChangedEpisodesAreListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, noted, _ := shared(t, nil)
		// After the plan. It is no matter of this run, as the plan has listed the episode.
		w.bucket.put("tt/"+stray, "too late")
		tr := w.tracker()
		tr.Store = &state.Store{Bucket: noted, Layout: layout}
		if status := w.run(tr); status.State != state.Succeeded {
			t.Fatalf("%+v", status)
		}
		slices.Sort(noted.episodes)
		if got := slices.Compact(noted.episodes); !slices.Equal(got, []string{"S01_E01"}) {
			t.Errorf("listed %q", got)
		}
		v, rows := w.readVersion(2)
		if len(rows) != 13+4+4 || v.V != 2 || v.Parent != 1 || len(v.Digests) != 3 {
			t.Errorf("%d rows, %+v", len(rows), v)
		}
		if got := w.parts("2"); !slices.Equal(got, []string{"S01E01"}) {
			t.Errorf("version 2 has the parts %q", got)
		}
		// shuffle verify lists everything.
		if found, err := tr.Verify(t.Context()); err != nil || found.Differences != 1 || found.First[0].Episode != e2 || found.Frames != 22 {
			t.Errorf("verify: %+v, %v", found, err)
		}
	})
}

// An episode that the plan has found otherwise than the version before is listed, although it has
// no tasks.
func TestEpisodeThatHasChangedSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, noted, _ := shared(t, func(w *world) { w.bucket.put("tt/"+stray, "before the plan") })
		tr := w.tracker()
		tr.Store = &state.Store{Bucket: noted, Layout: layout}
		if status := w.run(tr); status.State != state.Succeeded {
			t.Fatalf("%+v", status)
		}
		if _, rows := w.readVersion(2); len(rows) != 13+5+4 || !slices.Contains(noted.episodes, "S01_E02") || slices.Contains(noted.episodes, "S01_E03") {
			t.Errorf("%d rows, listed %q", len(rows), noted.episodes)
		}
	})
}

// An episode whose part is missing or damaged is listed again, and the report has a warning. The
// others are as before.
func TestDamagedPartIsListedAgain(t *testing.T) {
	for name, spoil := range map[string]func(b *memBucket, key string){
		"missing": func(b *memBucket, key string) { b.remove(key) },
		"damaged": func(b *memBucket, key string) { b.put(key, "no part") },
	} {
		for _, e := range []string{"S01E02", "S01E03"} {
			synctest.Test(t, func(t *testing.T) {
				w, noted, plan := shared(t, func(w *world) {
					for _, key := range w.bucket.keys("tt/shuffle/versions/1/parts/" + e) {
						spoil(w.bucket, key)
					}
				})
				tr := w.tracker()
				tr.Store = &state.Store{Bucket: noted, Layout: layout}
				if status := w.run(tr); status.State != state.Succeeded {
					t.Fatalf("%s, %s: %+v", e, name, status)
				}
				r := w.readReport(plan.Run)
				if len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0], e+" was listed again, since its part of dataset version 1 cannot be used: ") || r.Differences != 0 {
					t.Errorf("%s, %s: warnings %q, %d differences", e, name, r.Warnings, r.Differences)
				}
				if _, rows := w.readVersion(2); len(rows) != 21 || !slices.Equal(w.parts("2"), []string{"S01E01", e}) {
					t.Errorf("%s, %s: %d rows, parts %q", e, name, len(rows), w.parts("2"))
				}
			})
		}
	}
}

// After a version of an earlier release, which has no parts, everything is listed once.
func TestParentWithoutParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, noted, _ := shared(t, func(w *world) {
			for _, key := range w.bucket.keys("tt/shuffle/versions/1/") {
				if strings.HasSuffix(key, "/snapshot.json") || strings.Contains(key, "/parts/") {
					w.bucket.remove(key)
				}
			}
		})
		tr := w.tracker()
		tr.Store = &state.Store{Bucket: noted, Layout: layout}
		if status := w.run(tr); status.State != state.Succeeded {
			t.Fatalf("%+v", status)
		}
		if _, rows := w.readVersion(2); len(rows) != 21 || !slices.Equal(w.parts("2"), []string{"S01E01", "S01E02", "S01E03"}) {
			t.Errorf("%d rows, parts %q", len(rows), w.parts("2"))
		}
	})
}

// Retention leaves old versions alone when a later run has begun: that run's version may have been
// made beside an older one.
func TestRetainWaitsForTheLaterRun(t *testing.T) {
	for _, later := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, noted, _ := shared(t, nil)
			tr := w.tracker()
			tr.Options.KeepVersions, tr.Options.UntilDone = 1, false
			tr.Deleter = noted
			b := &beforePut{memBucket: w.bucket, name: "/latest.json", do: func() {
				if later { // another run has superseded it
					w.point(state.Pointer{Run: runName(3), Generation: 3, State: state.Planning, Fence: state.DefaultFence})
				}
			}}
			tr.Store = &state.Store{Bucket: b, Layout: layout}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() {
				_, err := tr.Run(ctx)
				done <- err
			}()
			w.until(func() bool {
				v, err := w.store.LatestVersion(context.Background())
				return err == nil && v.Generation == 2 && (later || w.pointer().State == state.Succeeded)
			})
			synctest.Wait()
			cancel()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if _, err := w.store.ReadVersion(t.Context(), 1); (err == nil) != later {
				t.Errorf("a later run: %t; version 1: %v", later, err)
			}
			c, err := version.OpenLatest(t.Context(), w.store)
			w.must(err)
			for _, e := range []dataset.Episode{e1, e2, "S01E03"} {
				if _, err := c.Stored(t.Context(), e); err != nil {
					t.Errorf("%s: %v", e, err)
				}
			}
			if !later && !slices.Equal(w.parts("1"), []string{"S01E02", "S01E03"}) {
				t.Errorf("version 1 has left the parts %q", w.parts("1"))
			}
		})
	}
}
