package planner

import (
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
