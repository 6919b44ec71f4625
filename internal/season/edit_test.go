package season_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
)

// edited is the episode after an edit, with what was wanted before and after.
func edited[T any](t *testing.T, edit func(*season.Episode) T) (e *season.Episode, result T, before, after map[dataset.Frame]string) {
	t.Helper()
	e = generate(t, season.Options{Episodes: 1, Frames: 1000, Oddities: true}).Episodes[0]
	before, _ = e.Wanted()
	result = edit(e)
	after, _ = e.Wanted()
	return e, result, before, after
}

func TestRelabelChangesThoseFramesOnly(t *testing.T) {
	_, frames, before, after := edited(t, func(e *season.Episode) []dataset.Frame { return e.Relabel(50) })
	if len(frames) != 50 || len(before) != len(after) {
		t.Fatalf("%d frames relabelled, %d wanted before and %d after", len(frames), len(before), len(after))
	}
	for f, class := range after {
		if changed := class != before[f]; changed != slices.Contains(frames, f) {
			t.Errorf("%s went from %s to %s", f, before[f], class)
		}
	}
}

func TestUnclassifyWantsThemNowhere(t *testing.T) {
	_, frames, before, after := edited(t, func(e *season.Episode) []dataset.Frame { return e.Unclassify(7) })
	if len(frames) != 7 || len(after) != len(before)-7 {
		t.Fatalf("%d frames unclassified, %d wanted before and %d after", len(frames), len(before), len(after))
	}
	for _, f := range frames {
		if before[f] == "" || after[f] != "" {
			t.Errorf("%s was %q and is %q", f, before[f], after[f])
		}
	}
}

func TestSortChangesNothingWanted(t *testing.T) {
	e, first, before, after := edited(t, func(e *season.Episode) season.Row {
		first := e.Rows[len(e.Rows)/2]
		e.Sort()
		return first
	})
	if !maps.Equal(before, after) {
		t.Error("sorting changed what is wanted")
	}
	if e.Rows[len(e.Rows)/2] == first || !slices.IsSortedFunc(e.Rows, func(a, b season.Row) int {
		return bytes.Compare([]byte(a.Class()), []byte(b.Class()))
	}) {
		t.Error("the rows are not sorted by class")
	}
}

func TestInsertRowsAddsFrames(t *testing.T) {
	e, frames, before, after := edited(t, func(e *season.Episode) []dataset.Frame { return e.InsertRows(5, "Rare") })
	if len(frames) != 5 || len(after) != len(before)+5 {
		t.Fatalf("%d frames inserted, %d wanted before and %d after", len(frames), len(before), len(after))
	}
	for _, f := range frames {
		if before[f] != "" || after[f] != "Rare" {
			t.Errorf("%s was %q and is %q", f, before[f], after[f])
		}
		if _, err := e.Image(f); err != nil {
			t.Error(err)
		}
	}
}

func TestRemoveRowsKeepsImages(t *testing.T) {
	e, frames, before, after := edited(t, func(e *season.Episode) []dataset.Frame { return e.RemoveRows(30) })
	if len(frames) != 30 || len(after) != len(before)-30 {
		t.Fatalf("%d frames removed, %d wanted before and %d after", len(frames), len(before), len(after))
	}
	for _, f := range frames {
		if after[f] != "" || !slices.Contains(e.Images, f) {
			t.Errorf("%s is wanted as %q, or has lost its image", f, after[f])
		}
	}
}

func TestRepaintChangesThoseImagesOnly(t *testing.T) {
	e := generate(t, season.Options{Episodes: 1, Frames: 200}).Episodes[0]
	before := images(t, e)
	frames := e.Repaint(10)
	for f, body := range images(t, e) {
		if changed := !bytes.Equal(body, before[f]); changed != slices.Contains(frames, f) {
			t.Errorf("image of %s: changed is %v", f, changed)
		}
	}
}

func images(t *testing.T, e *season.Episode) map[dataset.Frame][]byte {
	t.Helper()
	bodies := map[dataset.Frame][]byte{}
	for _, f := range e.Images {
		body, err := e.Image(f)
		if err != nil {
			t.Fatal(err)
		}
		bodies[f] = body
	}
	return bodies
}
