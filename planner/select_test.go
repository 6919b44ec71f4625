package planner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// An invalid call changes nothing, not even the generation.
func TestUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := twoSeasons(t)
		w.converge(Options{Seed: "7"})
		w.put(layout.Manifests()+"S03-episodes.json", "broken")
		before := w.listing("")
		for _, test := range []struct {
			opt  Options
			want string
		}{
			{Options{Season: "S04"}, "--season S04: no manifest names"},
			{Options{Episodes: []dataset.Episode{e1, e2}}, "--episode S01E02: no manifest names it"},
			{Options{AllowDelete: []dataset.Episode{e2}}, "--allow-delete S01E02: no manifest names it"},
			{Options{Season: "S02", Episodes: []dataset.Episode{e1}}, "--episode S01E01: it is not of --season S02"},
			{Options{Prune: []dataset.Episode{e1}}, "--prune S01E01: a manifest names the episode"},
			{Options{Prune: []dataset.Episode{"S03E01"}}, "--prune S03E01: a manifest names the episode, or its season's manifest cannot be read"},
		} {
			for _, opt := range []Options{test.opt, with(test.opt, func(o *Options) { o.DryRun = true }), with(test.opt, func(o *Options) { o.Supersede = true })} {
				_, err := w.planner().Plan(context.Background(), opt)
				if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%+v: %v, want %q", opt, err, test.want)
				}
				same(t, before, w.listing(""))
			}
		}
		// The season whose manifest is broken may have the episode.
		plan := w.plan(Options{Season: "S03"})
		if len(plan.Episodes) != 0 || plan.Tasks != 0 || len(plan.Problems) != 1 {
			t.Errorf("a broken season: %+v", plan)
		}
	})
}

func with(o Options, change func(*Options)) Options {
	change(&o)
	return o
}

func TestSeasonAndEpisodeSelect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Stratify = true // this reads all sheets of a planned season, and no others
		w.manifest("S01", e1, e2)
		w.manifest("S02", s2e1)
		for _, e := range []dataset.Episode{e1, e2, s2e1} {
			w.episode(e, 3)
		}
		for _, test := range []struct {
			opt    Options
			want   []dataset.Episode
			sheets []string
		}{
			{Options{Season: "S02"}, []dataset.Episode{s2e1}, []string{"S02E01"}},
			{Options{Episodes: []dataset.Episode{e2}}, []dataset.Episode{e2}, []string{"S01E01", "S01E02"}},
			{Options{Episodes: []dataset.Episode{s2e1, e1}}, []dataset.Episode{e1, s2e1}, []string{"S01E01", "S01E02", "S02E01"}},
			{Options{Season: "S01", Episodes: []dataset.Episode{e1}}, []dataset.Episode{e1}, []string{"S01E01", "S01E02"}},
			{Options{}, []dataset.Episode{e1, e2, s2e1}, []string{"S01E01", "S01E02", "S02E01"}},
		} {
			test.opt.DryRun = true
			w.sheets.read = nil
			plan := w.plan(test.opt)
			var got []dataset.Episode
			for _, e := range plan.Episodes {
				got = append(got, e.Name())
			}
			slices.Sort(w.sheets.read)
			if !slices.Equal(got, test.want) || plan.Tasks != 3*len(test.want) || !slices.Equal(w.sheets.read, test.sheets) {
				t.Errorf("%+v: %v, %d tasks, read %v", test.opt, got, plan.Tasks, w.sheets.read)
			}
		}
	})
}

// The first run draws the seed, and later runs keep it. --seed gives it and --reshuffle changes it.
// A dataset that is no longer in the split is still listed, so that its frames move.
func TestSeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split = usualSplit
		w.manifest("S01", e1)
		w.episode(e1, 60)
		seed := func() state.InForce {
			t.Helper()
			s, err := w.store.Settings(context.Background())
			w.must(err)
			return s
		}
		if dry := w.plan(Options{DryRun: true}); !dry.SeedDrawn {
			t.Error("nobody is told that the next plan draws another seed")
		}
		if dry := w.plan(Options{DryRun: true, Seed: "7"}); dry.SeedDrawn {
			t.Error("a seed that was given is told as drawn")
		}
		first := w.converge(Options{})
		if s := seed(); s.Settings.Seed == "" || s.Settings.Seed != first.Settings.Seed || s.Since.Run != first.Run || !slices.Equal(s.Datasets, []string{"train", "validate", "test"}) {
			t.Errorf("seed %+v", s)
		}
		again := w.plan(Options{Seed: first.Settings.Seed}) // the seed in force is no change
		if again.Settings.Seed != first.Settings.Seed || again.Tasks != 0 || seed().Since.Run != first.Run {
			t.Errorf("seed %+v, %d tasks", seed(), again.Tasks)
		}
		if first.SeedDrawn == again.SeedDrawn {
			t.Errorf("drawn: %v, then %v", first.SeedDrawn, again.SeedDrawn)
		}
		shuffled := w.converge(Options{Reshuffle: true})
		if s := seed(); s.Settings.Seed == first.Settings.Seed || s.Since.Run != shuffled.Run || shuffled.Totals.Move == 0 || shuffled.Totals.Move+shuffled.Totals.Keep != 60 {
			t.Errorf("seed %+v, totals %+v", s, shuffled.Totals)
		}
		if given := w.converge(Options{Reshuffle: true, Seed: first.Settings.Seed}); given.Totals.Move != shuffled.Totals.Move || seed().Settings.Seed != first.Settings.Seed {
			t.Errorf("back to the first seed: %+v", given.Totals)
		}
		inTest := len(w.listing(layout.ML() + "test/"))
		w.config.Split, w.config.Given = Split{{"train", 0.7}, {"validate", 0.3}}, map[string]string{"split": "--split"}
		dropped := w.converge(Options{ChangeSettings: true})
		if inTest == 0 || len(w.listing(layout.ML()+"test/")) != 0 || dropped.Totals.Move < inTest {
			t.Errorf("%d frames stood in test; %+v", inTest, dropped.Totals)
		}
		if s := dropped.Settings; !slices.Equal(s.Datasets, []string{"train", "validate"}) || !slices.Equal(s.Listed, []string{"train", "validate", "test"}) {
			t.Errorf("settings %+v", s)
		}
		// An old upload.
		w.stand(dataset.Place{Dataset: "test", Class: "Rare"}, dataset.FrameAt(e1, 0))
		if plan := w.plan(Options{}); plan.Totals != (state.Totals{Keep: 59, Delete: 1}) {
			t.Errorf("a dataset of long ago: %+v", plan.Totals)
		}
	})
}

// The planner of an older run, which has lost the pointer, may record its settings late. A plan
// that was made from others publishes nothing, and the next one keeps the recorded settings.
func TestSettingsRecordedMeanwhile(t *testing.T) {
	inBubble(t, 20, func(t *testing.T, w *world) {
		w.config.Split = usualSplit
		older := w.plan(Options{DryRun: true, Seed: "7"})
		older.Run, older.Generation = "20000101T000000Z-1-late", 1
		w.must(w.store.WritePlan(t.Context(), older))
		body, err := state.Seal(state.InForce{
			V: 1, Settings: older.Settings.Definition, Datasets: older.Settings.Datasets, Generation: 1, Since: state.Since{Run: older.Run, Generation: 1},
		})
		w.must(err)
		w.point(func(p *state.Pointer) {
			p.Run, p.Generation, p.State, p.Fence = older.Run, 1, state.Failed, state.DefaultFence
		})
		w.bucket.failing(func(c call, _ int) (err error) {
			if c.op == "PUT" && strings.HasSuffix(c.key, "tasks-00000.jsonl.zst") {
				_, err = w.bucket.Bucket.PutObject(context.Background(), layout.State()+"settings.json", body, bucket.Condition{})
			}
			return err
		})
		if _, err := w.planner().Plan(context.Background(), Options{Seed: "13"}); err == nil || !strings.Contains(err.Error(), "shuffle plan again") {
			t.Errorf("error %v", err)
		}
		w.bucket.failing(nil)
		if p := w.pointer(); p.State != state.Failed || p.Generation != 2 || !strings.Contains(p.Reason, "other settings") || len(w.tasks.bodies()) > 0 {
			t.Errorf("%+v, %d sent", p, len(w.tasks.bodies()))
		}
		if plan := w.plan(Options{}); plan.Settings.Seed != "7" || plan.Tasks != 20 {
			t.Errorf("seed %s, %d tasks", plan.Settings.Seed, plan.Tasks)
		}
	})
}
