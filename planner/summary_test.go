package planner

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Leakage counted by hand: a frame outside the training dataset leaks when the frame before or
// after it is in the training dataset.
func TestLeak(t *testing.T) {
	const train, validate, test = "train", "validate", "test"
	for _, c := range []struct {
		name   string
		points []point
		split  Split
		want   leakage
	}{
		{"nothing", nil, usualSplit, leakage{0, 0}},
		{"only training", []point{{0, train}, {1, train}}, usualSplit, leakage{0, 0}},
		{"no training", []point{{0, test}, {1, validate}}, usualSplit, leakage{2, 0}},
		{"before", []point{{0, train}, {1, test}}, usualSplit, leakage{1, 1}},
		{"after", []point{{0, validate}, {1, train}}, usualSplit, leakage{1, 1}},
		{"both sides count once", []point{{0, train}, {1, test}, {2, train}}, usualSplit, leakage{1, 1}},
		{"a gap is no neighbour", []point{{0, train}, {2, test}, {4, train}}, usualSplit, leakage{1, 0}},
		{"in any order", []point{{9, test}, {3, train}, {8, train}, {4, validate}, {6, test}}, usualSplit, leakage{3, 2}},
		{"a block", []point{{0, train}, {1, test}, {2, test}, {3, test}, {4, train}, {5, train}, {7, validate}}, usualSplit, leakage{4, 2}},
		{"a frozen frame in both", []point{{5, train}, {5, test}}, usualSplit, leakage{1, 1}},
		{"without a train, the first is the training dataset", []point{{0, "big"}, {1, "small"}, {3, "small"}}, Split{{"big", 0.9}, {"small", 0.1}}, leakage{2, 1}},
		{"train need not be the first", []point{{0, train}, {1, test}}, Split{{test, 0.3}, {train, 0.7}}, leakage{1, 1}},
	} {
		if got := leak(c.points, c.split); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := (leakage{}).share(); got != 0 {
		t.Errorf("the share of nothing is %v", got)
	}
	if got := (leakage{3, 1}).plus(leakage{1, 1}).share(); got != 0.5 {
		t.Errorf("the share of 2 of 4 is %v", got)
	}
}

// Leakage is the leakage after the plan is applied. LeakageGrouped is the leakage of the same plan
// with a group.
func TestLeakageOfAPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split = usualSplit
		w.manifest("S01", e1, e2)
		for i, e := range []dataset.Episode{e1, e2} {
			all := frames(e, 600)
			gap := 100 + 40*i
			w.images(all...)
			w.sheet(e, table("Common", slices.Delete(all, gap, gap+20)))
		}
		plan := w.converge(Options{Seed: "7"})
		at := map[dataset.Frame]string{}
		for key := range w.listing(layout.ML()) {
			p, f, _ := layout.Parse(key)
			at[f] = p.Dataset
		}
		counted, leaking := 0, 0
		for f, name := range at {
			if name == "train" {
				continue
			}
			counted++
			before, after := "", at[dataset.FrameAt(f.Episode(), f.Index()+1)]
			if f.Index() > 0 {
				before = at[dataset.FrameAt(f.Episode(), f.Index()-1)]
			}
			if before == "train" || after == "train" {
				leaking++
			}
		}
		if want := float64(leaking) / float64(counted); plan.Leakage != want || want < 0.8 {
			t.Errorf("leakage %v, want %v", plan.Leakage, want)
		}
		w.give(func(c *Config) { c.Group = 10 * time.Second })
		grouped := w.plan(Options{DryRun: true})
		if plan.LeakageGrouped != grouped.Leakage || grouped.Leakage != grouped.LeakageGrouped || plan.LeakageGrouped > 0.1 {
			t.Errorf("grouped %v, planned with a group %v", plan.LeakageGrouped, grouped.Leakage)
		}
		if plan.Settings.Group != "" || grouped.Settings.Group != "10s" {
			t.Errorf("groups %q and %q", plan.Settings.Group, grouped.Settings.Group)
		}
	})
}

// The balance has a row for each configured class and dataset, then the other places. It skips held
// episodes.
func TestBalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Classes, w.config.Split = []string{"Common", "Rare"}, Split{{"train", 1}, {"test", 0}}
		w.manifest("S01", e1, e2)
		all := w.episode(e1, 10)
		w.stand(trainCommon, all[:4]...)
		w.stand(dataset.Place{Dataset: "train", Class: "Comon"}, all[4:6]...)
		w.stand(dataset.Place{Dataset: "test"}, all[6])
		w.sheet(e1, cell(0, 1, "rare")(cell(1, 1, "Epic")(table("Common", all))))
		w.config.MaxBadRows = limit(t, "10%")
		w.stand(trainCommon, w.episode(e2, 5)...)
		w.sheet(e2, nil)
		plan := w.plan(Options{})
		want := []state.Balance{
			{Dataset: "train", Class: "Common", Before: 4, After: 9},
			{Dataset: "test", Class: "Common"},
			{Dataset: "train", Class: "Rare", After: 1},
			{Dataset: "test", Class: "Rare"},
			{Dataset: "train", Class: ""}, {Dataset: "test", Class: "", Before: 1},
			{Dataset: "train", Class: "Comon", Before: 2}, {Dataset: "test", Class: "Comon"},
		}
		if diff := cmp.Diff(want, plan.Balance); diff != "" {
			t.Errorf("balance (-want +got):\n%s", diff)
		}
		if len(plan.MissingClasses) != 0 { // test has no share, so it misses no class
			t.Errorf("missing %v", plan.MissingClasses)
		}
	})
}

func TestMissingClasses(t *testing.T) {
	split := Split{{"train", 0.7}, {"validate", 0.3}, {"none", 0}}
	balance := []state.Balance{
		{Dataset: "train", Class: "Common", After: 7}, {Dataset: "validate", Class: "Common", After: 3}, {Dataset: "none", Class: "Common"},
		{Dataset: "train", Class: "Rare", After: 1}, {Dataset: "validate", Class: "Rare", Before: 1}, {Dataset: "none", Class: "Rare"},
		{Dataset: "train", Class: "Legendary"}, {Dataset: "validate", Class: "Legendary", After: 1}, {Dataset: "none", Class: "Legendary"},
		// Frames that should be in no dataset.
		{Dataset: "train", Class: "Junk", Before: 5}, {Dataset: "validate", Class: "Junk"}, {Dataset: "none", Class: "Junk"},
		{Dataset: "old", Class: "Common"},
	}
	if got, want := missing(balance, split), []string{"validate/Rare", "train/Legendary"}; !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
}

// The estimate agrees with DESIGN 12: one COPY a task at $5 a million, and little more.
func TestEstimate(t *testing.T) {
	season := &state.Plan{Tasks: 345_600, Totals: state.Totals{Copy: 345_600}, Balance: []state.Balance{{After: 345_600}}}
	dollars, seconds := estimate(season, 1000)
	if copies := 345_600 * 5e-6; dollars < copies || dollars > 1.1*copies {
		t.Errorf("a whole season costs $%.3f, the copies alone $%.3f", dollars, copies)
	}
	if seconds < 60 || seconds > 600 {
		t.Errorf("a whole season takes %.0f s", seconds)
	}
	deletes := &state.Plan{Tasks: 28_800, Totals: state.Totals{Delete: 28_800}}
	if dollars, _ := estimate(deletes, 100); dollars > 0.02 {
		t.Errorf("deletes, which are free, cost $%.3f", dollars)
	}
	if dollars, seconds := estimate(&state.Plan{Balance: []state.Balance{{After: 345_600}}}, 800); seconds != 0 || dollars < 800*5e-6 || dollars > 0.01 {
		t.Errorf("nothing to do costs $%.4f and takes %.0f s", dollars, seconds)
	}
	more, longer := estimate(season, 2000)
	if more <= dollars || longer != seconds {
		t.Errorf("more listings: $%v and %v s, after $%v and %v s", more, longer, dollars, seconds)
	}
}

// The estimate of the plan counts its LIST requests.
func TestEstimateOfAPlan(t *testing.T) {
	inBubble(t, 100, func(t *testing.T, w *world) {
		few := w.plan(Options{DryRun: true})
		w.bucket.page = 3
		many := w.plan(Options{DryRun: true})
		if few.CostUSD <= 100*priceWrite || few.CostUSD > 0.01 || few.Seconds < 7 || few.Seconds > 30 {
			t.Errorf("100 copies cost $%v and take %v s", few.CostUSD, few.Seconds)
		}
		// A hundred images need 34 pages of three, instead of one.
		if lists := (many.CostUSD - few.CostUSD) / priceWrite; math.Abs(lists-33) > 0.01 {
			t.Errorf("%v more lists", lists)
		}
	})
}

// The settings of the split apply to the plan: a group, a guard, a subsample and strata over the
// season.
func TestSettingsReachThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split, w.config.MaxDelete = usualSplit, limit(t, "100%")
		w.manifest("S01", e1, e2)
		for _, e := range []dataset.Episode{e1, e2} {
			all := frames(e, 480)
			w.images(all...)
			cells := table("Common", all)
			for i := range all {
				if i%48 == 5 {
					cells[i+1][3] = "Legendary" // in ten of the twenty seconds of each episode
				}
			}
			w.sheet(e, cells)
		}
		w.config.Group, w.config.Stratify = time.Second, true
		plan := w.converge(Options{Seed: "7"})
		if len(plan.MissingClasses) != 0 || plan.Settings.Group != "1s" || !plan.Settings.Stratify {
			t.Errorf("missing %v; settings %+v", plan.MissingClasses, plan.Settings)
		}
		legendary := map[string]int{}
		for _, b := range plan.Balance {
			if b.Class == "Legendary" {
				legendary[b.Dataset] = b.After
			}
		}
		// Of the 20 blocks of the season with a Legendary frame, 14, 2 and 4 are in the datasets.
		if diff := cmp.Diff(map[string]int{"train": 14, "validate": 2, "test": 4}, legendary); diff != "" {
			t.Errorf("Legendary frames (-want +got):\n%s", diff)
		}
		// If the sheet of an episode cannot be read, its frames stay in the strata. So the other
		// episode does not move.
		w.sheet(e2, nil)
		if held := w.plan(Options{}); held.Tasks != 0 || of(held, e2).State != state.EpisodeHeld || of(held, e1).Keep != 480 {
			t.Errorf("with a held episode: %+v", held.Episodes)
		}
		w.sheet(e2, table("Common", frames(e2, 480)))
		w.give(func(c *Config) { c.Stratify, c.Guard = false, 2 })
		if guarded := w.converge(Options{ChangeSettings: true}); guarded.Leakage != 0 || guarded.Totals.Delete == 0 || guarded.Settings.Guard != 2 {
			t.Errorf("guarded: leakage %v, %+v", guarded.Leakage, guarded.Totals)
		}
		w.give(func(c *Config) { c.Guard, c.Group, c.Subsample = 0, 0, 4 })
		if some := w.plan(Options{ChangeSettings: true}); !near(some.Totals.Keep+some.Totals.Move+some.Totals.Copy, 960, 0.25) || some.Settings.Subsample != 4 {
			t.Errorf("one in four: %+v", some.Totals)
		}
	})
}

// The strata of a held episode come from the datasets. If these cannot be listed, the datasets of
// the other frames are unknown.
func TestStrataThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Stratify = true
		w.manifest("S01", e1, e2)
		w.episode(e1, 5)
		w.stand(trainCommon, frames(e2, 5)...)
		w.sheet(e2, nil)
		w.bucket.failing(broken("LIST", layout.Folder(trainCommon)+e2.FramePrefix(), 1))
		if _, err := w.planner().Plan(context.Background(), Options{}); err == nil || !strings.Contains(err.Error(), errBroken.Error()) || w.pointer().State != state.Failed {
			t.Errorf("error %v, pointer %+v", err, w.pointer())
		}
		w.bucket.failing(nil)
		if plan := w.plan(Options{}); plan.Tasks != 5 || of(plan, e2).State != state.EpisodeHeld {
			t.Errorf("plan %+v", plan.Episodes)
		}
	})
}

func BenchmarkPlanEpisode(b *testing.B) {
	const n = 28_800
	all := frames(e1, n)
	in := EpisodeInput{
		Episode: e1, Layout: layout, Same: sameETag, Ceiling: limit(b, "10%"),
		Assign: &Assigner{Split: usualSplit, Seed: "7"}, Images: make(map[dataset.Frame]string, n), Standing: dataset.Standing{},
	}
	in.Sheet.Base = "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"
	standing := make(dataset.Standing, n)
	for i, f := range all {
		in.Sheet.Rows = append(in.Sheet.Rows, rows.Row{Frame: f, Class: "Common", Row: i + 2})
		in.Images[f] = "0cc175b9c0f1b6a831c399e269772661"
		name, _ := in.Assign.Dataset(f)
		standing[f] = []dataset.Copy{{Place: dataset.Place{Dataset: name, Class: "Common"}, ETag: in.Images[f]}}
	}
	for _, c := range []struct {
		name     string
		standing dataset.Standing
		tasks    int
	}{{"unchanged", standing, 0}, {"new", dataset.Standing{}, n}} {
		in.Standing = c.standing
		b.Run(fmt.Sprintf("%d_frames/%s", n, c.name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if out := PlanEpisode(in); len(out.Tasks) != c.tasks {
					b.Fatalf("%d tasks", len(out.Tasks))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/frame")
		})
	}
}

// A frame outside the training dataset counts once when a training frame has the same image, in any
// episode and at any distance.
func TestIdenticalImages(t *testing.T) {
	in := func(name, etag, src string) state.Expected {
		return state.Expected{Place: dataset.Place{Dataset: name, Class: "Common"}, ETag: etag, SrcETag: src}
	}
	type episode = []state.Expected
	for _, c := range []struct {
		name     string
		episodes []episode
		want     int
	}{
		{"nothing", nil, 0},
		{"an image each", []episode{{in("train", "a", ""), in("test", "b", ""), in("validate", "c", "")}}, 0},
		{"test and validate", []episode{{in("train", "a", ""), in("test", "a", ""), in("validate", "a", "")}}, 2},
		{"several training frames count once", []episode{{in("train", "a", ""), in("train", "a", ""), in("test", "a", "")}}, 1},
		{"equal within training", []episode{{in("train", "a", ""), in("train", "a", ""), in("test", "b", "")}}, 0},
		{"equal outside training", []episode{{in("train", "a", ""), in("test", "b", ""), in("validate", "b", "")}}, 0},
		{"a training frame of a later episode", []episode{{in("test", "a", "")}, {in("validate", "b", "")}, {in("train", "a", "")}}, 1},
		{"copies with ETags of their own", []episode{{in("train", "k1", "a"), in("test", "k2", "a"), in("validate", "k1", "b")}}, 1},
		{"a copy against a source", []episode{{in("train", "a", ""), in("test", "k", "a")}}, 1},
	} {
		h := imageHashes{seed: maphash.MakeSeed()}
		for _, e := range c.episodes {
			h.add(e, "train")
		}
		if got := h.identical(); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
