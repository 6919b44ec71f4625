package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// given is the same world, used from an environment with these settings.
func (w *world) given(env ...string) *world {
	other := *w
	other.env = append(append([]string{}, w.env...), env...)
	return &other
}

func (w *world) settings(code int) (s struct {
	Settings state.Definition
	Since    string
	Given    []state.GivenSetting
}) {
	w.t.Helper()
	out, _ := w.run(code, "settings", "--json")
	return decode[struct {
		Settings state.Definition
		Since    string
		Given    []state.GivenSetting
	}](w.t, out)
}

// shuffle plan from a shell with other settings, or with none.
func TestSettingsInForce(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 480})
	if s := w.settings(0); s.Since != "" || s.Settings.Seed != "" {
		t.Errorf("before the first run: %+v", s)
	}
	made := w.given("SHUFFLE_GROUP=10s")
	made.run(0, "run")
	first := w.settings(0)
	if first.Settings.Group != "10s" || first.Settings.Split != "train=0.7,validate=0.1,test=0.2" || first.Since == "" || len(first.Given) != 0 {
		t.Errorf("in force: %+v", first)
	}
	for _, env := range [][]string{nil, {"SHUFFLE_GROUP=10s"}, {"SHUFFLE_GROUP="}, {"SHUFFLE_CLASSES=Legendary,Rare,Uncommon,Common,Junk", "SHUFFLE_GUARD=0"}} {
		if plan := w.given(env...).plan(0, "--dry-run"); plan.Tasks != 0 {
			t.Errorf("%v: %d tasks", env, plan.Tasks)
		}
	}
	other := w.given("SHUFFLE_GROUP=1s", "SHUFFLE_STRATIFY=true")
	untouched(t, w.bucket(), func() {
		for _, command := range []string{"plan", "run", "plan --review", "plan --json", "plan --supersede"} {
			_, logs := other.run(2, strings.Fields(command)...)
			says(t, logs, `since run `+first.Since)
			says(t, logs, `group: in force 10s, given 1s \(SHUFFLE_GROUP\)`)
			says(t, logs, `stratify: in force false, given true \(SHUFFLE_STRATIFY\)`)
			says(t, logs, `--change-settings`)
		}
		_, logs := w.run(2, "plan", "--split", "train=0.5,test=0.5")
		says(t, logs, `split: in force train=0.7,validate=0.1,test=0.2, given train=0.5,test=0.5 \(--split\)`)
		out, _ := other.run(0, "plan", "--dry-run")
		if !strings.HasPrefix(out, "! ") {
			t.Errorf("the first line of a what-if:\n%s", out)
		}
		says(t, out, `[0-9,]+ of [0-9,]+ frames would change their dataset`)
		what := other.plan(0, "--dry-run")
		if what.DatasetChanges == nil || what.DatasetChanges.Frames == 0 || what.DatasetChanges.Frames != what.Totals.Move || len(what.Given) != 2 || what.InForce.Group != "10s" {
			t.Errorf("what if: %+v, %+v", what.DatasetChanges, what.Given)
		}
		if s := other.settings(0); len(s.Given) != 2 || s.Given[0].Name != "group" || s.Given[0].From != "SHUFFLE_GROUP" || s.Settings.Group != "10s" {
			t.Errorf("settings: %+v", s)
		}
		frame := string(w.episode(0).Images[0])
		if mine, theirs := w.why(frame), other.why(frame); mine != theirs {
			t.Errorf("why, in two environments:\n%s\n%s", mine, theirs)
		}
	})
	other.run(0, "run", "--change-settings")
	now := w.settings(0)
	if now.Settings.Group != "1s" || !now.Settings.Stratify || now.Settings.Seed != first.Settings.Seed || now.Since == first.Since {
		t.Errorf("changed: %+v", now)
	}
	if plan := w.plan(0, "--dry-run"); plan.Tasks != 0 {
		t.Errorf("after the change: %d tasks", plan.Tasks)
	}
	w.run(0, "restore", "1")
	w.run(0, "run", "--resume")
	if s := w.settings(0); s.Settings.Group != "10s" || s.Settings.Stratify {
		t.Errorf("restored: %+v", s)
	}
	if plan := other.given("SHUFFLE_GROUP=", "SHUFFLE_STRATIFY=").plan(0, "--dry-run"); plan.Tasks != 0 {
		t.Errorf("after the restore: %d tasks", plan.Tasks)
	}
}

func (w *world) why(frame string) string {
	w.t.Helper()
	out, _ := w.run(0, "why", frame)
	return out
}

// Without settings.json the settings are restored; with a damaged one no run begins.
func TestSettingsLostAndBroken(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 480})
	w.given("SHUFFLE_GROUP=10s").run(0, "run")
	before := w.settings(0)
	whole, err := os.ReadFile(w.own("settings.json"))
	w.must(err)
	w.must(os.Remove(w.own("settings.json")))
	_, logs := w.run(0, "plan", "--dry-run")
	says(t, logs, `settings.json is missing; the settings in force are taken from run `+before.Since)
	w.given("SHUFFLE_GROUP=1s").run(2, "plan")
	w.run(0, "run")
	if s := w.settings(0); s.Settings.Seed != before.Settings.Seed || s.Settings.Group != "10s" || s.Since != before.Since {
		t.Errorf("%+v, before %+v", s, before)
	}
	for _, body := range map[string]string{
		"cut short": string(whole[:len(whole)/2]), "empty": "", "newer": `{"v":2}`,
		"foreign": strings.ReplaceAll(string(whole), before.Settings.Seed, "foreign"),
	} {
		w.must(os.WriteFile(w.own("settings.json"), []byte(body), 0o600))
		untouched(t, w.bucket(), func() {
			for _, command := range []string{"plan", "plan --dry-run", "run", "settings", "plan --change-settings", "plan --reshuffle"} {
				_, logs := w.run(2, strings.Fields(command)...)
				says(t, logs, `tuttle_twins/shuffle/settings\.json: it `)
			}
		})
	}
}

// A state of the release before settings.json: the seed and the newest version define the settings
// in force. The datasets were made with --group 10s --split train=0.6,validate=0.2,test=0.2 --seed
// upgrade.
func TestUpgradeFromTheSeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.unpack("testdata/state-before-settings.tar.gz")
	w.run(0, "setup")
	plan := w.plan(0, "--dry-run")
	if plan.Tasks != 0 || plan.Settings.Group != "10s" || plan.Settings.Seed != "upgrade" || plan.Settings.Split != "train=0.6,validate=0.2,test=0.2" {
		t.Errorf("%d tasks, %+v", plan.Tasks, plan.Settings)
	}
	w.given("SHUFFLE_SPLIT=train=0.7,validate=0.1,test=0.2").run(2, "plan")
	_, logs := w.run(0, "run")
	says(t, logs, `settings.json is missing; the settings in force are taken from seed.json and run 20261129T213233Z-1`)
	if s := w.settings(0); s.Settings.Group != "10s" || s.Settings.Seed != "upgrade" || s.Since != "20261129T213233Z-1" {
		t.Errorf("%+v", s)
	}
	_, logs = w.run(0, "plan", "--dry-run")
	if strings.Contains(logs, "missing") {
		t.Errorf("after the upgrade:\n%s", logs)
	}
	w.run(0, "verify")
	w.run(0, "versions")
	w.run(0, "pull", filepath.Join(w.work, "frames"))
}

// A state of an earlier release has a version of format 1. A run after the upgrade publishes a
// version of format 2, whose rows are in parts by episode. Both can be listed, compared, pulled and
// restored.
func TestUpgradeOfVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.unpack("testdata/state-before-settings.tar.gz")
	w.run(0, "setup")
	format := func(generation int) (v state.Version) {
		body, err := os.ReadFile(w.own(fmt.Sprintf("versions/%d/version.json", generation)))
		w.must(err)
		w.must(json.Unmarshal(body, &v))
		return v
	}
	old := format(1)
	w.relabel("00-00-00-00", "00-00-02-00", "00-00-04-00", "00-00-06-00")
	w.run(0, "run")
	now := format(2)
	parts, err := filepath.Glob(w.own("versions/2/parts/*.csv.zst"))
	if err != nil || old.V != 1 || now.V != 2 || now.Parent != 1 || len(parts) != len(now.Digests) {
		t.Fatalf("version 1 has the format %d, version 2 the format %d and the parent %d; parts %q, %v", old.V, now.V, now.Parent, parts, err)
	}
	out, _ := w.run(0, "versions", "1", "2", "--json")
	d := decode[version.Diff](t, out)
	if n := d.Totals[version.Relabelled]; n != 4 || d.Differing() != len(d.Changes) || d.Same+d.Differing() < old.Frames {
		t.Errorf("1 → 2: %v, %d the same, %d changes", d.Totals, d.Same, len(d.Changes))
	}
	w.relabel("00-00-08-00")
	w.run(0, "run")
	if again, err := filepath.Glob(w.own("versions/3/parts/*.csv.zst")); err != nil || len(again) != 1 {
		t.Errorf("one episode has changed, and version 3 has the parts %q, %v", again, err)
	}
	first, third := filepath.Join(w.work, "first"), filepath.Join(w.work, "third")
	w.run(0, "pull", "--version", "1", first)
	w.run(0, "pull", "--version", "3", third)
	for folder, generation := range map[string]int{first: 1, third: 3} {
		theirs, err := os.ReadFile(w.own(fmt.Sprintf("versions/%d/train.csv", generation)))
		w.must(err)
		if mine, err := os.ReadFile(filepath.Join(folder, "train.csv")); err != nil || string(mine) != string(theirs) {
			t.Errorf("train.csv of version %d as pulled is not the one of the bucket: %v", generation, err)
		}
	}
	w.run(0, "restore", "1")
	w.run(0, "run", "--resume")
	w.run(0, "verify")
	out, _ = w.run(0, "versions", "1", "4", "--json")
	if d := decode[version.Diff](t, out); d.Differing() != 0 || d.Same != old.Frames || len(d.Changes) != 0 {
		t.Errorf("1 → 4, which restores it: %v, %d of %d frames the same", d.Totals, d.Same, old.Frames)
	}
}

// relabel makes frames of the packed season legendary.
func (w *world) relabel(timecodes ...string) {
	w.t.Helper()
	path := filepath.Join(w.sheets(), "sheet-1.csv")
	body, err := os.ReadFile(path)
	w.must(err)
	text := string(body)
	for _, code := range timecodes {
		before, after, ok := strings.Cut(text, "TT_S01_E01_FRM-"+code+",")
		class, rest, named := strings.Cut(after, ",,,")
		if !ok || !named || strings.Contains(class, "\n") {
			w.t.Fatalf("no row of %s", code)
		}
		text = before + "TT_S01_E01_FRM-" + code + "," + class + ",,Legendary," + rest
	}
	w.must(os.WriteFile(path, []byte(text), 0o600))
}

// unpack replaces the world's folder with a packed one.
func (w *world) unpack(name string) {
	w.t.Helper()
	f, err := os.Open(name)
	w.must(err)
	defer f.Close() //nolint:errcheck // It was only read.
	plain, err := gzip.NewReader(f)
	w.must(err)
	for packed := tar.NewReader(plain); ; {
		h, err := packed.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		w.must(err)
		path := filepath.Join(w.dir, filepath.FromSlash(strings.TrimPrefix(h.Name, "season")))
		if h.Typeflag == tar.TypeDir {
			w.must(os.MkdirAll(path, 0o750))
			continue
		}
		body, err := io.ReadAll(packed)
		w.must(err)
		w.must(os.WriteFile(path, body, 0o600))
	}
}
