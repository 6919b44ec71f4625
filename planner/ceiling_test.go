package planner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// An unreadable sheet holds its episode too, and the reason names the sheet.
func TestSheetsThatCannotBeRead(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(w *world)
		want  []string
	}{
		{"sheet not found", func(w *world) { w.must(os.Remove(filepath.Join(w.dir, "S01E01.csv"))) }, []string{`sheet "Frames of S01E01"`, "expected", "S01E01.csv", "spreadsheet not found"}},
		{"worksheet not found", func(w *world) {
			w.must(os.Remove(filepath.Join(w.dir, "S01E01.csv")))
			w.sheets.fail["S01E01"] = fmt.Errorf("read sheet S01E01: gid 77: %w", sheet.ErrWorksheetNotFound)
		}, []string{`sheet "Frames of S01E01"`, "gid 77", "worksheet not found"}},
		{"no permission", func(w *world) { w.sheets.fail["S01E01"] = sheet.ErrPermission }, []string{`sheet "Frames of S01E01"`, "no permission"}},
		{"throttled after every retry", func(w *world) { w.sheets.fail["S01E01"] = sheet.ErrUnavailable }, []string{`sheet "Frames of S01E01"`, "unavailable"}},
		{"not a table", func(w *world) {
			w.must(os.WriteFile(filepath.Join(w.dir, "S01E01.csv"), []byte("FRAME NUMBER,\"\n"), 0o600))
		}, []string{`sheet "Frames of S01E01"`, "parse CSV"}},
	} {
		bubble(t, test.name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1, e2)
			w.stand(trainCommon, w.episode(e1, 30)...)
			w.episode(e2, 5)
			before := w.listing(layout.Folder(trainCommon))
			test.spoil(w)
			plan := w.converge(Options{})
			got := of(plan, e1)
			oddity{held: test.want}.check(t, got.Totals, got.Problems, got.Reason)
			if got.State != state.EpisodeHeld || len(plan.Held()) != 1 || of(plan, e2).Copy != 5 {
				t.Errorf("plan %+v", plan.Episodes)
			}
			for key, etag := range before {
				if w.listing(key)[key] != etag {
					t.Errorf("%s has changed", key)
				}
			}
		})
	}
}

// The ceiling at its limits: a plan is held for more than 20 deletions that are also more than the
// limit.
func TestCeiling(t *testing.T) {
	for _, test := range []struct {
		ceiling          string
		standing, delete int
		held             bool
	}{
		{"10%", 20, 20, false}, // all frames
		{"10%", 21, 21, true},
		{"10%", 210, 21, false}, // exactly 10%
		{"10%", 209, 21, true},
		{"10%", 210, 22, true},
		{"10%", 1000, 100, false},
		{"10%", 1000, 101, true},
		{"0%", 1000, 20, false},
		{"0%", 1000, 21, true},
		{"100%", 300, 300, false},
		{"0", 1000, 20, false},
		{"0", 1000, 21, true},
		{"5", 1000, 20, false}, // a count below the 20 that every ceiling allows
		{"25", 30, 25, false},
		{"25", 1000, 26, true},
	} {
		all := frames(e1, test.standing)
		in := EpisodeInput{
			Episode: e1, Assign: &Assigner{Split: Split{{"train", 1}}, Seed: "7"}, Layout: layout, Same: sameETag, Ceiling: limit(t, test.ceiling),
			Images: map[dataset.Frame]string{}, Standing: dataset.Standing{},
		}
		for i, f := range all {
			in.Images[f] = "v1"
			// A frame with two copies counts once: the ceiling counts frames.
			in.Standing[f] = []dataset.Copy{{Place: trainCommon, ETag: "v1"}, {Place: dataset.Place{Dataset: "train", Class: "Comon"}, ETag: "v1"}}
			if i >= test.delete {
				in.Sheet.Rows = append(in.Sheet.Rows, rows.Row{Frame: f, Class: "Common", Row: i + 2})
			}
		}
		out := PlanEpisode(in)
		if (out.Held != "") != test.held {
			t.Errorf("%d of %d with a ceiling of %s: held %q", test.delete, test.standing, test.ceiling, out.Held)
		}
		in.AllowDelete = true
		if out := PlanEpisode(in); out.Held != "" || out.Totals.Delete != test.standing {
			t.Errorf("%d of %d, allowed: %+v, held %q", test.delete, test.standing, out.Totals, out.Held)
		}
	}
}

// --allow-delete removes the ceiling only for the episode that it names.
func TestAllowDeleteIsForOneEpisode(t *testing.T) {
	w := newWorld(t)
	w.manifest("S01", e1, e2)
	for _, e := range []dataset.Episode{e1, e2} {
		all := w.episode(e, 60)
		w.stand(trainCommon, all...)
		w.sheet(e, table("Common", all[30:]))
	}
	plan := w.plan(Options{AllowDelete: []dataset.Episode{e2}})
	if got := of(plan, e1); got.State != state.EpisodeHeld || !strings.Contains(got.Reason, "--allow-delete S01E01") {
		t.Errorf("not allowed: %+v", got)
	}
	if got := of(plan, e2); got.State != state.EpisodePlanned || got.Delete != 30 || got.Keep != 30 {
		t.Errorf("allowed: %+v", got)
	}
}
