package planner

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// With any settings, a frame in a pinned dataset stays in it. With a group, a block that contains
// or touches such a frame is never in the training dataset. When every frame is in its dataset,
// nothing moves.
func TestPinnedFramesStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := &Assigner{
			Split: usualSplit, Seed: drawSeed(t), Pinned: []string{"test"},
			Group: time.Duration(rapid.IntRange(0, 3).Draw(t, "group")) * time.Second,
			Guard: rapid.IntRange(0, 3).Draw(t, "guard"), Subsample: rapid.IntRange(1, 3).Draw(t, "subsample"),
		}
		standing := dataset.Standing{}
		for _, i := range rapid.SliceOfDistinct(rapid.IntRange(0, 900), rapid.ID[int]).Draw(t, "pinned") {
			standing[dataset.FrameAt(e1, i)] = []dataset.Copy{{Place: dataset.Place{Dataset: "test", Class: "Rare"}}}
		}
		all := frames(e1, 960)
		if rapid.Bool().Draw(t, "stratify") {
			var season []Labelled
			for _, f := range all {
				season = append(season, Labelled{f, "Common"})
			}
			a.Stratify(season)
		}
		drawn := func(standing dataset.Standing) map[dataset.Frame]string {
			now, at := a.pin(standing), map[dataset.Frame]string{}
			for _, f := range all {
				name, ok := now.Dataset(f)
				if standing[f] != nil && standing[f][0].Place.Dataset == "test" && name != "test" {
					t.Fatalf("%s stood in test, and goes to %q", f, name)
				}
				if ok {
					at[f] = name
				}
			}
			return at
		}
		at := drawn(standing)
		for f, name := range at {
			if name != "train" {
				continue
			}
			for g, name := range at {
				if name != "test" {
					continue
				}
				apart := f.Index() - g.Index()
				if max(apart, -apart) <= a.Guard {
					t.Fatalf("%s goes to train, %d frames from %s in test", f, apart, g)
				}
				if a.Group == 0 {
					continue
				}
				if blocks := block(f.Index(), a.Group) - block(g.Index(), a.Group); max(blocks, -blocks) <= 1 {
					t.Fatalf("%s goes to train, beside the block of %s in test", f, g)
				}
			}
		}
		then := dataset.Standing{}
		for f, name := range at {
			then[f] = []dataset.Copy{{Place: dataset.Place{Dataset: name, Class: "Rare"}}}
		}
		if again := drawn(then); !maps.Equal(at, again) {
			t.Fatal("the next plan moves frames")
		}
	})
}

// If no other dataset has a share, a block next to a pinned one is left out.
func TestPinnedBesideNothing(t *testing.T) {
	a := &Assigner{Split: Split{{"train", 1}, {"test", 0}}, Seed: "7", Group: time.Second, Pinned: []string{"test"}}
	pinned := dataset.FrameAt(e1, 30)
	a = a.pin(dataset.Standing{pinned: {{Place: dataset.Place{Dataset: "test", Class: "Rare"}}}})
	for i, want := range map[int]string{30: "test", 31: "", 5: "", 71: "", 72: "train", 95: "train"} {
		if name, _ := a.Dataset(dataset.FrameAt(e1, i)); name != want {
			t.Errorf("frame %d: %q, expected %q", i, name, want)
		}
	}
	if p := placeOf(a, dataset.FrameAt(e1, 31)); !strings.Contains(p.LeftOut, "no other dataset has a share") {
		t.Errorf("%+v", p)
	}
}

// A pinned test set stays the same with a group, another ratio, another seed and stratify. New
// frames are assigned as usual. When it is no longer pinned, its frames are assigned again.
func TestPinnedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split, w.config.MaxDelete = usualSplit, limit(t, "100%")
		w.manifest("S01", e1, e2)
		w.episode(e1, 720)
		w.episode(e2, 240)
		w.converge(Options{Seed: "1"})
		inTest := func() map[string]bool {
			all := map[string]bool{}
			for key := range w.listing(layout.ML() + "test/") {
				all[key] = true
			}
			return all
		}
		pinned := inTest()
		w.converge(Options{ChangeSettings: true, Pin: []string{"test"}})
		for i, change := range []struct {
			settings func(*Config)
			opt      Options
		}{
			{func(c *Config) { c.Group = 10 * time.Second }, Options{}},
			{func(c *Config) { c.Stratify = true }, Options{}},
			{func(c *Config) { c.Split = Split{{"train", 0.8}, {"validate", 0.15}, {"test", 0.05}} }, Options{}},
			{func(c *Config) { c.Group, c.Stratify = 0, false }, Options{Reshuffle: true, Seed: fmt.Sprint(9)}},
		} {
			w.give(change.settings)
			opt := change.opt
			opt.ChangeSettings = true
			w.converge(opt)
			now := inTest()
			for key := range pinned {
				if !now[key] {
					t.Fatalf("change %d: %s stood in test and has left it", i, key)
				}
			}
			if x := w.explain(frames(e1, 1)[0]); x.Wanted == nil {
				t.Errorf("change %d: %+v", i, x)
			}
			w.config.Given = nil
			if again := w.plan(Options{DryRun: true}); again.Tasks != 0 {
				t.Errorf("change %d: planned again: %+v", i, again.Totals)
			}
		}
		w.give(func(c *Config) { c.Split = usualSplit })
		if plan := w.converge(Options{ChangeSettings: true, Unpin: []string{"test"}, Reshuffle: true, Seed: "2"}); len(plan.Settings.Pinned) != 0 || plan.Totals.Move == 0 {
			t.Errorf("unpinned: %+v", plan.Totals)
		}
	})
}
