package planner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Rare classes counted by hand. With a group of a second, the frames 0 to 23 are the first block,
// 24 to 47 the second, and so on.
func TestRareClasses(t *testing.T) {
	split := Split{{"train", 0.7}, {"test", 0.3}, {"none", 0}}
	at := func(index int, name, class string) placed {
		return placed{index, dataset.Place{Dataset: name, Class: class}}
	}
	for _, test := range []struct {
		name     string
		group    time.Duration
		least    int
		episodes [][]placed
		want     []state.RareClass
	}{
		{"nothing", 0, 1, nil, nil},
		{"each has one", 0, 1, [][]placed{{at(0, "train", "Rare"), at(1, "test", "Rare")}}, nil},
		{"one has none", 0, 1, [][]placed{{at(0, "train", "Rare"), at(1, "train", "Rare")}},
			[]state.RareClass{{Dataset: "test", Class: "Rare", Enough: 1, Of: 2}}},
		{"too few for both", 0, 1, [][]placed{{at(0, "train", "Rare")}}, nil},
		{"switched off", 0, 0, [][]placed{{at(0, "train", "Rare"), at(1, "train", "Rare")}}, nil},
		{"one has too few", 0, 2, [][]placed{{at(0, "train", "Rare"), at(1, "train", "Rare"), at(2, "train", "Rare"), at(3, "test", "Rare")}},
			[]state.RareClass{{Dataset: "test", Class: "Rare", Units: 1, Frames: 1, Enough: 2, Of: 4}}},
		{"a block is one unit", time.Second, 1, [][]placed{{at(0, "train", "Rare"), at(1, "train", "Rare"), at(23, "train", "Rare")}}, nil},
		{"blocks, in any order", time.Second, 2,
			[][]placed{{at(48, "train", "Rare"), at(24, "test", "Rare"), at(0, "train", "Rare"), at(47, "test", "Rare"), at(72, "train", "Rare"), at(1, "train", "Rare")}},
			[]state.RareClass{{Dataset: "test", Class: "Rare", Units: 1, Frames: 2, Enough: 2, Of: 4}}},
		{"episodes have blocks of their own", time.Second, 1, [][]placed{{at(0, "train", "Rare")}, {at(0, "train", "Rare")}},
			[]state.RareClass{{Dataset: "test", Class: "Rare", Enough: 1, Of: 2}}},
		{"a frozen frame in two datasets is one unit", 0, 1, [][]placed{{at(0, "train", "Rare"), at(0, "old", "Rare")}}, nil},
		{"a class that the settings do not have", 0, 1, [][]placed{{at(0, "train", "Comon"), at(1, "train", "Comon")}}, nil},
	} {
		units, frames := newClassUnits(), map[dataset.Place]int{}
		for _, e := range test.episodes {
			for _, f := range e {
				frames[f.place]++
			}
			units.add(e, test.group)
		}
		if diff := cmp.Diff(test.want, units.rare(test.least, split, []string{"Common", "Rare"}, frames)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// Every kind of plan warns of a dataset without a rare class, and stratify avoids this. The missing
// classes stay the same.
func TestRareClassesOfAPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split, w.config.Group, w.config.MinPerClass = usualSplit, time.Second, 1
		w.manifest("S01", e1)
		all := frames(e1, 24*24)
		w.images(all...)
		cells := table("Common", all)
		for second := range 4 {
			cells[second*6*24+1][1] = "Legendary"
		}
		w.sheet(e1, cells)
		for _, opt := range []Options{{Seed: "seed-1", DryRun: true}, {Seed: "seed-1"}} {
			plan := w.plan(opt)
			var rare []string
			for _, r := range plan.RareClasses {
				if r.Units != 0 || r.Frames != 0 || r.Enough != 1 || r.Of != 4 {
					t.Errorf("%+v", r)
				}
				rare = append(rare, r.Dataset+"/"+r.Class)
			}
			if diff := cmp.Diff(plan.MissingClasses, rare); diff != "" || len(rare) == 0 {
				t.Errorf("missing and rare:\n%s", diff)
			}
		}
		w.apply()
		w.give(func(c *Config) { c.Stratify = true })
		// 4 blocks at 70, 10 and 20%.
		if plan := w.plan(Options{DryRun: true}); len(plan.RareClasses) > 1 {
			t.Errorf("stratified: %+v", plan.RareClasses)
		}
		w.config.MinPerClass = 0
		if plan := w.plan(Options{DryRun: true}); len(plan.RareClasses) > 0 {
			t.Errorf("switched off: %+v", plan.RareClasses)
		}
	})
}
