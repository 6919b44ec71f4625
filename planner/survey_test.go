package planner

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// A survey has the data of each frame from the sheet, the images and the datasets. Survey writes
// nothing.
func TestSurvey(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		w := newWorld(t)
		w.config.Split, w.config.MaxBadRows = Split{{"train", 1}}, limit(t, "50%")
		w.manifest("S01", e1)
		all := w.episode(e1, 5)
		w.sheet(e1, [][]string{header, {string(all[0]), "Common", "Junk", " rare "}, {string(all[1]), "common"}, {string(all[2]), "Epic"}, {string(all[3]), ""}})
		w.converge(Options{Seed: "seed"})
		before := w.listing("")
		s, err := w.planner().Survey(context.Background(), e1)
		w.must(err)
		same(t, before, w.listing(""))
		etag := func(f dataset.Frame) string { return w.listing(imageKey(f))[imageKey(f)] }
		slices.SortFunc(s.Frames, func(a, b inventory.SurveyFrame) int { return strings.Compare(string(a.Frame), string(b.Frame)) })
		want := []inventory.SurveyFrame{
			{Frame: all[0], Row: 2, Cells: [inventory.Columns]string{"Common", "Junk", "Rare"}, Class: "Rare", Stands: []dataset.Place{{Dataset: "train", Class: "Rare"}}, Image: etag(all[0])},
			{Frame: all[1], Row: 3, Cells: [inventory.Columns]string{"Common"}, Class: "Common", Stands: []dataset.Place{{Dataset: "train", Class: "Common"}}, Image: etag(all[1])},
			{Frame: all[2], Row: 4, Cells: [inventory.Columns]string{"Epic"}, Frozen: true, Image: etag(all[2])},
			{Frame: all[3], Row: 5, Image: etag(all[3])},
			{Frame: all[4], Image: etag(all[4])},
		}
		if diff := cmp.Diff(want, s.Frames); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if s.Held != "" || s.Base == "" || s.Sheet == "" || len(s.Problems) != 1 || !strings.Contains(s.Problems[0].Problem, `unknown class "Epic"`) {
			t.Errorf("held %q, base %q, sheet %q, problems %+v", s.Held, s.Base, s.Sheet, s.Problems)
		}

		// An unreadable row does not freeze an image without a row: no plan uses the image.
		w.sheet(e1, [][]string{header, {string(all[0]), "Common"}, {"frame 12", "Rare"}})
		s, err = w.planner().Survey(context.Background(), e1)
		w.must(err)
		for _, seen := range s.Frames {
			if want := seen.Frame == all[1]; seen.Frozen != want { // the frame with a copy
				t.Errorf("%s is frozen: %t", seen.Frame, seen.Frozen)
			}
		}

		// The survey has the reason that holds the episode, and still has the copies of its frames.
		w.sheets.fail[string(e1)] = sheet.ErrPermission
		s, err = w.planner().Survey(context.Background(), e1)
		w.must(err)
		if !strings.Contains(s.Held, sheet.ErrPermission.Error()) || len(s.Frames) != 2 || len(s.Frames[0].Stands) != 1 {
			t.Errorf("%+v", s)
		}
		if s, err = w.planner().Survey(context.Background(), "S07E01"); err != nil || !strings.Contains(s.Held, "S07E01") {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
