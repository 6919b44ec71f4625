package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// workbook writes worksheets to an XLSX file, by their names in this order.
func (w *world) workbook(e *season.Episode, names []string, sheets ...[][]string) {
	w.t.Helper()
	f := excelize.NewFile()
	for i, name := range names {
		if i == 0 {
			w.must(f.SetSheetName("Sheet1", name))
		} else {
			_, err := f.NewSheet(name)
			w.must(err)
		}
		for r, row := range sheets[i] {
			w.must(f.SetSheetRow(name, fmt.Sprint("A", r+1), &row))
		}
	}
	w.must(f.SaveAs(filepath.Join(w.sheets(), e.SpreadsheetID+".xlsx")))
	w.must(f.Close())
	_ = os.Remove(filepath.Join(w.sheets(), e.SpreadsheetID+".csv"))
}

// manifest rewrites the manifest's text.
func (w *world) manifest(change func(string) string) {
	w.t.Helper()
	body, err := w.seasons[0].Manifest()
	w.must(err)
	w.put(w.bucket(w.seasons[0].ManifestKey()), change(string(body)))
}

var notes = [][]string{{"Notes", "by"}, {"ask Jonny", "ML team"}}

// shuffle run on XLSX files, whose worksheets the manifest selects by gid, and on the CSV file of
// another worksheet.
func TestWorkbooks(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 4, Frames: 48})
	first, second, third, fourth := w.episode(0), w.episode(1), w.episode(2), w.episode(3)
	w.workbook(first, []string{"Frames", "Notes"}, first.Sheet(), notes)
	w.workbook(second, []string{"Notes", "77"}, notes, second.Sheet())
	w.put(filepath.Join(w.sheets(), third.SpreadsheetID+".5.csv"), csvOf(w, third))
	w.put(filepath.Join(w.sheets(), third.SpreadsheetID+".csv"), "Notes,by\nask Jonny,ML team\n")
	w.workbook(fourth, []string{"Notes", "Frames"}, notes, fourth.Sheet())
	w.manifest(func(text string) string {
		text = strings.ReplaceAll(text, second.SpreadsheetID+"/edit#gid=0", second.SpreadsheetID+"/edit#gid=77")
		text = strings.ReplaceAll(text, third.SpreadsheetID+"/edit#gid=0", third.SpreadsheetID+"/edit?gid=5")
		return strings.ReplaceAll(text, fourth.SpreadsheetID+"/edit#gid=0", fourth.SpreadsheetID+"/edit#gid=9")
	})
	out, _ := w.run(1, "run")
	says(t, out, `1 of 4 episodes held.* S01E04 .*expected a worksheet named "9", found \["Notes" "Frames"\]`)
	all := w.seasons[0].Episodes
	w.seasons[0].Episodes = all[:3]
	w.checkDatasets()

	w.seasons[0].Episodes = all
	w.workbook(fourth, []string{"9", "Notes"}, fourth.Sheet(), notes)
	w.finish(len(fourth.Images) - unclassified(fourth))
	w.checkDatasets()
}

func csvOf(w *world, e *season.Episode) string {
	body, err := e.CSV()
	w.must(err)
	return string(body)
}

// unclassified is the number of the episode's frames that have no class.
func unclassified(e *season.Episode) int {
	classes, _ := e.Wanted()
	return len(e.Images) - len(classes)
}

// shuffle run on a base URI of every kind: a cell, or the header cell itself, contains the folder
// of the images.
func TestBaseURIs(t *testing.T) {
	t.Parallel()
	const rest = "/default_eng/v1/frames/big/"
	bases := []struct {
		style season.Style
		uri   string // with the episode's folder as FOLDER
	}{
		{season.HeaderURI, "https://s3.us-west-2.amazonaws.com/media.angel-nft.com/tuttle_twins/FOLDER" + rest},
		{season.HeaderURI, "s3://media.angel-nft.com/tuttle_twins/FOLDER" + rest},
		{season.HeaderURI, "https://media.angel-nft.com.s3.us-west-2.amazonaws.com/tuttle_twins/FOLDER" + rest},
		// The episode's folder is missing.
		{season.ColumnURI, "media.angel-nft.com/tuttle_twins" + rest},
		{season.ColumnURI, "https://media.angel-nft.com/tuttle_twins/FOLDER" + rest},
		{season.NoURI, ""}, // SHUFFLE_IMAGE_SIZE defines the folder
	}
	w := generated(t, season.Options{Episodes: len(bases), Frames: 24, ImageSize: "big"})
	for i, e := range w.seasons[0].Episodes {
		e.Style = bases[i].style
		uri := strings.ReplaceAll(bases[i].uri, "FOLDER", e.Episode.Folder())
		text := csvOf(w, e)
		for _, generated := range []string{"https://s3.us-west-2.amazonaws.com/media.angel-nft.com/", "s3://media.angel-nft.com/"} {
			text = strings.ReplaceAll(text, generated+e.ImagePrefix(), uri)
		}
		if !strings.Contains(text, uri) {
			t.Fatalf("%s: %s is not in the sheet", e.Episode, uri)
		}
		w.put(filepath.Join(w.sheets(), e.SpreadsheetID+".csv"), text)
	}
	w.run(0, "--image-size", "big", "run")
	w.checkDatasets()
}

// shuffle plan, after people have sorted, relabelled, inserted and removed rows, and repainted
// images: the plan has one task for each changed frame.
func TestEdits(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 150})
	w.finish(w.wanted())
	for _, e := range w.seasons[0].Episodes {
		e.Sort()
		w.save(e)
	}
	relabelled := w.episode(0).Relabel(9)
	inserted := w.episode(1).InsertRows(4, "Legendary")
	w.draw(w.episode(1), inserted)
	removed := w.episode(1).RemoveRows(6)
	repainted := w.episode(0).Repaint(5)
	w.draw(w.episode(0), repainted)
	for _, e := range w.seasons[0].Episodes {
		w.save(e)
	}
	both := 0 // relabelled and repainted: one task
	for _, f := range repainted {
		if slices.Contains(relabelled, f) {
			both++
		}
	}
	added := len(inserted)
	for _, f := range removed {
		if slices.Contains(inserted, f) {
			added-- // inserted and removed: no task
		}
	}
	gone := len(removed) - (len(inserted) - added)
	plan := w.finish(len(relabelled) + len(repainted) - both + added + gone)
	if got := plan.Totals; got.Move != len(relabelled) || got.Refresh != len(repainted)-both || got.Copy != added || got.Delete != gone {
		t.Errorf("%+v", got)
	}
	w.checkDatasets()
}
