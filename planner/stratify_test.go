package planner

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

func drawLabels(t *rapid.T, frames int) []Labelled {
	run := rapid.IntRange(1, 50).Draw(t, "run of a class")
	classes := []string{"Common", "Junk", "", "Common", "Rare", "Uncommon", "Legendary"}
	var all []Labelled
	for i := range frames {
		if class := classes[i/run%len(classes)]; class != "" {
			all = append(all, Labelled{dataset.FrameAt(e1, i), class})
		}
	}
	return all
}

// classShares counts the units of a class by dataset.
func classShares(a *Assigner, season []Labelled, class string) (units int, by map[string]int) {
	seen := map[string]bool{}
	by = map[string]int{}
	for _, l := range season {
		unit := Unit(l.Frame, a.Group)
		if l.Class != class || seen[unit] {
			continue
		}
		seen[unit] = true
		if name, ok := a.Dataset(l.Frame); ok {
			by[name]++
			units++
		}
	}
	return units, by
}

// Without a group, each class is split at the ratios exactly to the frame. A class with enough
// frames reaches every dataset.
func TestStratifyCutsEachClass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		season := drawLabels(t, rapid.IntRange(1, 2000).Draw(t, "frames"))
		a := &Assigner{Split: drawSplit(t, "split"), Seed: drawSeed(t)}
		a.Subsample = rapid.SampledFrom([]int{1, 1, 4}).Draw(t, "subsample")
		a.Stratify(season)
		for _, class := range []string{"Common", "Junk", "Rare", "Uncommon", "Legendary"} {
			units, by := classShares(a, season, class)
			for _, share := range a.Split {
				if want := share.Ratio * float64(units); math.Abs(float64(by[share.Dataset])-want) > 1.0001 {
					t.Fatalf("%s has %d of %d %s frames, want about %v", share.Dataset, by[share.Dataset], units, class, want)
				}
				if enough := share.Ratio*float64(units) > 1.0001; enough && by[share.Dataset] == 0 {
					t.Fatalf("none of %d %s frames is in %s", units, class, share.Dataset)
				}
			}
		}
	})
}

// Without strata the rarest class may miss a dataset. With strata it reaches each dataset, with
// about its share.
func TestStratifyBringsRareClassesEverywhere(t *testing.T) {
	var season []Labelled
	for i := range 24 * 600 {
		class := "Common"
		if i%(24*60) < 5 { // five frames a minute: ten blocks of the sixty
			class = "Legendary"
		}
		season = append(season, Labelled{dataset.FrameAt(e1, i), class})
	}
	for seed := range 20 {
		a := &Assigner{Split: usualSplit, Seed: fmt.Sprint(seed), Group: 10 * time.Second}
		a.Stratify(season)
		// A block counts for its rarest class.
		units, by := classShares(a, season, "Legendary")
		if units != 10 || by["train"] != 7 || by["validate"] != 1 || by["test"] != 2 {
			t.Fatalf("seed %d: the ten blocks with a Legendary frame are %v", seed, by)
		}
		blocks := map[string]int{}
		for i := 0; i < len(season); i += 240 {
			name, ok := a.Dataset(season[i].Frame)
			if !ok {
				t.Fatalf("%s is left out", season[i].Frame)
			}
			blocks[name]++
		}
		if blocks["train"] != 42 || blocks["validate"] != 6 || blocks["test"] != 12 {
			t.Fatalf("seed %d: the sixty blocks are %v", seed, blocks)
		}
	}
}

// A frame without a class belongs to no stratum, unless another frame of its block has a class.
func TestStratifyFramesWithoutClass(t *testing.T) {
	a := &Assigner{Split: usualSplit, Seed: "7"}
	a.Stratify([]Labelled{{dataset.FrameAt(e1, 0), "Rare"}})
	if _, ok := a.Dataset(dataset.FrameAt(e1, 0)); !ok {
		t.Error("the frame with a class is left out")
	}
	if name, ok := a.Dataset(dataset.FrameAt(e1, 1)); ok {
		t.Errorf("a frame without a class is in %s", name)
	}
	a = &Assigner{Split: usualSplit, Seed: "7", Group: time.Second}
	a.Stratify([]Labelled{{dataset.FrameAt(e1, 0), "Rare"}})
	first, _ := a.Dataset(dataset.FrameAt(e1, 0))
	if name, ok := a.Dataset(dataset.FrameAt(e1, 23)); !ok || name != first {
		t.Errorf("a frame of the block is in %q, want %q", name, first)
	}
}

// The order of the season's frames does not count, since the sheets are read in any order.
func TestStratifyWhateverTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		season := drawLabels(t, 500)
		one := &Assigner{Split: drawSplit(t, "split"), Seed: drawSeed(t), Group: time.Duration(rapid.IntRange(0, 3).Draw(t, "group")) * time.Second}
		other := *one
		one.Stratify(season)
		other.Stratify(rapid.Permutation(season).Draw(t, "order"))
		if !slices.Equal(assigned(one, e1, 500), assigned(&other, e1, 500)) {
			t.Fatal("another order gives other datasets")
		}
	})
}

// One more frame of a class moves at most one unit at each border.
func TestStratifyOneFrameMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "frames")
		var season []Labelled
		for i := range n {
			season = append(season, Labelled{dataset.FrameAt(e1, i), "Rare"})
		}
		a := &Assigner{Split: drawSplit(t, "split"), Seed: drawSeed(t)}
		a.Stratify(season)
		before := assigned(a, e1, n)
		a.Stratify(append(season, Labelled{dataset.FrameAt(e1, n), "Rare"}))
		if moved := n - common(before, assigned(a, e1, n)); moved > len(a.Split)-1 {
			t.Fatalf("%d frames moved, want at most one at each of %d cuts", moved, len(a.Split)-1)
		}
	})
}

// BenchmarkStratify stratifies a whole season.
func BenchmarkStratify(b *testing.B) {
	const n = 345_600
	season := make([]Labelled, n)
	for i := range season {
		e := dataset.Episode(fmt.Sprintf("S01E%02d", 1+i/28_800))
		season[i] = Labelled{dataset.FrameAt(e, i%28_800), []string{"Common", "Rare"}[i/100%2]}
	}
	for _, group := range []time.Duration{0, 10 * time.Second} {
		b.Run(fmt.Sprintf("%d_frames/group_%s", n, group), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				a := Assigner{Split: usualSplit, Seed: "7", Group: group}
				a.Stratify(season)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/frame")
		})
	}
}
