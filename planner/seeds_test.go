package planner

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

func TestSeedsToTry(t *testing.T) {
	for _, test := range []struct {
		n              int
		inForce, given string
		want           []string
	}{
		{2, "", "", []string{"seed-1", "seed-2"}},
		{2, "seven", "", []string{"seven", "seed-1", "seed-2"}},
		{2, "seven", "eight", []string{"seven", "eight", "seed-1", "seed-2"}},
		{1, "seven", "seven", []string{"seven", "seed-1"}},
		{3, "seed-2", "seed-1", []string{"seed-2", "seed-1", "seed-3", "seed-4", "seed-5"}},
	} {
		if got := seedsToTry(test.n, test.inForce, test.given); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestRankSeeds(t *testing.T) {
	trial := func(seed string, rare int, train float64, moves int) state.SeedTrial {
		return state.SeedTrial{Seed: seed, Rare: rare, Moves: moves, Shares: map[string]float64{"train": train, "test": 1 - train}}
	}
	trials := []state.SeedTrial{
		trial("many rare", 2, 0.7, 0), trial("far off", 0, 0.8, 0), trial("moves more", 0, 0.71, 9), trial("moves less", 0, 0.69, 3),
		trial("as near as one can see", 0, 0.7100001, 1), trial("one rare", 1, 0.7, 0), trial("best", 0, 0.7, 100),
	}
	rankSeeds(trials, Split{{"train", 0.7}, {"test", 0.3}})
	var got []string
	for _, s := range trials {
		got = append(got, s.Seed)
	}
	want := []string{"best", "as near as one can see", "moves less", "moves more", "far off", "one rare", "many rare"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// trialOf returns the numbers of the plan in the form of a trial.
func trialOf(plan *state.Plan, moves int) state.SeedTrial {
	out := state.SeedTrial{Seed: plan.Settings.Seed, Shares: map[string]float64{}, Rare: len(plan.RareClasses), Leakage: plan.Leakage, Moves: moves}
	all := 0
	for _, b := range plan.Balance {
		all += b.After
		out.Shares[b.Dataset] += float64(b.After)
	}
	for name := range out.Shares {
		out.Shares[name] /= float64(max(all, 1))
	}
	return out
}

// The row of a seed agrees with a plan with this seed, with any settings. This holds for the seed
// in force and for another one.
func TestTrialsEqualPlans(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		classes := []string{"Common", "Rare", "Legendary"}
		in := EpisodeInput{Episode: e1, Layout: layout, Same: sameETag, AllowDelete: true, Images: map[dataset.Frame]string{}, Standing: dataset.Standing{}}
		n := rapid.IntRange(1, 80).Draw(rt, "frames")
		for i := range n {
			f := dataset.FrameAt(e1, i)
			if rapid.IntRange(0, 9).Draw(rt, "image") > 0 {
				in.Images[f] = "an ETag"
			}
			row := rows.Row{Frame: f, Row: i + 2, Class: rapid.SampledFrom([]string{"", "Common", "Common", "Rare", "Legendary"}).Draw(rt, "class")}
			row.Frozen = rapid.IntRange(0, 9).Draw(rt, "frozen") == 0
			if row.Frozen {
				row.Class = ""
			}
			in.Sheet.Rows = append(in.Sheet.Rows, row)
			for _, name := range []string{"train", "test", "old"} {
				if rapid.IntRange(0, 2).Draw(rt, "stands") == 0 {
					in.Standing[f] = append(in.Standing[f], dataset.Copy{Place: dataset.Place{Dataset: name, Class: "Common"}, ETag: "an ETag"})
				}
			}
		}
		base := Assigner{
			Split: usualSplit, Seed: "in force", Group: time.Duration(rapid.IntRange(0, 2).Draw(rt, "group")) * time.Second,
			Guard: rapid.IntRange(0, 2).Draw(rt, "guard"), Subsample: rapid.IntRange(1, 2).Draw(rt, "subsample"),
		}
		if rapid.Bool().Draw(rt, "pinned") {
			base.Pinned = []string{"test"}
		}
		onTheLine := slices.DeleteFunc(sheetLabels(in.Sheet), func(l Labelled) bool {
			_, pinned := pinnedIn(base.Pinned, in.Standing[l.Frame])
			return pinned
		})
		trial := &seedTrial{assign: base, least: 1, classes: classes}
		stratify := rapid.Bool().Draw(rt, "stratify")
		if stratify {
			trial.label("S01", onTheLine)
		}
		in.Assign = base.pin(in.Standing)
		if stratify {
			in.Assign.Stratify(onTheLine)
		}
		trial.episodes = append(trial.episodes, newTrialEpisode(in))
		for _, seed := range []string{"in force", "seed-1"} {
			a := *base.pin(in.Standing)
			a.Seed = seed
			if stratify {
				a.Stratify(onTheLine)
			}
			in.Assign = &a
			out := PlanEpisode(in)
			sum, effect := newSummary(), newSettingsEffect(usualSplit)
			sum.add(in.Standing, out.Expected, &a)
			effect.add(e1, in.Standing, out.Expected)
			moves := 0
			for _, count := range effect.counts {
				moves += count
			}
			plan := &state.Plan{Settings: state.Settings{Datasets: usualSplit.Datasets()}, Leakage: sum.leak.share()}
			plan.Settings.Seed, plan.Settings.Classes = seed, classes
			plan.Balance = sum.balance(plan.Settings)
			plan.RareClasses = sum.units.rare(1, usualSplit, classes, sum.after)
			want, got := trialOf(plan, moves), trial.seed(seed)
			// A trial has no row for a dataset that has no frames and is not in the split.
			for name := range want.Shares {
				if _, ok := got.Shares[name]; !ok && want.Shares[name] == 0 {
					delete(want.Shares, name)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("%s (-plan +trial):\n%s", seed, diff)
			}
		}
	})
}

// A dry run tries all seeds on the same input. It gives the same result each time, and a later plan
// with a seed agrees with it.
func TestSeedsOfADryRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split, w.config.MinPerClass, w.config.MaxDelete = usualSplit, 1, limit(t, "100%")
		w.manifest("S01", e1, e2)
		for _, e := range []dataset.Episode{e1, e2} {
			all := frames(e, 240)
			w.images(all...)
			cells := table("Common", all)
			for i := range 3 {
				cells[70*i+1][1] = "Legendary"
			}
			w.sheet(e, cells)
		}
		first := w.plan(Options{DryRun: true, Seeds: 3})
		if len(first.Seeds) != 3 || slices.ContainsFunc(first.Seeds, func(s state.SeedTrial) bool { return s.InForce }) {
			t.Errorf("before the first run: %+v", first.Seeds)
		}
		w.converge(Options{Seed: "7"})
		for _, settings := range []func(*Config){
			func(*Config) {},
			func(c *Config) { c.Group = time.Second },
			func(c *Config) { c.Group, c.Stratify, c.Guard = time.Second, true, 2 },
			func(c *Config) { c.Group, c.Subsample, c.Stratify = 0, 2, true },
		} {
			w.give(func(c *Config) { c.Group, c.Stratify, c.Guard, c.Subsample = 0, false, 0, 1 })
			settings(&w.config)
			w.sheets.read = nil
			plan := w.plan(Options{DryRun: true, Seeds: 3})
			if read := len(w.sheets.read); read != 2 {
				t.Errorf("%d sheets were read", read)
			}
			if again := w.plan(Options{DryRun: true, Seeds: 3}); !cmp.Equal(plan.Seeds, again.Seeds) || len(plan.Seeds) != 4 {
				t.Errorf("twice the same:\n%s", cmp.Diff(plan.Seeds, again.Seeds))
			}
			for _, trial := range plan.Seeds {
				single := w.plan(Options{DryRun: true, Reshuffle: true, Seed: trial.Seed})
				moves := 0
				if single.DatasetChanges != nil {
					moves = single.DatasetChanges.Frames
				}
				want := trialOf(single, moves)
				if want.InForce = trial.Seed == "7"; !cmp.Equal(want, trial) {
					t.Errorf("%s (-plan +trial):\n%s", plan.Settings.Group, cmp.Diff(want, trial))
				}
			}
		}
	})
}

// A trial skips a held episode, as the balance of the plan does.
func TestSeedsLeaveHeldEpisodesOut(t *testing.T) {
	inBubble(t, 40, func(t *testing.T, w *world) {
		w.config.Split = usualSplit
		w.manifest("S01", e1, e2)
		w.sheet(e2, nil)
		plan := w.plan(Options{DryRun: true, Seeds: 1, Seed: "7"})
		if want := trialOf(plan, 0); len(plan.Held()) != 1 || len(plan.Seeds) != 2 || !slices.ContainsFunc(plan.Seeds, func(s state.SeedTrial) bool { return cmp.Equal(s, want) }) {
			t.Errorf("held %v, seeds %+v, want %+v", plan.Held(), plan.Seeds, want)
		}
	})
}

func TestTrialsEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errBroken)
	trial := &seedTrial{assign: Assigner{Split: usualSplit}}
	if got, err := trial.try(ctx, []string{"1", "2"}); got != nil || !errors.Is(err, errBroken) {
		t.Errorf("%v, %v", got, err)
	}
}

// A stratified season of 345,600 frames needs the most memory.
func BenchmarkSeeds(b *testing.B) {
	const episodes, n = 12, 28_800
	for _, stratified := range []bool{false, true} {
		for _, group := range []time.Duration{0, 10 * time.Second} {
			b.Run(fmt.Sprintf("stratified=%t/group=%s", stratified, group), func(b *testing.B) {
				base := Assigner{Split: usualSplit, Seed: "7", Group: group}
				trial := &seedTrial{assign: base, least: 1, classes: classes}
				var all []Labelled
				for i := range episodes {
					e := dataset.Episode(fmt.Sprintf("S01E%02d", i+1))
					episode := trialEpisode{season: "S01", assign: base}
					for _, f := range frames(e, n) {
						episode.frames = append(episode.frames, trialFrame{frame: f, class: "Common", in: []string{"train"}})
						all = append(all, Labelled{Frame: f, Class: "Common"})
					}
					trial.episodes = append(trial.episodes, episode)
				}
				if stratified {
					trial.label("S01", all)
				}
				seeds := seedsToTry(seedsAtOnce, "", "")
				var most runtime.MemStats
				b.ReportAllocs()
				for b.Loop() {
					if _, err := trial.try(context.Background(), seeds); err != nil {
						b.Fatal(err)
					}
				}
				runtime.ReadMemStats(&most)
				b.ReportMetric(float64(most.HeapSys)/1e6, "MB-heap")
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(len(seeds)), "s/seed")
			})
		}
	}
}
