package season_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
)

func generate(t *testing.T, o season.Options) *season.Season {
	t.Helper()
	s, err := season.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGenerateSharesOfClasses(t *testing.T) {
	s := generate(t, season.Options{Episodes: 2, Frames: 2000})
	for _, e := range s.Episodes {
		got := map[string]int{}
		for _, r := range e.Rows {
			got[r.Class()]++
		}
		want := map[string]int{"Junk": 480, "Common": 1000, "Uncommon": 300, "Rare": 160, "Legendary": 40, "": 20}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e.Episode, diff)
		}
	}
}

func TestGenerateConsecutiveFramesInRuns(t *testing.T) {
	e := generate(t, season.Options{Episodes: 1, Frames: 2000}).Episodes[0]
	changes := 0
	for i, r := range e.Rows {
		f, err := dataset.ParseFrame(r.Frame)
		if err != nil || f.Index() != i || f.Episode() != e.Episode {
			t.Fatalf("row %d is %q (%v), want frame %d of %s", i, r.Frame, err, i, e.Episode)
		}
		if i > 0 && r.Class() != e.Rows[i-1].Class() {
			changes++
		}
	}
	if changes < 20 || changes > 200 {
		t.Errorf("the class changes %d times in 2,000 frames, want runs of about a second", changes)
	}
}

func TestGenerateWhoClassified(t *testing.T) {
	e := generate(t, season.Options{Episodes: 1, Frames: 20000}).Episodes[0]
	supervised, jonnys := 0, 0
	for _, r := range e.Rows {
		if r.Class() != "" && r.Unsupervised == "" {
			t.Fatalf("%s has a class and no unsupervised one", r.Frame)
		}
		if r.Supervised != "" {
			supervised++
		}
		if r.Jonnys != "" {
			jonnys++
		}
	}
	if jonnys == 0 || jonnys > 2000 || supervised < jonnys || supervised > 8000 {
		t.Errorf("%d supervised and %d of Jonny's in 20,000, want some and few", supervised, jonnys)
	}
}

func TestGenerateSameOptionsSameSeason(t *testing.T) {
	o := season.Options{Episodes: 3, Frames: 400, Oddities: true, Seed: 7}
	a, b := generate(t, o), generate(t, o)
	for i := range a.Episodes {
		if diff := cmp.Diff(a.Episodes[i].Sheet(), b.Episodes[i].Sheet()); diff != "" {
			t.Errorf("sheets of %s differ:\n%s", a.Episodes[i].Episode, diff)
		}
		if !slices.Equal(a.Episodes[i].Images, b.Episodes[i].Images) {
			t.Errorf("images of %s differ", a.Episodes[i].Episode)
		}
	}
	o.Seed = 8
	if c := generate(t, o); cmp.Equal(a.Episodes[0].Sheet(), c.Episodes[0].Sheet()) {
		t.Error("another seed made the same sheet")
	}
}

func TestGenerateRefusesWrongCodes(t *testing.T) {
	for _, o := range []season.Options{{Season: "Season 1"}, {Episodes: 100, Frames: 1}} {
		if _, err := season.Generate(o); err == nil {
			t.Errorf("Generate(%+v) succeeded", o)
		}
	}
}

func TestOddities(t *testing.T) {
	s := generate(t, season.Options{Episodes: 3, Frames: 1000, Oddities: true})
	if len(s.Episodes) != 4 {
		t.Fatalf("%d episodes, want 3 and a held one", len(s.Episodes))
	}
	for _, e := range s.Episodes[:3] {
		rows := map[string][]string{}
		for _, r := range e.Rows {
			rows[r.Frame] = append(rows[r.Frame], r.Class())
		}
		o := e.Oddities
		if len(rows[""]) != o.Blank || o.Blank != 3 {
			t.Errorf("%s: %d blank rows, want %d", e.Episode, len(rows[""]), o.Blank)
		}
		check := func(kind string, frames []dataset.Frame, ok func(f dataset.Frame, classes []string) bool) {
			if len(frames) != 3 {
				t.Errorf("%s: %d %s, want 3", e.Episode, len(frames), kind)
			}
			for _, f := range frames {
				if !ok(f, rows[string(f)]) {
					t.Errorf("%s: %s %s has classes %q", e.Episode, kind, f, rows[string(f)])
				}
			}
		}
		hasImage := func(f dataset.Frame) bool { return slices.Contains(e.Images, f) }
		check("foreign", o.Foreign, func(f dataset.Frame, c []string) bool { return f.Episode() != e.Episode && len(c) == 1 })
		check("unknown class", o.Unknown, func(_ dataset.Frame, c []string) bool { return slices.Equal(c, []string{"Epic"}) })
		check("twice same", o.TwiceSame, func(_ dataset.Frame, c []string) bool { return len(c) == 2 && c[0] == c[1] })
		check("twice other", o.TwiceOther, func(_ dataset.Frame, c []string) bool { return len(c) == 2 && c[0] != c[1] })
		check("without image", o.WithoutImage, func(f dataset.Frame, c []string) bool { return len(c) == 1 && !hasImage(f) })
		check("without row", o.WithoutRow, func(f dataset.Frame, c []string) bool { return len(c) == 0 && hasImage(f) })
		for _, name := range o.Malformed {
			if _, err := dataset.ParseFrame(name); err == nil || len(rows[name]) != 1 {
				t.Errorf("%s: malformed %q: %d rows, error %v", e.Episode, name, len(rows[name]), err)
			}
		}
	}
}

func TestWantedOfOddities(t *testing.T) {
	e := generate(t, season.Options{Episodes: 1, Frames: 1000, Oddities: true}).Episodes[0]
	classes, frozen := e.Wanted()
	want := map[dataset.Frame]bool{}
	for _, f := range slices.Concat(e.Oddities.Unknown, e.Oddities.TwiceOther) {
		want[f] = true
	}
	if !maps.Equal(frozen, want) {
		t.Errorf("frozen %v, want %v", frozen, want)
	}
	for _, f := range slices.Concat(e.Oddities.Unknown, e.Oddities.TwiceOther, e.Oddities.WithoutImage, e.Oddities.WithoutRow, e.Oddities.Foreign) {
		if classes[f] != "" {
			t.Errorf("%s is wanted as %s", f, classes[f])
		}
	}
	// Of 1,000 frames 10 are unclassified, 6 frozen and 3 without an image.
	if len(classes) != 981 {
		t.Errorf("%d frames wanted, want 981", len(classes))
	}
}

func TestManifest(t *testing.T) {
	s := generate(t, season.Options{Season: "S02", Episodes: 2, Frames: 10})
	body, err := s.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var entries []map[string]any
	if err := json.Unmarshal(body, &entries); err != nil {
		t.Fatal(err)
	}
	if s.ManifestKey() != "tuttle_twins/manifests/S02-episodes.json" || len(entries) != 2 {
		t.Errorf("%s has %d entries", s.ManifestKey(), len(entries))
	}
	for i, e := range s.Episodes {
		got := entries[i]
		if got["season_code"] != "S02" || got["episode_code"] != e.Episode.Code() {
			t.Errorf("entry %d is %v, want %s", i, got, e.Episode)
		}
		if url := got["google_spreadsheet_url"]; url != "https://docs.google.com/spreadsheets/d/"+e.SpreadsheetID+"/edit#gid=0" {
			t.Errorf("entry %d has the URL %v", i, url)
		}
		if !strings.Contains(got["google_spreadsheet_share_link"].(string), "/google_spreadsheets/d/"+e.SpreadsheetID+"/") {
			t.Errorf("entry %d has the share link %v", i, got["google_spreadsheet_share_link"])
		}
	}
	if s.Episodes[0].SpreadsheetID == s.Episodes[1].SpreadsheetID {
		t.Error("both episodes have the same spreadsheet")
	}
}
