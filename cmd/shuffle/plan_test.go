package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// shuffle plan --dry-run, on a fresh folder and after runs: nothing is written.
func TestDryRun(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 60})
	untouched(t, w.dir, func() {
		if plan := w.plan(0, "--dry-run"); plan.Tasks != w.wanted() || plan.State != "dry-run" {
			t.Errorf("dry run: %d tasks, %s", plan.Tasks, plan.State)
		}
	})
	w.finish(w.wanted())
	w.episode(0).Relabel(5)
	w.save(w.episode(0))
	untouched(t, w.dir, func() {
		if plan := w.plan(0, "--dry-run"); plan.Totals.Move != 5 || plan.Tasks != 5 {
			t.Errorf("dry run after an edit: %+v", plan.Totals)
		}
		out, _ := w.run(0, "plan", "--dry-run", "--reshuffle", "--supersede")
		says(t, out, `Dry run: \d+ tasks`)
	})
}

// shuffle plan --review; shuffle apply RUN, which refuses when something has changed since.
func TestReview(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 120})
	w.finish(w.wanted())
	e := w.episode(0)
	e.Relabel(7)
	w.save(e)
	var run string
	untouched(t, w.ml(), func() {
		plan := w.plan(0, "--review")
		if run = plan.Run; plan.State != state.Review || plan.Tasks != 7 || !w.empty() {
			t.Fatalf("review: %d tasks, %s", plan.Tasks, plan.State)
		}
		if s := w.status(0); s.Run != run || s.State != state.Review {
			t.Errorf("status: %+v", s)
		}
		changed := e.Relabel(1)[0]
		w.save(e)
		_, logs := w.run(1, "apply", run)
		says(t, logs, `run `+run+` is not published, since this has changed .*`+string(changed)+`: .* shuffle --local \S+ plan --review`)
		if !w.empty() {
			t.Error("the refused plan has sent tasks")
		}
	})
	again := w.plan(0, "--review")
	_, logs := w.run(2, "apply", run)
	says(t, logs, `run "`+run+`" is not the one waiting`)
	out, _ := w.run(0, "apply", again.Run)
	says(t, out, `running, \d tasks`)
	if s := w.carry(0); s.State != state.Succeeded || s.Done != again.Tasks {
		t.Errorf("applied: %+v", s)
	}
	w.checkDatasets()
	w.run(2, "apply", again.Run)
}

// twoSeasons returns a world with seasons S01 and S02, and a function that lists the episodes with
// frames in the datasets.
func twoSeasons(t *testing.T) (w *world, stands func() []dataset.Episode) {
	w = generated(t, season.Options{Episodes: 2, Frames: 48})
	w.add(season.Options{Season: "S02", Episodes: 2, Frames: 48, Seed: 5})
	return w, func() []dataset.Episode {
		found := map[dataset.Episode]bool{}
		for key := range w.standing() {
			found[frameOf(key).Episode()] = true
		}
		return slices.Sorted(maps.Keys(found))
	}
}

// shuffle plan --episode S01E02 --episode S02E01, then --season S02, then all.
func TestSeasonAndEpisode(t *testing.T) {
	t.Parallel()
	w, stands := twoSeasons(t)
	w.finish(96, "--episode", "s1e2", "--episode", "S02E01")
	if got := stands(); !slices.Equal(got, []dataset.Episode{"S01E02", "S02E01"}) {
		t.Errorf("with --episode there are %v", got)
	}
	w.finish(48, "--season", "s02")
	if got := stands(); !slices.Equal(got, []dataset.Episode{"S01E02", "S02E01", "S02E02"}) {
		t.Errorf("with --season there are %v", got)
	}
	w.finish(48)
	w.checkDatasets()
}

// shuffle plan --allow-delete S01E01, for a sheet that has lost many rows.
func TestAllowDelete(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 200})
	w.finish(w.wanted())
	w.checkDatasets()
	gone := len(w.episode(0).RemoveRows(40))
	w.episode(1).RemoveRows(3)
	w.save(w.episode(0))
	w.save(w.episode(1))

	out, _ := w.run(1, "plan", "--dry-run")
	says(t, out, `S01E01 .*\b40\b.*--allow-delete S01E01`)
	if plan := w.plan(1); plan.Tasks != 3 || len(plan.Held()) != 1 {
		t.Errorf("without the flag: %d tasks, held %v", plan.Tasks, plan.Held())
	}
	if s := w.carry(1); s.State != state.Succeeded || s.Done != 3 || len(s.Held) != 1 {
		t.Errorf("without the flag: %+v", s)
	}
	w.finish(gone, "--allow-delete", "S01E01")
	w.checkDatasets()
}

// shuffle plan --prune S01E02, an episode that is no longer in a manifest.
func TestPrune(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 48})
	w.finish(w.wanted())
	w.seasons[0].Episodes = w.seasons[0].Episodes[:1]
	w.must(w.seasons[0].WriteManifest(t.Context(), folder(w.bucket())))
	untouched(t, w.ml(), func() {
		out, _ := w.run(0, "plan")
		says(t, out, `Orphans: 1 episode .* S01E02 .*shuffle --local \S+ plan --prune S01E02`)
	})
	w.finish(48, "--prune", "S01E02")
	w.checkDatasets()
}

// shuffle plan --seed N, and --reshuffle with and without it: each frame is in the dataset that its
// hash with the seed selects.
func TestSeed(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 240})
	w.finish(w.wanted(), "--seed", "first")
	if w.seed() != "first" {
		t.Errorf("seed %q", w.seed())
	}
	w.checkDatasets()
	_, logs := w.run(2, "plan", "--seed", "second")
	says(t, logs, `seed: in force first, given second \(--seed\)`)

	plan := w.plan(0, "--reshuffle", "--seed", "second")
	if plan.Totals.Move != plan.Tasks || plan.Tasks < 20 || plan.Totals.Keep < 20 {
		t.Errorf("reshuffled: %+v", plan.Totals)
	}
	w.carry(0)
	w.checkDatasets()
	w.plan(0, "--reshuffle", "--review")
	w.finish(w.reshuffled(), "--reshuffle", "--seed", "third")
	w.checkDatasets()
	if w.seed() != "third" {
		t.Errorf("seed %q: the drawn one of a plan that was only reviewed", w.seed())
	}
}

// reshuffled is the number of frames that the seed "third" puts into another dataset than their
// present one.
func (w *world) reshuffled() (n int) {
	w.t.Helper()
	for key := range w.standing() {
		if place, _, _ := strings.Cut(key, "/"); datasetOf("third", frameOf(key)) != place {
			n++
		}
	}
	return n
}
