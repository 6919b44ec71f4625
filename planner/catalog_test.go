package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const s2e1 = dataset.Episode("S02E01")

// problemOf returns the problem of a manifest in the plan.
func problemOf(plan *state.Plan, name string) string {
	for _, p := range plan.Problems {
		if strings.HasSuffix(p.Manifest, "/"+name) {
			return p.Problem
		}
	}
	return ""
}

// twoSeasons returns a world with one episode in each season. Both have copies, and the sheet of
// the first wants no change.
func twoSeasons(t *testing.T) *world {
	w := newWorld(t)
	w.manifest("S01", e1)
	w.manifest("S02", s2e1)
	w.stand(trainCommon, w.episode(e1, 5)...)
	w.episode(s2e1, 3)
	return w
}

// A manifest that cannot be read fails its season. The plan has no change and no orphan of this
// season. The other seasons go on.
func TestManifestThatCannotBeRead(t *testing.T) {
	key := layout.Manifests() + "S01-episodes.json"
	entry := `{"season_code":"S01","episode_code":"E01","google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/S01E01/edit"}`
	for _, test := range []struct {
		name  string
		spoil func(w *world)
		want  string
	}{
		{"no JSON", func(w *world) { w.put(key, "[{") }, "expected a JSON list of episodes"},
		{"an object", func(w *world) { w.put(key, entry) }, "expected a JSON list of episodes"},
		{"empty", func(w *world) { w.put(key, "") }, "expected a JSON list of episodes"},
		{"an empty list", func(w *world) { w.put(key, "[]") }, "found none in it"},
		{"a bad code", func(w *world) { w.put(key, "["+entry+`,{"season_code":"S01","episode_code":"Pilot"}]`) }, `entry 2, line 1: episode_code: episode code "Pilot"`},
		{"GetObject fails", func(w *world) {
			w.bucket.failing(func(c call, _ int) error {
				if c.op == "GET" && c.key == key {
					return errBroken
				}
				return nil
			})
		}, errBroken.Error()},
		{"gone since the listing", func(w *world) {
			w.bucket.failing(func(c call, _ int) error {
				if c.op == "GET" && c.key == key {
					return &bucket.Error{Op: "GetObject", Key: key, Code: bucket.CodeNoSuchKey, Status: 404, Err: errors.New("no such key")}
				}
				return nil
			})
		}, "NoSuchKey"},
		// It is unknown which of the two manifests is right about the season.
		{"another manifest of the season", func(w *world) {
			w.put(key, "broken")
			w.put(layout.Manifests()+"s01-episodes.json", "["+entry+"]")
		}, "expected a JSON list of episodes"},
	} {
		bubble(t, test.name, func(t *testing.T) {
			w := twoSeasons(t)
			test.spoil(w)
			before := w.listing(layout.Folder(trainCommon))
			plan := w.converge(Options{})
			if got := problemOf(plan, "S01-episodes.json"); !strings.Contains(got, test.want) {
				t.Errorf("problem %q, want %q in it", got, test.want)
			}
			if of(plan, e1).State != "" || len(plan.Orphans) > 0 || of(plan, s2e1).Copy != 3 || plan.Tasks != 3 {
				t.Errorf("episodes %+v, orphans %+v", plan.Episodes, plan.Orphans)
			}
			after := w.listing(layout.Folder(trainCommon))
			for k, etag := range before {
				if after[k] != etag {
					t.Errorf("%s has changed", k)
				}
			}
		})
	}
}

// An episode that is listed twice, in one manifest or in two, is held. The season goes on.
func TestEpisodeListedTwice(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"in one manifest": func(w *world) { w.manifest("S01", e1, e2, e1) },
		"in two": func(w *world) {
			w.manifest("S01", e1, e2)
			w.put(layout.Manifests()+"S09-episodes.json", `[{"season_code":"s1","episode_code":"e1","google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/other/edit"}]`)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			w.episode(e1, 4)
			w.episode(e2, 3)
			spoil(w)
			plan := w.plan(Options{})
			got := of(plan, e1)
			oddity{held: []string{"expected S01E01 once in the manifests", "found it 2 times"}}.check(t, got.Totals, got.Problems, got.Reason)
			if got.State != state.EpisodeHeld || of(plan, e2).Copy != 3 || plan.Tasks != 3 {
				t.Errorf("plan %+v", plan.Episodes)
			}
		})
	}
}

// An entry without a spreadsheet, or with a malformed worksheet, is held.
func TestEntryWithoutSpreadsheet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.episode(e2, 3)
		w.put(layout.Manifests()+"S01-episodes.json", `[
			{"season_code":"S01","episode_code":"E01","google_spreadsheet_url":"https://example.com/","google_spreadsheet_share_link":""},
			{"season_code":"S01","episode_code":"E02","google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/S01E02/edit"},
			{"season_code":"S01","episode_code":"E03","google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/S01E03/edit#gid=x"}]`)
		plan := w.plan(Options{})
		for e, want := range map[dataset.Episode]string{"S01E01": "expected .../spreadsheets/d/ID", "S01E03": "gid"} {
			if got := of(plan, e); got.State != state.EpisodeHeld || !strings.Contains(got.Reason, want) {
				t.Errorf("%s: %+v", e, got)
			}
		}
		if of(plan, e2).Copy != 3 {
			t.Errorf("the other episode: %+v", of(plan, e2))
		}
	})
}

// Without a manifest the plan is an error and not a run without work. The bucket does not change.
func TestNoManifests(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"none":                  func(*world) {},
		"odd names only":        func(w *world) { w.put(layout.Manifests()+"season-one-episodes.json", "[]") },
		"in a folder below":     func(w *world) { w.put(layout.Manifests()+"old/S01-episodes.json", "[]") },
		"the listing is broken": func(w *world) { w.bucket.failing(broken("LIST", layout.Manifests(), 1)) },
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			w.stand(trainCommon, frames(e1, 3)...)
			spoil(w)
			before := w.listing("")
			_, err := w.planner().Plan(context.Background(), Options{})
			if err == nil || name != "the listing is broken" && !strings.Contains(err.Error(), "expected at least one object such as tuttle_twins/manifests/S01-episodes.json") {
				t.Errorf("error %v", err)
			}
			same(t, before, w.listing(""))
		})
	}
}

// broken returns a function that fails the n-th request with this op and key.
func broken(op, key string, n int) func(call, int) error {
	return func(c call, nth int) error {
		if c.op == op && c.key == key && nth == n {
			return errBroken
		}
		return nil
	}
}

// same compares two listings, ETags included.
func same(t testing.TB, before, after map[string]string) {
	t.Helper()
	for key, etag := range before {
		if after[key] != etag {
			t.Errorf("%s was %s, is %q", key, etag, after[key])
		}
	}
	for key := range after {
		if before[key] == "" {
			t.Errorf("%s is new", key)
		}
	}
}

// A file that looks like a manifest but whose name has no season is reported and not read.
func TestManifestOfAnOddName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := twoSeasons(t)
		w.put(layout.Manifests()+"season-one-episodes.json", "broken")
		w.put(layout.Manifests()+"notes.txt", "broken")
		plan := w.plan(Options{})
		if got := problemOf(plan, "season-one-episodes.json"); !strings.Contains(got, "expected a name such as S01-episodes.json") {
			t.Errorf("problem %q", got)
		}
		if len(plan.Problems) != 1 || len(plan.Episodes) != 2 || len(plan.Held()) != 0 {
			t.Errorf("plan %+v", plan)
		}
	})
}

// The planner reads all pages of the listing of manifests, so that it plans the last of many
// seasons too. If a page fails, the plan fails.
func TestManifestsOnManyPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.bucket.page = 4
		for n := range 11 {
			e := dataset.Episode(fmt.Sprintf("S%02dE01", n+1))
			w.manifest(e.Season(), e)
			w.episode(e, 1)
		}
		w.bucket.failing(broken("LIST", layout.Manifests(), 3))
		if _, err := w.planner().Plan(context.Background(), Options{}); !errors.Is(err, errBroken) {
			t.Errorf("the third page fails: %v", err)
		}
		if w.pointer() != (state.Pointer{}) {
			t.Errorf("pointer %+v", w.pointer())
		}
		w.bucket.failing(nil)
		if plan := w.plan(Options{}); len(plan.Episodes) != 11 || plan.Tasks != 11 {
			t.Errorf("%d episodes, %d tasks", len(plan.Episodes), plan.Tasks)
		}
	})
}

// Orphans are reported and left unchanged until they are pruned. A prune has no ceiling.
func TestOrphans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		w.episode(e1, 2)
		lost, kept := dataset.Episode("S01E05"), dataset.Episode("S03E01")
		w.stand(trainCommon, frames(lost, 50)...)
		w.stand(dataset.Place{Dataset: "train"}, frames(lost, 1)...)
		w.stand(dataset.Place{Dataset: "train", Class: "Comon"}, frames(kept, 2)...)
		plan := w.converge(Options{})
		want := []state.Orphan{{Episode: lost, Places: []string{"train/", "train/Common"}}, {Episode: kept, Places: []string{"train/Comon"}}}
		if fmt.Sprint(plan.Orphans) != fmt.Sprint(want) || plan.Tasks != 2 || len(plan.Episodes) != 1 {
			t.Errorf("orphans %v, %d tasks", plan.Orphans, plan.Tasks)
		}
		if n := len(w.listing(layout.ML())); n != 2+51+2 {
			t.Errorf("%d objects in the datasets", n)
		}
		pruned := w.converge(Options{Prune: []dataset.Episode{lost}})
		if got := of(pruned, lost); got.State != state.EpisodePlanned || got.Delete != 50 || pruned.Tasks != 50 || len(pruned.Orphans) != 1 || pruned.Digests[lost] == "" {
			t.Errorf("pruned: %+v, orphans %v", got, pruned.Orphans)
		}
		for key := range w.listing(layout.ML()) {
			if _, f, _ := layout.Parse(key); f.Episode() == lost {
				t.Errorf("%s is left", key)
			}
		}
		if n := len(w.listing(layout.ML())); n != 2+2 {
			t.Errorf("%d objects in the datasets", n)
		}
	})
}

// TestListingsThatFail fails one page of each listing of a plan of two episodes, with four keys a
// page. Then the episode is held or the plan fails. A partial listing is never used as a whole one.
func TestListingsThatFail(t *testing.T) {
	source := "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/" + e1.FramePrefix()
	stands := layout.Folder(trainCommon) + e1.FramePrefix()
	for _, test := range []struct {
		name   string
		prefix string
		page   int
		held   bool // otherwise the plan fails
	}{
		{"first page of the images", source, 1, true},
		{"third page of the images", source, 3, true},
		{"last page of the images", source, 8, true},
		{"third page of where the frames stand", stands, 3, true},
		{"last page of where the frames stand", stands, 8, true},
		{"first page of a dataset", layout.ML() + "train/", 1, false},
		{"second page of a dataset", layout.ML() + "train/", 2, false},
		{"the episodes of a folder", layout.Folder(trainCommon), 1, false},
	} {
		bubble(t, test.name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1, e2)
			w.stand(trainCommon, w.episode(e1, 30)...)
			w.episode(e2, 3)
			for i := range 5 { // so that the classes of the dataset need two pages
				w.stand(dataset.Place{Dataset: "train", Class: fmt.Sprint("old", i)}, dataset.FrameAt(e2, i))
			}
			w.bucket.page = 4
			before := w.listing(layout.ML())
			w.bucket.failing(broken("LIST", test.prefix, test.page))
			plan, err := w.planner().Plan(context.Background(), Options{})
			if !slices.ContainsFunc(w.bucket.noted(), func(c call) bool { return c.op == "LIST" && c.key == test.prefix }) {
				t.Fatalf("nobody has listed %s", test.prefix)
			}
			if !test.held {
				if !errors.Is(err, errBroken) || w.pointer().State != state.Failed || !strings.Contains(w.pointer().Reason, test.prefix) {
					t.Errorf("error %v; pointer %+v", err, w.pointer())
				}
				if len(w.tasks.bodies()) > 0 {
					t.Error("tasks were sent")
				}
				return
			}
			w.must(err)
			got := of(plan, e1)
			oddity{held: []string{"list " + test.prefix, errBroken.Error()}}.check(t, got.Totals, got.Problems, got.Reason)
			if got.State != state.EpisodeHeld || of(plan, e2).Totals.Tasks() != 5 {
				t.Errorf("plan %+v", plan.Episodes)
			}
			w.apply()
			after := w.listing(stands)
			for key, etag := range before {
				if strings.HasPrefix(key, stands) && after[key] != etag {
					t.Errorf("%s has changed", key)
				}
			}
		})
	}
}
