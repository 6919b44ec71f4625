package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// spoilt returns a world with 9 rows of a new class, 4 malformed names and a missing image in the
// first of two sheets.
func spoilt(t *testing.T) *world {
	w := generated(t, season.Options{Episodes: 2, Frames: 400})
	e := w.episode(0)
	for i := range 9 {
		e.Rows[10+i].Jonnys = "Mythic"
	}
	for i := range 4 {
		e.Rows[30+i].Frame = strings.TrimSuffix(e.Rows[30+i].Frame, e.Rows[30+i].Frame[len(e.Rows[30+i].Frame)-3:])
	}
	e.Rows[50].Frame += ".jpg"
	w.save(e)
	return w
}

// shuffle plan --dry-run; shuffle doctor; shuffle run; shuffle problems, --csv FILE, --json: all of
// them report the same counts.
func TestProblems(t *testing.T) {
	t.Parallel()
	w := spoilt(t)
	want := []state.ProblemKind{
		{Kind: rows.KindUnknownClass, Value: "Mythic", Count: 9}, {Kind: rows.KindMalformed, Count: 4},
		{Kind: rows.KindSpelling, Value: "with the extension of an image file", Warning: true, Count: 1},
	}
	plan := w.plan(0, "--dry-run")
	if diff := cmp.Diff(want, state.Kinds(plan.Episodes)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	unclassified := 0
	for _, r := range w.episode(0).Rows {
		if r.Frame != "" && r.Class() == "" {
			unclassified++
		}
	}
	if e := plan.Episodes[0]; e.ImagesWithoutRow != 4 || e.RowsWithoutClass != unclassified {
		t.Errorf("%d images without a row, %d rows without a class", e.ImagesWithoutRow, e.RowsWithoutClass)
	}
	out, _ := w.run(0, "plan", "--dry-run")
	says(t, out, `14 problems in the sheets, of which 1 warning: 9 × unknown class "Mythic": a new class\? SHUFFLE_CLASSES, .* 4 × malformed frame name 1 × frame name in another spelling`)
	says(t, out, `Left out 4 images without a row`)
	w.run(0, "setup")
	out, _ = w.run(0, "doctor")
	says(t, out, `sheet of S01E01 \d+ frames, 400 images, 14 problems \(9 × unknown class "Mythic", 4 × malformed frame name, 1 × .*\); 4 images without a row`)
	says(t, out, `sheet of S01E02 \d+ frames, 400 images, 0 problems`)

	w.run(0, "run")
	out, _ = w.run(0, "problems", "--json")
	if diff := cmp.Diff(want, decode[problemsJSON](t, out).Kinds); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	out, _ = w.run(0, "problems", "--episode", "S01E02")
	says(t, out, `no problem in the sheets of 1 episode`)
	w.run(2, "problems", "--episode", "S01E07")

	// Two more, and a new row that moves the others down.
	e := w.episode(0)
	e.Rows[100].Jonnys, e.Rows[101].Jonnys = "Mythic", "Epic"
	e.Rows = append([]season.Row{{Index: 900, Frame: string(e.Images[0])}}, e.Rows...)
	w.save(e)
	w.run(0, "plan", "--review")
	out, _ = w.run(0, "problems")
	says(t, out, `problems in the sheets, .*; \d+ new since the run before: 10 × unknown class "Mythic", 1 new: .*1 × unknown class "Epic", 1 new`)
	w.run(0, "problems", "--csv", "p.csv")
	header, all := w.readCSV("p.csv")
	if got := strings.Join(header, ","); got != "sheet,row,frame,column,problem,kind,new" {
		t.Errorf("header %s", got)
	}
	fresh := map[string]int{}
	for _, r := range all {
		if !strings.Contains(r[0], e.SpreadsheetID) || r[1] == "" && !strings.Contains(r[4], "without a row") {
			t.Errorf("row %q", r)
		}
		if r[6] == "true" {
			fresh[r[5]]++
		}
	}
	if fresh[`unknown class "Mythic"`] != 1 || fresh[`unknown class "Epic"`] != 1 || fresh["malformed frame name"] != 0 {
		t.Errorf("new: %v", fresh)
	}
}
