package season_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/season"
)

func TestSheetStyles(t *testing.T) {
	s := generate(t, season.Options{Episodes: 3, Frames: 200})
	for i, tc := range []struct {
		style  season.Style
		header []string
		frame  int // the column of the frame's name
	}{
		{season.HeaderURI, []string{
			"https://s3.us-west-2.amazonaws.com/media.angel-nft.com/tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/",
			"ROW_INDEX", "FRAME NUMBER", "UNSUPERVISED CLASSIFICATION", "SUPERVISED CLASSIFICATION",
			"JONNY's RECLASSIFICATION", "METADATA",
		}, 2},
		{season.ColumnURI, []string{
			"FRAME NUMBER", "JONNY's RECLASSIFICATION", "SUPERVISED CLASSIFICATION", "UNSUPERVISED CLASSIFICATION",
			"METADATA", "S3_BASE_URI", "ROW_INDEX",
		}, 0},
		{season.NoURI, []string{
			"ROW_INDEX", " Frame  Number ", "Unsupervised Classification", "SUPERVISED   CLASSIFICATION",
			"JONNY’s Reclassification", "METADATA",
		}, 1},
	} {
		e := s.Episodes[i]
		sheet := e.Sheet()
		if e.Style != tc.style {
			t.Errorf("%s has the style %d, want %d", e.Episode, e.Style, tc.style)
		}
		if diff := cmp.Diff(tc.header, sheet[0]); diff != "" {
			t.Errorf("header of %s (-want +got):\n%s", e.Episode, diff)
		}
		if len(sheet) != 201 {
			t.Errorf("%s has %d rows, want 201", e.Episode, len(sheet))
		}
		for n, row := range sheet[1:] {
			if row[tc.frame] != e.Rows[n].Frame || row[len(row)-1] == "" {
				t.Fatalf("row %d of %s is %q, want frame %s and no empty cell at its end", n+2, e.Episode, row, e.Rows[n].Frame)
			}
		}
	}
	if uri := s.Episodes[1].Sheet()[1][5]; uri != "s3://media.angel-nft.com/tuttle_twins/s01e02/default_eng/v1/frames/thumbnails/" {
		t.Errorf("URI cell is %q", uri)
	}
}

func TestSheetOfHeldEpisode(t *testing.T) {
	s := generate(t, season.Options{Episodes: 1, Frames: 300, Oddities: true})
	held := s.Episodes[1]
	if slices.Contains(held.Sheet()[0], held.Missing) || held.Missing != "FRAME NUMBER" {
		t.Errorf("header %q, want all but %q", held.Sheet()[0], held.Missing)
	}
	if classes, frozen := held.Wanted(); len(classes)+len(frozen) != 0 {
		t.Errorf("%d frames wanted and %d frozen of a held episode", len(classes), len(frozen))
	}
}

func TestWriteSheetsReadBack(t *testing.T) {
	s := generate(t, season.Options{Episodes: 3, Frames: 300, Oddities: true})
	dir := filepath.Join(t.TempDir(), "sheets")
	if err := s.WriteSheets(dir); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Episodes {
		file, err := os.ReadFile(filepath.Join(dir, e.SpreadsheetID+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		// The reader wants rows of one width, as an export has, so a blank row keeps its number.
		rows, err := csv.NewReader(strings.NewReader(string(file))).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", e.Episode, err)
		}
		for i, row := range rows {
			for len(row) > 0 && row[len(row)-1] == "" {
				row = row[:len(row)-1]
			}
			rows[i] = row
		}
		if diff := cmp.Diff(e.Sheet(), rows); diff != "" {
			t.Errorf("sheet of %s (-want +got):\n%s", e.Episode, diff)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 4 {
		t.Errorf("%d files (%v), want one a sheet", len(files), err)
	}
}
