package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// shuffle plan, with few blocks of a rare class: both a dry run and a published plan warn of each
// dataset with too few of them. --min-per-class sets the limit.
func TestRareClasses(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 1200})
	w.env = append(w.env, "SHUFFLE_GROUP=1s")
	dry := w.plan(0, "--dry-run", "--seed", "rare", "--min-per-class", "12")
	if len(dry.RareClasses) == 0 {
		t.Fatal("no dataset has fewer than 12 blocks of a class that has enough")
	}
	for _, r := range dry.RareClasses {
		if r.Units >= 12 || r.Enough != 12 || r.Of < 36 || r.Units == 0 != (r.Frames == 0) {
			t.Errorf("%+v", r)
		}
	}
	first := dry.RareClasses[0]
	out, _ := w.run(0, "plan", "--seed", "rare", "--min-per-class", "12")
	says(t, out, `! `+first.Dataset+` has \d+ blocks? of `+first.Class+`; all datasets together have \d+; expected at least 12 \(--min-per-class\): --stratify spreads them; --dry-run --seeds 20 shows seeds that do`)
	if s := w.carry(0); s.State != state.Succeeded {
		t.Fatalf("%+v", s)
	}
	if off := w.plan(0, "--dry-run", "--min-per-class", "0"); len(off.RareClasses) != 0 {
		t.Errorf("switched off: %+v", off.RareClasses)
	}
	one := w.plan(0, "--dry-run")
	none := slices.Clone(one.MissingClasses)
	for _, r := range one.RareClasses {
		if r.Units != 0 || !slices.Contains(none, r.Dataset+"/"+r.Class) {
			t.Errorf("by default: %+v, missing %v", r, none)
		}
	}
}

// shuffle plan --dry-run --seeds N writes nothing, and prints the same each time. Its forecast for
// a seed is right: the command at its end produces that result.
func TestSeeds(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 1200})
	w.env = append(w.env, "SHUFFLE_GROUP=1s")
	w.finish(w.wanted(), "--seed", "seven")
	var plan state.Plan
	var page string
	untouched(t, w.dir, func() {
		plan = w.plan(0, "--dry-run", "--seeds", "20")
		if again := w.plan(0, "--dry-run", "--seeds", "20"); !gocmp.Equal(plan.Seeds, again.Seeds) {
			t.Errorf("the same command, twice:\n%s", gocmp.Diff(plan.Seeds, again.Seeds))
		}
		page, _ = w.run(0, "plan", "--dry-run", "--seeds", "20")
	})
	if len(plan.Seeds) != 21 || plan.Tasks != 0 || plan.Settings.Seed != "seven" {
		t.Fatalf("%d seeds, %d tasks, seed %s", len(plan.Seeds), plan.Tasks, plan.Settings.Seed)
	}
	if !slices.IsSortedFunc(plan.Seeds, func(a, b state.SeedTrial) int { return cmp.Compare(a.Rare, b.Rare) }) {
		t.Error("fewer rare classes do not come first")
	}
	inForce := slices.IndexFunc(plan.Seeds, func(s state.SeedTrial) bool { return s.InForce })
	if s := plan.Seeds[inForce]; s.Seed != "seven" || s.Moves != 0 || s.Leakage != plan.Leakage || s.Rare != len(plan.RareClasses) {
		t.Errorf("in force: %+v; the plan: leakage %v, rare %+v", s, plan.Leakage, plan.RareClasses)
	}
	says(t, page, `Seeds the best of 21: .*seven \* .*\*: in force`)

	typed := regexp.MustCompile(`shuffle --local \S+ (run --reshuffle --seed (seed-\d+))`).FindStringSubmatch(page)
	if typed == nil {
		t.Fatalf("no command to type:\n%s", page)
	}
	best := plan.Seeds[slices.IndexFunc(plan.Seeds, func(s state.SeedTrial) bool { return s.Seed == typed[2] })]
	taken := w.plan(0, strings.Fields(typed[1])[1:]...)
	if taken.DatasetChanges.Frames != best.Moves || taken.Leakage != best.Leakage || len(taken.RareClasses) != best.Rare {
		t.Errorf("%+v\nand taken: %+v, leakage %v, rare %+v", best, taken.DatasetChanges, taken.Leakage, taken.RareClasses)
	}
	if s := w.carry(0); s.State != state.Succeeded || w.plan(0).Tasks != 0 {
		t.Errorf("%+v", s)
	}

	// For a what-if under other settings, the command at the end has the flags that make the
	// planner accept it.
	untouched(t, w.dir, func() {
		out, _ := w.run(0, "plan", "--dry-run", "--seeds", "3", "--group", "2s", "--stratify")
		says(t, out, `What if: .* shuffle --local \S+ run --reshuffle --seed seed-\d+ --change-settings`)
	})
}

// shuffle plan --seeds, called wrongly.
func TestSeedsUsage(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 24})
	untouched(t, w.dir, func() {
		for _, test := range []struct {
			args []string
			says string
		}{
			{[]string{"--seeds", "5"}, `--seeds \(SHUFFLE_SEEDS\) .*expected --dry-run`},
			{[]string{"--seeds", "5", "--review"}, `expected --dry-run`},
			{[]string{"--dry-run", "--seeds", "0"}, `--seeds 0 \(SHUFFLE_SEEDS\): expected 1 to 1000`},
			{[]string{"--dry-run", "--seeds=-1"}, `--seeds -1 .*expected 1 to 1000`},
			{[]string{"--dry-run", "--seeds", "1001"}, `--seeds 1001 .*expected 1 to 1000`},
			{[]string{"--dry-run", "--seeds", "many"}, `--seeds`},
			{[]string{"--dry-run", "--min-per-class=-1"}, `--min-per-class -1 \(SHUFFLE_MIN_PER_CLASS\): expected`},
		} {
			_, logs := w.run(2, append([]string{"plan"}, test.args...)...)
			says(t, logs, test.says)
		}
	})
}
