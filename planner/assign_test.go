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

var usualSplit = Split{{"train", 0.7}, {"validate", 0.1}, {"test", 0.2}}

// assigned returns the datasets of the first n frames of the episode; "" for a frame that is left
// out.
func assigned(a *Assigner, e dataset.Episode, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i], _ = a.Dataset(dataset.FrameAt(e, i))
	}
	return all
}

// near reports whether chance can give n of these units at this share. The limit is six standard
// deviations and three units more, since a small share has a long tail.
func near(n, of int, share float64) bool {
	draws := float64(of)
	return math.Abs(float64(n)-share*draws) <= 6*math.Sqrt(share*(1-share)*draws)+3
}

func drawSeed(t *rapid.T) string { return rapid.StringMatching(`[A-Z0-9]{1,26}`).Draw(t, "seed") }

func TestDatasetIsAFunctionOfSeedAndFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		split, seed := drawSplit(t, "split"), drawSeed(t)
		f := dataset.FrameAt(e1, rapid.IntRange(0, 1<<20).Draw(t, "frame"))
		group := time.Duration(rapid.IntRange(0, 60).Draw(t, "group")) * time.Second
		got, ok := (&Assigner{Split: split, Seed: seed, Group: group}).Dataset(f)
		if want := split.At(Position(seed, Unit(f, group))); !ok || got != want {
			t.Fatalf("%s is in %q, %v; want %q", f, got, ok, want)
		}
	})
}

func TestSharesOfFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const frames = 4000
		a := &Assigner{Split: drawSplit(t, "split"), Seed: drawSeed(t)}
		got := map[string]int{}
		for _, name := range assigned(a, e1, frames) {
			got[name]++
		}
		for _, share := range a.Split {
			if !near(got[share.Dataset], frames, share.Ratio) {
				t.Fatalf("%d of %d frames are in %s, want %v", got[share.Dataset], frames, share.Dataset, share.Ratio)
			}
		}
	})
}

// Another seed assigns independently: the frames that stay are as many as two independent seeds
// have in common.
func TestAnotherSeedMovesFrames(t *testing.T) {
	const frames = 20_000
	before, after := assigned(&Assigner{Split: usualSplit, Seed: "1"}, e1, frames), assigned(&Assigner{Split: usualSplit, Seed: "2"}, e1, frames)
	if same := common(before, after); !near(same, frames, 0.7*0.7+0.1*0.1+0.2*0.2) {
		t.Errorf("%d of %d frames stay", same, frames)
	}
}

func common(a, b []string) (n int) {
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}

// A new ratio moves only the frames between the old border and the new one.
func TestRatioChangeMovesOnlyWhatItMust(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const frames = 2000
		seed := drawSeed(t)
		before := drawSplit(t, "before")
		after := slices.Clone(before)
		i := rapid.IntRange(0, len(before)-2).Draw(t, "cut")
		by := float64(rapid.IntRange(0, int(before[i].Ratio*100)).Draw(t, "by")) / 100
		after[i].Ratio -= by
		after[i+1].Ratio += by
		was, is := assigned(&Assigner{Split: before, Seed: seed}, e1, frames), assigned(&Assigner{Split: after, Seed: seed}, e1, frames)
		cut := 0.0
		for _, share := range before[:i+1] {
			cut += share.Ratio
		}
		moved := 0
		for n := range was {
			if was[n] == is[n] {
				continue
			}
			moved++
			u := Position(seed, string(dataset.FrameAt(e1, n)))
			if was[n] != before[i].Dataset || is[n] != before[i+1].Dataset || u < cut-by-1e-9 || u > cut+1e-9 {
				t.Fatalf("frame %d at %v moved from %s to %s; the cut moved from %v to %v", n, u, was[n], is[n], cut, cut-by)
			}
		}
		if !near(moved, frames, by) {
			t.Fatalf("%d of %d frames moved, want a share of %v", moved, frames, by)
		}
	})
}

func TestGroupKeepsBlocksTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.IntRange(1, 30).Draw(t, "group")
		a := &Assigner{Split: drawSplit(t, "split"), Seed: drawSeed(t), Group: time.Duration(seconds) * time.Second}
		a.Subsample = rapid.SampledFrom([]int{1, 1, 3}).Draw(t, "subsample")
		names := assigned(a, e1, 24*120)
		for block := range slices.Chunk(names, seconds*dataset.FPS) {
			if i := slices.IndexFunc(block, func(name string) bool { return name != block[0] }); i >= 0 {
				t.Fatalf("a block has frames in %q and %q", block[0], block[i])
			}
		}
	})
}

// Episodes are assigned independently.
func TestGroupOfAnotherEpisode(t *testing.T) {
	a := &Assigner{Split: usualSplit, Seed: "7", Group: 10 * time.Second}
	first, second := assigned(a, e1, 24*600), assigned(a, e2, 24*600)
	if same := common(first, second); same == len(first) {
		t.Error("the blocks of two episodes are in the same datasets")
	}
}

// anyAssigner draws an Assigner with every setting. The classes of the frames repeat in order, and
// some frames have none.
func anyAssigner(t *rapid.T, frames int) *Assigner {
	a := &Assigner{
		Split: drawSplit(t, "split"), Seed: drawSeed(t),
		Group:     time.Duration(rapid.IntRange(0, 4).Draw(t, "group")) * time.Second,
		Guard:     rapid.IntRange(0, 30).Draw(t, "guard"),
		Subsample: rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(t, "subsample"),
	}
	if rapid.Bool().Draw(t, "stratify") {
		a.Stratify(drawLabels(t, frames))
	}
	return a
}

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

// A frame has no frame of another dataset within Guard, in particular no neighbour.
func TestGuard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const frames = 24 * 40
		a := anyAssigner(t, frames)
		names := assigned(a, e1, frames)
		for i, name := range names {
			for d := 1; d <= a.Guard && i+d < frames && name != ""; d++ {
				if other := names[i+d]; other != "" && other != name {
					t.Fatalf("frames %d in %s and %d in %s are %d apart", i, name, i+d, other, d)
				}
			}
		}
	})
}

// The guard leaves out exactly the frames within Guard of a frame of another dataset, and moves
// none. It ignores where an episode ends. A frame that the subsample leaves out is no border.
func TestGuardLeavesOutOnlyAtBorders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const frames = 24 * 30
		guarded := anyAssigner(t, frames)
		plain := *guarded
		plain.Guard = 0
		all, names := assigned(&plain, e1, frames+guarded.Guard), assigned(guarded, e1, frames)
		for i, name := range names {
			want := all[i]
			for _, other := range all[max(i-guarded.Guard, 0) : i+guarded.Guard+1] {
				if other != "" && other != all[i] {
					want = ""
				}
			}
			if name != want {
				t.Fatalf("frame %d is in %q, want %q", i, name, want)
			}
		}
	})
}

func TestSubsample(t *testing.T) {
	const frames = 20_000
	a := &Assigner{Split: usualSplit, Seed: "7"}
	all := assigned(a, e1, frames)
	before := map[int]bool{} // the frames that the previous subsample keeps
	for n := range frames {
		before[n] = true
	}
	for _, n := range []int{2, 4, 8} {
		a.Subsample = n
		kept := map[int]bool{}
		for i, name := range assigned(a, e1, frames) {
			switch {
			case name == "":
				continue
			case name != all[i]:
				t.Fatalf("one in %d: frame %d moved from %s to %s", n, i, all[i], name)
			case !before[i]:
				t.Fatalf("one in %d keeps frame %d, which one in %d leaves out", n, i, n/2)
			}
			kept[i] = true
		}
		if !near(len(kept), frames, 1/float64(n)) {
			t.Errorf("one in %d keeps %d of %d", n, len(kept), frames)
		}
		before = kept
	}
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

// BenchmarkDataset assigns one frame.
func BenchmarkDataset(b *testing.B) {
	frames := make([]dataset.Frame, 28_800)
	season := make([]Labelled, len(frames))
	for i := range frames {
		frames[i] = dataset.FrameAt(e1, i)
		season[i] = Labelled{frames[i], []string{"Common", "Rare"}[i/100%2]}
	}
	stratified := Assigner{Split: usualSplit, Seed: "7", Group: 10 * time.Second}
	stratified.Stratify(season)
	for _, c := range []struct {
		name string
		a    Assigner
	}{
		{"frames", Assigner{Split: usualSplit, Seed: "7"}},
		{"group", Assigner{Split: usualSplit, Seed: "7", Group: 10 * time.Second}},
		{"guard", Assigner{Split: usualSplit, Seed: "7", Group: 10 * time.Second, Guard: 24}},
		{"stratified", stratified},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.a.Dataset(frames[i%len(frames)])
			}
		})
	}
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
