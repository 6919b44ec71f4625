package main

import (
	"archive/zip"
	"bytes"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// book writes an episode's sheet as an XLSX file with one worksheet, which change may modify.
func (w *world) book(e *season.Episode, change func(f *excelize.File, tab string)) {
	w.t.Helper()
	w.workbook(e, []string{"Frames"}, e.Sheet())
	path := filepath.Join(w.sheets(), e.SpreadsheetID+".xlsx")
	f, err := excelize.OpenFile(path)
	w.must(err)
	change(f, "Frames")
	w.must(f.SaveAs(path))
	w.must(f.Close())
}

// edit rewrites the part of an XLSX file that contains its worksheet.
func (w *world) edit(path string, change func(string) string) {
	w.t.Helper()
	r, err := zip.OpenReader(path)
	w.must(err)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, part := range r.File {
		in, err := part.Open()
		w.must(err)
		body, err := io.ReadAll(in)
		w.must(err)
		if strings.HasPrefix(part.Name, "xl/worksheets/sheet") {
			body = []byte(change(string(body)))
		}
		to, err := z.Create(part.Name)
		w.must(err)
		_, err = to.Write(body)
		w.must(err)
	}
	w.must(r.Close())
	w.must(z.Close())
	w.put(path, out.String())
}

// shuffle run on the XLSX file that a download from Google produces: one worksheet, which has the
// gid of the manifest.
func TestDownloadedWorkbook(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	e := w.episode(0)
	w.finish(w.wanted())
	w.manifest(func(text string) string { return strings.ReplaceAll(text, "#gid=0", "#gid=1690818184") })
	w.book(e, func(*excelize.File, string) {})
	if got := w.only(0); got.Keep != w.wanted() || len(got.Problems) != 0 {
		t.Errorf("%+v, %+v", got.Totals, got.Problems)
	}
}

// shuffle plan on XLSX files with unknown values: formulas without a stored value, shared strings
// out of range. In up to 5% of the rows they freeze their frames. In more rows they hold the
// episode. They never count as blank.
func TestUnknownValues(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 100})
	e := w.episode(0)
	w.finish(w.wanted())
	path := filepath.Join(w.sheets(), e.SpreadsheetID+".xlsx")
	jonnys := slices.Index(e.Sheet()[0], "JONNY's RECLASSIFICATION")
	// An unknown cell of JONNY's freezes the frame, whatever the other columns contain.
	spoil := func(n int, cell string) {
		w.book(e, func(f *excelize.File, tab string) {
			for row := 2; row < n+2; row++ {
				name, err := excelize.CoordinatesToCellName(jonnys+1, row)
				w.must(err)
				w.must(f.SetCellValue(tab, name, "SPOILT"))
				w.must(f.SetCellFormula(tab, name, "SPOILT()"))
			}
		})
		w.edit(path, func(text string) string {
			return regexp.MustCompile(`<c r="([A-Z]+[0-9]+)"[^>]*><f>SPOILT\(\)</f>.*?</c>`).ReplaceAllString(text, cell)
		})
	}
	for name, cell := range map[string]string{
		"a formula without a stored value": `<c r="$1"><f>IF(A1,"Rare","")</f></c>`,
		"a text that the file does not":    `<c r="$1" t="s"><v>99999</v></c>`,
		"an error value":                   `<c r="$1" t="e"><f>A1</f><v>#REF!</v></c>`,
	} {
		spoil(5, cell)
		got := w.only(0)
		if got.Frozen != 5 || !strings.Contains(got.Problems[0].Problem, "unknown class in JONNY's RECLASSIFICATION: the cell has "+name) {
			t.Errorf("%s: %+v, %+v", name, got.Totals, got.Problems)
		}
		spoil(15, cell)
		if got := w.only(1); got.State != state.EpisodeHeld || !strings.Contains(got.Reason, "found 15 of 100 (15.0%)") {
			t.Errorf("%s: %s, %q", name, got.State, got.Reason)
		}
	}
	spoil(0, "")
	w.edit(path, func(text string) string { return text[:len(text)*2/3] })
	if got := w.only(1); got.State != state.EpisodeHeld || !strings.Contains(got.Reason, "damaged XLSX file") {
		t.Errorf("cut off: %s, %q", got.State, got.Reason)
	}
}

// shuffle plan on an XLSX file whose classes are merged cells: each row of a merge has the class.
func TestMergedCells(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	e := w.episode(0)
	for i := range e.Rows {
		e.Rows[i].Unsupervised, e.Rows[i].Supervised, e.Rows[i].Jonnys = "Common", "", ""
	}
	w.save(e)
	w.finish(60)
	column := slices.Index(e.Sheet()[0], "UNSUPERVISED CLASSIFICATION")
	w.book(e, func(f *excelize.File, tab string) {
		for row := 2; row < 62; row += 10 {
			for i := 1; i < 10; i++ {
				name, err := excelize.CoordinatesToCellName(column+1, row+i)
				w.must(err)
				w.must(f.SetCellValue(tab, name, nil))
			}
			first, err := excelize.CoordinatesToCellName(column+1, row)
			w.must(err)
			last, err := excelize.CoordinatesToCellName(column+1, row+9)
			w.must(err)
			w.must(f.MergeCell(tab, first, last))
		}
	})
	if got := w.only(0); got.Keep != 60 || len(got.Problems) != 0 {
		t.Errorf("%+v, %+v", got.Totals, got.Problems)
	}
}
