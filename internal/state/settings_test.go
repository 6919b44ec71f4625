package state_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
)

// settingsWorld is a store in a folder, with the objects that runs write.
type settingsWorld struct {
	t *testing.T
	*state.Store
}

func newSettingsWorld(t *testing.T) settingsWorld {
	t.Helper()
	b, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return settingsWorld{t, &state.Store{Bucket: b, Layout: dataset.Layout{Prefix: "tt"}}}
}

func (w settingsWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w settingsWorld) put(name, body string) {
	w.t.Helper()
	_, err := w.Write(w.t.Context(), name, []byte(body), bucket.Condition{})
	w.must(err)
}

// published writes a run whose tasks were sent.
func (w settingsWorld) published(p state.Plan) {
	w.t.Helper()
	w.must(w.WritePlan(w.t.Context(), &p))
	w.put(state.RunName(p.Run, state.LedgerName), "{}")
}

func (w settingsWorld) version(p state.Plan) {
	w.t.Helper()
	_, err := versiontest.Publish(w.t.Context(), w.Store, state.Version{Generation: p.Generation, Run: p.Run, Settings: p.Settings}, nil)
	w.must(err)
}

// plan returns the plan of a run that is named after its generation.
func plan(generation int64, seed string, datasets ...string) state.Plan {
	return state.Plan{
		Generation: generation, Run: fmt.Sprintf("20261123T212443Z-%d", generation),
		Settings: state.Settings{
			Definition: state.Definition{Seed: seed, Split: "train=0.7,test=0.3", Group: "10s", Classes: []string{"Common"}},
			Datasets:   datasets,
		},
	}
}

func inForce(seed string, since, generation int64, datasets ...string) state.InForce {
	p := plan(since, seed)
	return state.InForce{V: 1, Settings: p.Settings.Definition, Since: state.Since{Run: p.Run, Generation: since}, Generation: generation, Datasets: datasets}
}

// A planner that was paused before it recorded its settings, and was superseded meanwhile, does not
// record them.
func TestEnsureSettings(t *testing.T) {
	w := newSettingsWorld(t)
	for _, step := range []struct {
		name string
		plan state.Plan
		want state.InForce
	}{
		{"the first run chooses", plan(1, "one", "train", "test"), inForce("one", 1, 1, "train", "test")},
		{"a newer run keeps them", plan(3, "one", "train", "validate"), inForce("one", 1, 3, "train", "test", "validate")},
		{"the run that was superseded comes late", plan(2, "two", "train"), inForce("one", 1, 3, "train", "test", "validate")},
		{"a change", plan(4, "four", "train", "test"), inForce("four", 4, 4, "train", "test", "validate")},
		{"twice", plan(4, "four", "train", "test"), inForce("four", 4, 4, "train", "test", "validate")},
	} {
		w.must(w.WritePlan(t.Context(), &step.plan))
		w.must(w.EnsureSettings(t.Context(), &step.plan))
		got, err := w.Settings(t.Context())
		if diff := cmp.Diff(step.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", step.name, err, diff)
		}
	}
}

// It does not record them either when settings.json was deleted meanwhile.
func TestEnsureSettingsOfAnOldPlanWithoutSettings(t *testing.T) {
	w := newSettingsWorld(t)
	w.published(plan(3, "three", "train", "test"))
	late := plan(2, "two", "train", "test")
	w.must(w.EnsureSettings(t.Context(), &late))
	if f, err := w.Settings(t.Context()); err != nil || f.Settings.Seed != "three" || f.Rebuilt == "" {
		t.Errorf("%+v, %v", f, err)
	}
}

// If versions or published runs exist, a missing settings.json does not mean that the run is the
// first.
func TestMissingSettingsAreMadeAgain(t *testing.T) {
	const old = `{"v":1,"seed":"old","run":"20261123T212443Z-6","generation":6,"datasets":["train","test","gone"]}`
	p := plan(5, "five", "train", "test")
	for _, test := range []struct {
		name  string
		leave func(settingsWorld)
		want  string // seed
		since int64
	}{
		{"nothing", func(settingsWorld) {}, "", 0},
		{"a reviewed run", func(w settingsWorld) { w.must(w.WritePlan(t.Context(), &p)) }, "", 0},
		{"a run whose first message was just sent", func(w settingsWorld) {
			w.must(w.WritePlan(t.Context(), &p))
			w.put(state.RunName(p.Run, "published.json"), "{}")
		}, "five", 5},
		{"a published run", func(w settingsWorld) { w.published(p) }, "five", 5},
		{"a version", func(w settingsWorld) { w.version(p) }, "five", 5},
		{"a version and a run after it", func(w settingsWorld) {
			w.version(p)
			w.published(plan(6, "six", "train", "test"))
		}, "six", 6},
		{"a version and a reviewed run after it", func(w settingsWorld) {
			w.version(p)
			later := plan(6, "six", "train", "test")
			w.must(w.WritePlan(t.Context(), &later))
		}, "five", 5},
		{"an earlier release with a version", func(w settingsWorld) { w.version(p); w.put("seed.json", old) }, "old", 0},
		{"an earlier release whose runs failed", func(w settingsWorld) { w.published(p); w.put("seed.json", old) }, "old", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newSettingsWorld(t)
			test.leave(w)
			got, err := w.Settings(t.Context())
			w.must(err)
			if got.Settings.Seed != test.want || got.Since.Generation != test.since || got.Exists() != (test.want != "") || (got.Rebuilt != "") != got.Exists() {
				t.Fatalf("%+v", got)
			}
			if got.Exists() && got.Settings.Group != "10s" {
				t.Errorf("%+v", got.Settings)
			}
			if test.want == "old" && !cmp.Equal(got.Datasets, []string{"train", "test", "gone"}) {
				t.Errorf("datasets %v", got.Datasets)
			}
			if !got.Exists() {
				return
			}
			// The next run records the rebuilt settings, and the run that they are from.
			next := plan(9, got.Settings.Seed, "train", "test")
			next.SettingsSince, next.Settings.Listed = got.Since, got.Datasets
			w.must(w.WritePlan(t.Context(), &next))
			w.must(w.EnsureSettings(t.Context(), &next))
			if got.Since.Run == "" {
				got.Since = state.Since{Run: next.Run, Generation: 9}
			}
			now, err := w.Settings(t.Context())
			w.must(err)
			if diff := cmp.Diff(got, now, cmpopts.IgnoreFields(state.InForce{}, "Rebuilt", "Generation")); diff != "" || now.Generation != 9 {
				t.Errorf("generation %d\n%s", now.Generation, diff)
			}
		})
	}
}

// Settings that contradict other objects stop everything. The error names the object and what to
// do.
func TestSettingsThatCannotBeTrusted(t *testing.T) {
	const whole = `{"v":1,"settings":{"seed":"%s","split":"train=0.7,test=0.3","group":"10s","classes":["Common"]},"since":{"run":"r","generation":%d},"generation":%d,"datasets":["train","test"]}`
	good := fmt.Sprintf(whole, "five", 5, 5)
	for _, test := range []struct{ name, body, want string }{
		{"empty", "", "damaged"},
		{"cut short", good[:60], "damaged"},
		{"a page of HTML", "<html>", "damaged"},
		{"another object", `{"v":1,"generation":5,"run":"r"}`, "damaged"},
		{"null", "null", "damaged"},
		{"a list", "[]", "damaged"},
		{"of other datasets, without a version of theirs", fmt.Sprintf(whole, "other", 6, 7), "run r, which recorded it, is none of these"},
		{"of a later generation than any run", fmt.Sprintf(whole, "five", 5, 99), "the newest run here has 7"},
		{"of a newer release", `{"v":2,"settings":"other"}`, "newer release"},
		{"of other datasets", fmt.Sprintf(whole, "other", 2, 7), `its seed is "other", and that of dataset version 5 is "five"`},
		{"an old one put back", fmt.Sprintf(whole, "five", 1, 3), "older than dataset version 5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newSettingsWorld(t)
			w.version(plan(5, "five", "train", "test"))
			_, err := w.Swap(t.Context(), state.PointerSnapshot{}, state.Pointer{Generation: 7, Run: "20261123T212443Z-7", State: state.Failed})
			w.must(err)
			w.put("settings.json", test.body)
			_, err = w.Settings(t.Context())
			if !errors.Is(err, state.ErrSettings) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "tt/shuffle/settings.json") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
	t.Run("seed.json without anything else", func(t *testing.T) {
		w := newSettingsWorld(t)
		w.put("seed.json", `{"v":1,"seed":"7","run":"r","generation":1,"datasets":["train"]}`)
		if _, err := w.Settings(t.Context()); !errors.Is(err, state.ErrSettings) {
			t.Error(err)
		}
	})
	t.Run("a damaged seed.json", func(t *testing.T) {
		w := newSettingsWorld(t)
		w.version(plan(5, "five", "train", "test"))
		w.put("seed.json", `{"v":1,"se`)
		if _, err := w.Settings(t.Context()); !errors.Is(err, state.ErrSettings) {
			t.Error(err)
		}
	})
}

// The settings of a later published run have priority over an older object that a person has put
// back. The remaining objects decide.
func TestSettingsThatAreOlderThanARun(t *testing.T) {
	w := newSettingsWorld(t)
	first, second := plan(5, "five", "train", "test"), plan(6, "six", "train", "test")
	w.must(w.WritePlan(t.Context(), &first))
	w.must(w.EnsureSettings(t.Context(), &first))
	before, err := w.Read(t.Context(), "settings.json")
	w.must(err)
	w.published(second)
	w.must(w.EnsureSettings(t.Context(), &second))
	_, err = w.Swap(t.Context(), state.PointerSnapshot{}, state.Pointer{Generation: 6, Run: second.Run, State: state.Cancelled})
	w.must(err)
	w.put("settings.json", string(before.Body))
	if f, err := w.Settings(t.Context()); !errors.Is(err, state.ErrSettings) || !strings.Contains(err.Error(), "older than run "+second.Run) {
		t.Errorf("%+v, %v", f, err)
	}
}

// The seed of an earlier release has no effect after a newer run or version. Its run counts as
// published even without other objects.
func TestSeedOfAnEarlierRelease(t *testing.T) {
	const old = `{"v":1,"seed":"five","run":"20261123T212443Z-5","generation":5,"datasets":["train","test"]}`
	w := newSettingsWorld(t)
	five, six := plan(5, "five", "train", "test"), plan(6, "six", "train", "test")
	w.must(w.WritePlan(t.Context(), &five))
	w.put("seed.json", old)
	if f, err := w.Settings(t.Context()); err != nil || f.Settings.Seed != "five" || f.Since.Generation != 5 {
		t.Errorf("without any result: %+v, %v", f, err)
	}
	w.version(six)
	if f, err := w.Settings(t.Context()); err != nil || f.Settings.Seed != "six" || f.Since.Generation != 6 {
		t.Errorf("after a newer version: %+v, %v", f, err)
	}
}

// If the pointer names a published run without objects, the next run is not the first.
func TestNothingIsLeftOfAPublishedRun(t *testing.T) {
	for held, known := range map[state.State]bool{
		state.Planning: false, state.Publishing: false, state.Review: false, state.Failed: false,
		state.Running: true, state.Verifying: true, state.Succeeded: true,
	} {
		w := newSettingsWorld(t)
		_, err := w.Swap(t.Context(), state.PointerSnapshot{}, state.Pointer{Generation: 1, Run: "20261123T212443Z-1", State: held})
		w.must(err)
		if _, err := w.Settings(t.Context()); errors.Is(err, state.ErrSettings) != known {
			t.Errorf("%s: %v", held, err)
		}
	}
}

// forgetful once reports that settings.json does not exist, although it does.
type forgetful struct {
	state.Bucket
	left int
}

func (b *forgetful) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	if strings.HasSuffix(key, "/settings.json") && b.left > 0 {
		b.left--
		return bucket.Content{}, bucket.ErrNotFound
	}
	return b.Bucket.GetObject(ctx, key, ifNoneMatch)
}

func TestOneAnswerThatThereIsNoneIsNotBelieved(t *testing.T) {
	w := newSettingsWorld(t)
	p := plan(5, "five", "train", "test")
	w.must(w.WritePlan(t.Context(), &p))
	w.must(w.EnsureSettings(t.Context(), &p))
	w.Bucket = &forgetful{w.Bucket, 1}
	if f, err := w.Settings(t.Context()); !errors.Is(err, state.ErrSettings) {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := w.Settings(t.Context()); err != nil || f.Settings.Seed != "five" {
		t.Errorf("%+v, %v", f, err)
	}
}
