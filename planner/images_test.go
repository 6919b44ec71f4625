package planner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// A frame whose image cannot be copied is left unchanged in any place. A frame without a class
// needs no image.
func TestUnusableImages(t *testing.T) {
	const what = "the source image is empty (0 bytes): upload it again"
	problem := []state.Problem{{Row: 2, Frame: frame(0), Problem: what + "; the frame is left as it stands", Kind: kindUnusable}}
	old := dataset.Place{Dataset: "train", Class: "Rare"}
	for _, test := range []struct {
		name     string
		class    string
		frozen   bool // by the sheet
		stands   []dataset.Place
		images   map[dataset.Frame]string
		unusable bool
		beside   string

		totals   state.Totals
		problems []state.Problem
	}{
		{name: "it stands nowhere", class: "Common", unusable: true, totals: state.Totals{Frozen: 1}, problems: problem},
		{name: "it stands in its place", class: "Common", unusable: true, stands: []dataset.Place{trainCommon}, totals: state.Totals{Frozen: 1}, problems: problem},
		{name: "it stands elsewhere", class: "Common", unusable: true, stands: []dataset.Place{old}, totals: state.Totals{Frozen: 1}, problems: problem},
		{name: "it stands twice", class: "Common", unusable: true, stands: []dataset.Place{old, trainCommon}, totals: state.Totals{Frozen: 1}, problems: problem},
		{name: "its class is blank", unusable: true, stands: []dataset.Place{old}, totals: state.Totals{Delete: 1}},
		{name: "its class is not known", frozen: true, unusable: true, stands: []dataset.Place{old}, totals: state.Totals{Frozen: 1}},
		{name: "another beside it", class: "Common", images: map[dataset.Frame]string{dataset.Frame(frame(0)): "v1"}, beside: `".JPG"`, stands: []dataset.Place{trainCommon},
			totals: state.Totals{Keep: 1}, problems: []state.Problem{{Row: 2, Frame: frame(0), Problem: `".JPG"`, Warning: true, Kind: kindBeside}}},
		{name: "nothing at all", class: "Common", stands: []dataset.Place{trainCommon},
			totals: state.Totals{Delete: 1}, problems: []state.Problem{{Row: 2, Frame: frame(0), Problem: "no source image", Kind: kindNoImage}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := dataset.Frame(frame(0))
			in := EpisodeInput{
				Episode: e1, Assign: &Assigner{Split: Split{{"train", 1}}, Seed: "7"}, Layout: layout, Same: sameETag, Ceiling: limit(t, "10%"),
				Images: test.images, Unusable: map[dataset.Frame]string{}, Standing: dataset.Standing{}, Beside: map[dataset.Frame]string{f: test.beside},
				Sheet: rows.Sheet{Rows: []rows.Row{{Row: 2, Frame: f, Class: test.class, Frozen: test.frozen}}},
			}
			if test.unusable {
				in.Unusable[f] = what
			}
			for _, p := range test.stands {
				in.Standing[f] = append(in.Standing[f], dataset.Copy{Place: p, ETag: "v1"})
			}
			out := PlanEpisode(in)
			if out.Totals != test.totals || out.Held != "" {
				t.Errorf("totals %+v, held %q", out.Totals, out.Held)
			}
			if diff := cmp.Diff(test.problems, out.Problems, cmp.Transformer("nil", func(p []state.Problem) []state.Problem { return append([]state.Problem{}, p...) })); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if frozen := out.Totals.Frozen > 0; frozen && len(out.Expected) != len(test.stands) {
				t.Errorf("expected to stand afterwards: %+v", out.Expected)
			}
		})
	}
}

// A restore refuses frames that it cannot copy, and keeps the copies that equal the version.
func TestRestoreOfUnusableImages(t *testing.T) {
	f := dataset.Frame(frame(0))
	for _, stands := range []bool{true, false} {
		in := EpisodeInput{
			Episode: e1, Layout: layout, Same: sameETag, Ceiling: limit(t, "10%"),
			Unusable: map[dataset.Frame]string{f: "the source image is archived"}, Standing: dataset.Standing{},
		}
		want := state.Totals{Frozen: 1}
		if stands {
			in.Standing[f] = []dataset.Copy{{Place: trainCommon, ETag: "v1"}}
			want = state.Totals{Keep: 1}
		}
		out := RestoreEpisode(in, 7, []version.Row{{Place: trainCommon, Frame: f, ETag: "v1"}})
		if out.Totals != want || !stands && (len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Problem, "the source image is archived")) {
			t.Errorf("stands %v: %+v, %+v", stands, out.Totals, out.Problems)
		}
	}
}

// When no image can be copied, the reason describes the objects that exist. A plan names strays,
// even when it cannot list them all.
func TestPlanSaysWhatThereIs(t *testing.T) {
	bubble(t, "another ending", func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1, e2)
		frames := w.episode(e1, 3)
		w.episode(e2, 3)
		base := "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"
		for _, f := range frames {
			w.put(base+string(f)+".JPG", "image")
		}
		w.remove(base+frames[0].File(), base+frames[1].File(), base+frames[2].File())
		w.put(layout.ML()+"pred/Rare/"+frames[0].File(), "image")
		w.put(layout.ML()+"train/Rare/notes.txt", "text")
		plan := w.plan(Options{DryRun: true})
		got := of(plan, e1)
		for _, part := range []string{"expected images of S01E01 under " + base, "found none that can be copied", `3 × no source image with the ending ".jpg", but a file with the ending ".JPG"`} {
			if !strings.Contains(got.Reason, part) {
				t.Errorf("held %q, want %q in it", got.Reason, part)
			}
		}
		if s := plan.Strays; s == nil || s.Count != 2 || !slices.Equal(s.Examples, []string{layout.ML() + "pred/Rare/" + frames[0].File(), layout.ML() + "train/Rare/notes.txt"}) {
			t.Errorf("strays %+v", plan.Strays)
		}
		w.bucket.failing(broken("LIST", layout.ML(), 1))
		plan, err := w.planner().Plan(context.Background(), Options{DryRun: true})
		if err != nil || plan.Strays == nil || !strings.Contains(plan.Strays.Unlisted, errBroken.Error()) || errors.Is(err, errBroken) {
			t.Errorf("with a listing that fails: %+v, %v", plan.Strays, err)
		}
	})
}
