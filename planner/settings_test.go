package planner

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// TestChoose is the table in the comment of choose.
func TestChoose(t *testing.T) {
	inForce := state.InForce{
		V: 1, Since: state.Since{Run: "r-3", Generation: 3}, Generation: 4,
		Settings: state.Definition{Seed: "seven", Split: "train=0.7,test=0.3", Group: "10s", Subsample: 1, Classes: []string{"Junk", "Rare"}},
	}
	config := func(given ...string) Config {
		c := Config{Split: Split{{"train", 0.7}, {"test", 0.3}}, Subsample: 1, Classes: []string{"Rare", "Junk"}, Given: map[string]string{}}
		for _, name := range given {
			c.Given[name] = "SHUFFLE_" + strings.ToUpper(name)
		}
		return c
	}
	for _, test := range []struct {
		name    string
		inForce state.InForce
		config  Config
		opt     Options
		want    string // group and seed; "" means refused
		given   string // names of the given settings
		message string
	}{
		{"the first run", state.InForce{}, config("group"), Options{Seed: "one"}, "0s one", "", ""},
		{"nothing is given", inForce, config(), Options{}, "10s seven", "", ""},
		{"the same is given", inForce, config("split", "classes", "subsample"), Options{Seed: "seven"}, "10s seven", "", ""},
		{"another group", inForce, config("group"), Options{}, "", "", "\n  group: in force 10s, given 0s (SHUFFLE_GROUP)\n"},
		{"another group, for a review", inForce, config("group"), Options{Review: true}, "", "", "since run r-3"},
		{"what if", inForce, config("group"), Options{DryRun: true}, "0s seven", "group", ""},
		{"a change", inForce, config("group"), Options{ChangeSettings: true}, "0s seven", "group", ""},
		{"as recorded", inForce, config("group"), Options{DryRun: true, Recorded: true}, "10s seven", "", ""},
		{"another seed", inForce, config(), Options{Seed: "eight"}, "", "", "\n  seed: in force seven, given eight"},
		{"another seed, what if", inForce, config(), Options{Seed: "eight", DryRun: true}, "10s eight", "seed", ""},
		{"a change of one episode", inForce, config("group"), Options{ChangeSettings: true, Episodes: []dataset.Episode{e1}}, "", "", "settings are those of all episodes"},
		{"a change of one episode, what if", inForce, config("group"), Options{DryRun: true, Episodes: []dataset.Episode{e1}}, "0s seven", "group", ""},
		{"the end of no pin", inForce, config(), Options{Unpin: []string{"test"}, ChangeSettings: true}, "", "", "expected a dataset that is pinned (now: none)"},
		{"another seed, reshuffled", inForce, config(), Options{Seed: "eight", Reshuffle: true}, "10s eight", "seed", ""},
		{"another seed, changed", inForce, config(), Options{Seed: "eight", ChangeSettings: true}, "10s eight", "seed", ""},
		{"a reshuffle changes the seed alone", inForce, config("group"), Options{Seed: "eight", Reshuffle: true}, "", "", "group: in force 10s"},
		{"a pin", inForce, config(), Options{Pin: []string{"test"}}, "", "", "--change-settings"},
		{"a pin, changed", inForce, config(), Options{Pin: []string{"test"}, ChangeSettings: true}, "10s seven", "pinned", ""},
		{"a pin of nothing", inForce, config(), Options{Pin: []string{"tset"}, ChangeSettings: true}, "", "", `the dataset "tset" is pinned`},
	} {
		ch, err := test.config.choose(test.inForce, test.opt)
		if (err != nil) != (test.want == "") || err != nil && (!errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), test.message)) {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if err != nil {
			continue
		}
		var names []string
		for _, g := range ch.given {
			names = append(names, g.Name)
		}
		group := ch.Group
		if group == "" {
			group = "0s"
		}
		if got := group + " " + ch.Seed; got != test.want || strings.Join(names, " ") != test.given {
			t.Errorf("%s: %q, given %v", test.name, got, names)
		}
	}
}

// A case from practice: the datasets were made with a group. Then a plan came from a shell without
// the group, or with another one.
func TestSettingsBelongToTheDatasets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split, w.config.Group = usualSplit, 10*time.Second
		w.manifest("S01", e1)
		w.episode(e1, 2400)
		w.converge(Options{Seed: "7"})
		before := w.listing("")

		w.config.Group = 0 // the default, which does not count as given
		if plan := w.plan(Options{DryRun: true}); plan.Tasks != 0 || plan.Settings.Group != "10s" || plan.DatasetChanges != nil || plan.InForce != nil {
			t.Errorf("another shell: %d tasks, %+v", plan.Tasks, plan.Settings)
		}
		w.config.Given = map[string]string{"group": "SHUFFLE_GROUP in .env"}
		w.sheets.read = nil
		_, err := w.planner().Plan(context.Background(), Options{})
		if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), "group: in force 10s, given 0s (SHUFFLE_GROUP in .env)") || len(w.sheets.read) > 0 {
			t.Errorf("%v; read %v", err, w.sheets.read)
		}
		what := w.plan(Options{DryRun: true})
		same(t, before, w.listing(""))
		if what.Tasks == 0 || what.DatasetChanges == nil || what.DatasetChanges.Frames != what.Totals.Move || what.DatasetChanges.Of != 2400 ||
			what.InForce == nil || what.InForce.Group != "10s" || what.Settings.Group != "" {
			t.Errorf("what if: %d tasks, %+v", what.Tasks, what.DatasetChanges)
		}
		if diff := cmp.Diff([]state.GivenSetting{{Name: "group", InForce: "10s", Given: "0s", From: "SHUFFLE_GROUP in .env"}}, what.Given); diff != "" {
			t.Error(diff)
		}
		changed := w.converge(Options{ChangeSettings: true})
		if changed.Totals.Move != what.Totals.Move {
			t.Errorf("%+v, as a what-if %+v", changed.Totals, what.Totals)
		}
		now, err := w.store.Settings(context.Background())
		w.must(err)
		if now.Settings.Group != "" || now.Since.Run != changed.Run || now.Settings.Seed != "7" {
			t.Errorf("in force: %+v", now)
		}
		w.config.Group, w.config.Given = time.Second, nil
		if plan := w.plan(Options{}); plan.Tasks != 0 {
			t.Errorf("afterwards: %d tasks", plan.Tasks)
		}
	})
}

// The plan counts a frame that moves to the test dataset and was in train in a kept version.
func TestTrainedFramesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split = Split{{"train", 0.5}, {"test", 0.5}}
		w.manifest("S01", e1)
		all := w.episode(e1, 200)
		w.publishVersion(w.converge(Options{Seed: "1"}))
		trained := map[dataset.Frame]bool{}
		one, two := &Assigner{Split: w.config.Split, Seed: "1"}, &Assigner{Split: w.config.Split, Seed: "2"}
		moved, tested := 0, 0
		for _, f := range all {
			was, _ := one.Dataset(f)
			is, _ := two.Dataset(f)
			if trained[f] = was == "train"; is != was {
				moved++
			}
			if is == "test" {
				tested++
			}
		}
		want := &state.DatasetChanges{
			Frames: moved, Of: 200, Counts: []state.ChangedFrames{{Episode: "S01E01", Class: "Common", Frames: moved}},
			Trained: []state.TrainedFrames{{Dataset: "test", Frames: tested}},
		}
		for _, f := range all {
			if is, _ := two.Dataset(f); is == "test" && trained[f] {
				want.Trained[0].Trained++
			}
		}
		plan := w.plan(Options{DryRun: true, Reshuffle: true, Seed: "2"})
		if diff := cmp.Diff(want, plan.DatasetChanges); diff != "" || want.Trained[0].Trained == 0 {
			t.Error(diff)
		}
	})
}

// Invalid settings stop every plan before it reads or starts anything.
func TestSettingsThatCannotBeTrustedHoldEverything(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, w *world) {
		w.put(layout.State()+"settings.json", `{"v":1,`)
		before := w.listing("")
		for _, opt := range []Options{{}, {DryRun: true}, {Review: true}, {Supersede: true}, {Reshuffle: true}} {
			if _, err := w.planner().Plan(context.Background(), opt); !errors.Is(err, state.ErrSettings) {
				t.Errorf("%+v: %v", opt, err)
			}
		}
		same(t, before, w.listing(""))
	})
}
