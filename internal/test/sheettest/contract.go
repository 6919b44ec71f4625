package sheettest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// Reader is the port that sheet adapters implement.
type Reader interface {
	Values(ctx context.Context, spreadsheetID, gid string) (sheet.Values, error)
}

// Contract gives spreadsheets to an adapter.
type Contract struct {
	// Open starts an adapter over nothing yet; put sets a spreadsheet, or another in its place.
	Open func(t *testing.T) (r Reader, put func(id string, book Spreadsheet))
	// Single: a spreadsheet has one worksheet, whatever gid is asked for.
	Single bool
	// Unmerged: the adapter's store has no merged cells.
	Unmerged bool
	// Untyped: the adapter's store holds numbers as text already.
	Untyped bool
}

// Run proves that an adapter reads as the sheet port promises.
func Run(t *testing.T, c Contract) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Contract)
		skip bool
	}{
		{"cells", testCells, false},
		{"rows", testRows, false},
		{"empty", testEmpty, false},
		{"numbers", testNumbers, c.Untyped},
		{"merged cells", testMerges, c.Unmerged},
		{"not found", testNotFound, false},
		{"IDs that are paths", testHostileIDs, false},
		{"worksheets", testWorksheets, c.Single},
		{"edits", testEdits, false},
		{"cancelled", testCancelled, false},
		{"at once", testAtOnce, false},
		{"large", testLarge, false},
	} {
		if !test.skip {
			t.Run(test.name, func(t *testing.T) { test.run(t, c) })
		}
	}
}

const id = "1AbC-dEf_gHi0123456789"

// mustRead reads a worksheet that the test has just written.
func mustRead(t *testing.T, r Reader, id, gid string) sheet.Values {
	t.Helper()
	v, err := r.Values(t.Context(), id, gid)
	if err != nil {
		t.Fatalf("Values(%q, %q): %v", id, gid, err)
	}
	return v
}

func wantRows(t *testing.T, got sheet.Values, want ...[]string) {
	t.Helper()
	if !slices.EqualFunc(got.Rows, want, slices.Equal) {
		t.Fatalf("rows = %q, want %q", got.Rows, want)
	}
}

func testCells(t *testing.T, c Contract) {
	r, put := c.Open(t)
	rows := [][]string{
		{"FRAME NUMBER", "JONNY’s  RECLASSIFICATION", "METADATA"},
		{"TT_S01_E01_FRM-00-00-08-12", "", `{"a": "b, c"}`},
		{"said \"so\"", "two\nlines", "Ünïcödé 日本 🎬"},
		{" kept ", "=1+1", "'quoted'"},
	}
	put(id, One("A 'title' / with signs!", rows...))
	got := mustRead(t, r, id, "")
	wantRows(t, got, rows...)
	if got.Title == "" {
		t.Error("the spreadsheet has no title to name it by")
	}
}

func testRows(t *testing.T, c Contract) {
	r, put := c.Open(t)
	put(id, One("ragged",
		[]string{"A", "B", "C", "", ""},
		[]string{"", "", ""},
		[]string{"1"},
		[]string{"", "", "3", ""},
		[]string{"", ""},
	))
	wantRows(t, mustRead(t, r, id, ""), []string{"A", "B", "C"}, nil, []string{"1"}, []string{"", "", "3"})
}

func testEmpty(t *testing.T, c Contract) {
	r, put := c.Open(t)
	put(id, One("empty"))
	wantRows(t, mustRead(t, r, id, ""))
}

func testNumbers(t *testing.T, c Contract) {
	r, put := c.Open(t)
	put(id, Spreadsheet{Title: "numbers", Worksheets: []Worksheet{{
		Title: "Sheet1", Rows: [][]any{{"ROW_INDEX", 28800, 0.5, true, 1234567890123.0, -3}},
	}}})
	wantRows(t, mustRead(t, r, id, ""), []string{"ROW_INDEX", "28800", "0.5", "TRUE", "1234567890123", "-3"})
}

// testMerges: the value of a merged cell, which the store has once, is in each of its rows.
func testMerges(t *testing.T, c Contract) {
	r, put := c.Open(t)
	put(id, Spreadsheet{Title: "merged", Worksheets: []Worksheet{{
		Title: "Sheet1", Rows: Table([]string{"FRAME", "CLASS"}, []string{"1", "Rare"}, []string{"2"}, []string{"3", "", "x"}, []string{""}, []string{"5", "Junk"}, []string{"6"}),
		Merges: []sheet.Merge{{StartRow: 1, EndRow: 5, StartColumn: 1, EndColumn: 2}, {StartRow: 5, EndRow: 7, StartColumn: 1, EndColumn: 2}},
	}}})
	wantRows(t, mustRead(t, r, id, ""),
		[]string{"FRAME", "CLASS"}, []string{"1", "Rare"}, []string{"2", "Rare"}, []string{"3", "Rare", "x"}, nil, []string{"5", "Junk"}, []string{"6", "Junk"})
}

func testNotFound(t *testing.T, c Contract) {
	r, put := c.Open(t)
	put(id, One("another", []string{"A"}))
	if _, err := r.Values(t.Context(), "1NoSuchSheet", ""); !errors.Is(err, sheet.ErrNotFound) {
		t.Fatalf("err = %v, want sheet.ErrNotFound", err)
	}
}

func testHostileIDs(t *testing.T, c Contract) {
	r, put := c.Open(t)
	put(id, One("another", []string{"A"}))
	for _, hostile := range []string{"", ".", "..", "../" + id, "./" + id, id + "/values/A1", `..\` + id, "a\x00b", id + "?x", id + "%2e", "*"} {
		if v, err := r.Values(t.Context(), hostile, ""); !errors.Is(err, sheet.ErrNotFound) {
			t.Errorf("Values(%q) = %q, %v; want sheet.ErrNotFound", hostile, v.Rows, err)
		}
	}
}

func testWorksheets(t *testing.T, c Contract) {
	r, put := c.Open(t)
	put(id, Spreadsheet{Title: "three", Worksheets: []Worksheet{
		{GID: 7, Title: "7", Object: true},
		{GID: 5, Title: "5", Rows: Table([]string{"five"})},
		{GID: 1234567, Title: "1234567", Rows: Table([]string{"million"})},
	}})
	for gid, want := range map[string]string{"": "five", "5": "five", "1234567": "million"} {
		got := mustRead(t, r, id, gid)
		wantRows(t, got, []string{want})
		if got.Worksheet == "" {
			t.Errorf("gid %q: the worksheet has no title", gid)
		}
	}
	for _, gid := range []string{"6", "7", "../5", "x"} {
		if _, err := r.Values(t.Context(), id, gid); !errors.Is(err, sheet.ErrWorksheetNotFound) {
			t.Errorf("gid %q: err = %v, want sheet.ErrWorksheetNotFound", gid, err)
		}
	}
}

func testEdits(t *testing.T, c Contract) {
	r, put := c.Open(t)
	put(id, One("edited", []string{"before"}))
	wantRows(t, mustRead(t, r, id, ""), []string{"before"})
	put(id, One("edited", []string{"after"}, []string{"and more"}))
	wantRows(t, mustRead(t, r, id, ""), []string{"after"}, []string{"and more"})
}

func testCancelled(t *testing.T, c Contract) {
	r, put := c.Open(t)
	put(id, One("any", []string{"A"}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Values(ctx, id, ""); !errors.Is(err, context.Canceled) || errors.Is(err, sheet.ErrUnavailable) {
		t.Fatalf("err = %v, want context.Canceled alone", err)
	}
}

func testAtOnce(t *testing.T, c Contract) {
	r, put := c.Open(t)
	for i := range 8 {
		put(fmt.Sprintf("sheet%d", i), One("many", []string{fmt.Sprint(i)}))
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			v, err := r.Values(t.Context(), fmt.Sprintf("sheet%d", i), "")
			if err != nil || len(v.Rows) != 1 || v.Rows[0][0] != fmt.Sprint(i) {
				t.Errorf("sheet%d = %q, %v", i, v.Rows, err)
			}
		})
	}
	wg.Wait()
}

// testLarge reads more rows than a new worksheet's grid has.
func testLarge(t *testing.T, c Contract) {
	r, put := c.Open(t)
	rows := make([][]string, 3000)
	for i := range rows {
		rows[i] = []string{fmt.Sprint(i), "Common"}
	}
	put(id, One("large", rows...))
	if got := mustRead(t, r, id, ""); len(got.Rows) != len(rows) || got.Rows[2999][0] != "2999" {
		t.Fatalf("%d rows, want %d", len(got.Rows), len(rows))
	}
}
