package main

import (
	"net/http"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

// sheetFault is a fault of the sheet of one episode.
type sheetFault struct {
	name string
	// cells changes the rows of the sheet; server changes the answers of the Sheets API. Columns of
	// season.ColumnURI: FRAME NUMBER, JONNY's, SUPERVISED, UNSUPERVISED, METADATA, S3_BASE_URI,
	// ROW_INDEX.
	cells  func(rows [][]any) [][]any
	server func(w *wire, e *season.Episode)
	// held are the texts that the reason must contain; nil: the episode is planned.
	held []string
}

// shrunken is the number of rows that someone deletes: more than the ceilings of 20 rows and 10%
// allow.
const shrunken = 25

// sheetFaults has one fault for each episode, in the order of the episode codes.
var sheetFaults = []sheetFault{
	{name: "nothing"},
	{name: "429, then fine", server: failing(http.StatusTooManyRequests, 2)},
	{name: "500, then fine", server: failing(http.StatusInternalServerError, 3)},
	{name: "503 for ever", server: failing(http.StatusServiceUnavailable, -1), held: []string{"unavailable", "503", "after several tries"}},
	{name: "403", server: failing(http.StatusForbidden, -1), held: []string{"no permission", "403"}},
	{name: "404", server: func(w *wire, e *season.Episode) { w.api.Remove(e.SpreadsheetID) }, held: []string{"not found", "404"}},
	{name: "worksheet gone", server: func(w *wire, e *season.Episode) {
		w.api.Set(e.SpreadsheetID, sheettest.Spreadsheet{Title: "Frames", Worksheets: []sheettest.Worksheet{{GID: 5, Title: "Other"}}})
	}, held: []string{`expected a worksheet with gid "0"`, `"Other" (gid 5)`}},
	{name: "missing column", cells: header(1, "JONNY"), held: []string{`expected the column "JONNY's RECLASSIFICATION"`, `"JONNY"`}},
	{name: "duplicate column", cells: header(4, "Frame Number"), held: []string{`expected one column "FRAME NUMBER"`, "columns A and E"}},
	{name: "empty", cells: func([][]any) [][]any { return nil }, held: []string{"empty sheet"}},
	{name: "header only", cells: func(rows [][]any) [][]any { return rows[:1] }, held: []string{"header and no rows"}},
	{name: "another bucket", cells: column(5, 1, "s3://other-bucket/tuttle_twins/"), held: []string{"another bucket", `"other-bucket"`}},
	{name: "another episode", cells: swap(5, "/s01e", "/s07e"), held: []string{"another episode", `"s07e13"`}},
	{name: "frames misnamed", cells: column(0, 3, "frame 12"), held: []string{"expected at most 5%", "found 3 of 40"}},
	{name: "shrunken", server: func(w *wire, e *season.Episode) {
		e.RemoveRows(shrunken)
		w.api.Set(e.SpreadsheetID, bookOf(e, cellsOf(e)))
	}, held: []string{"would delete 25 of the", "--max-delete", "--allow-delete S01E15"}},
}

// failing makes the API fail this number of times; a negative number means always.
func failing(status, times int) func(*wire, *season.Episode) {
	return func(w *wire, e *season.Episode) { w.api.Fail(e.SpreadsheetID, status, times) }
}

// header replaces a header cell.
func header(column int, text string) func([][]any) [][]any {
	return func(rows [][]any) [][]any {
		rows[0][column] = text
		return rows
	}
}

// column replaces a cell of the first n rows.
func column(column, n int, text string) func([][]any) [][]any {
	return func(rows [][]any) [][]any {
		for _, row := range rows[1 : n+1] {
			row[column] = text
		}
		return rows
	}
}

// swap replaces a part of a cell of the first row.
func swap(column int, part, by string) func([][]any) [][]any {
	return func(rows [][]any) [][]any {
		rows[1][column] = strings.Replace(rows[1][column].(string), part, by, 1)
		return rows
	}
}

// shuffle run, plan --allow-delete: each broken sheet holds its episode, whose frames do not
// change, and the others continue. When the sheets are fixed, all are planned again. An unreadable
// manifest fails only its season.
func wireBrokenSheets(w *wire) {
	for _, e := range w.season.Episodes {
		e.Style = season.ColumnURI
	}
	w.first()
	before := w.list()
	var good []*season.Episode
	held := map[string][]string{}
	for i, e := range w.season.Episodes {
		e.Relabel(2)
		w.breakSheet(e, sheetFaults[i])
		if fault := sheetFaults[i]; fault.held != nil {
			held[e.Episode.Code()] = fault.held
		} else {
			good = append(good, e)
		}
	}
	s := w.status(1, "run")
	if s.State != state.Succeeded || s.Tasks != 2*len(good) || s.Done != s.Tasks {
		w.t.Errorf("with broken sheets: %+v, expected %d tasks, all done", s, 2*len(good))
	}
	w.mustHold(w.want(before, good))
	w.mustBeHeld(s.Held, held)

	w.mend()
	before = w.list()
	if s := w.status(0, "run", "--allow-delete", "S01E15"); s.State != state.Succeeded || s.Outcomes["deleted"] < shrunken-2 {
		w.t.Errorf("with mended sheets: %+v", s)
	}
	w.mustHold(w.want(before, w.season.Episodes))

	w.put("tuttle_twins/manifests/S02-episodes.json", []byte("<html>"))
	plan := w.plan(1)
	if plan.Tasks != 0 || len(plan.Held()) != 0 || len(plan.Problems) != 1 || !strings.Contains(plan.Problems[0].Problem, "JSON list") {
		w.t.Errorf("with a broken manifest of another season: %d tasks, %+v, %+v", plan.Tasks, plan.Held(), plan.Problems)
	}
}

func (w *wire) breakSheet(e *season.Episode, fault sheetFault) {
	rows := cellsOf(e)
	if fault.cells != nil {
		rows = fault.cells(rows)
	}
	w.api.Set(e.SpreadsheetID, bookOf(e, rows))
	if fault.server != nil {
		fault.server(w, e)
	}
}

// mend fixes every sheet.
func (w *wire) mend() {
	for _, e := range w.season.Episodes {
		w.api.Fail(e.SpreadsheetID, 0, 0)
	}
	w.writeSheets()
}

// mustBeHeld compares the held episodes with the texts that each reason must contain, by the
// episode's code.
func (w *wire) mustBeHeld(got []state.HeldEpisode, want map[string][]string) {
	w.t.Helper()
	if len(got) != len(want) {
		w.t.Errorf("%d episodes are held, want %d: %+v", len(got), len(want), got)
	}
	for _, e := range got {
		words, ok := want[e.Episode]
		if !ok {
			w.t.Errorf("%s is held: %s", e.Episode, e.Reason)
		}
		for _, word := range append(words, e.Season+e.Episode) {
			if !strings.Contains(e.Reason, word) {
				w.t.Errorf("%s is held, and does not say %q: %s", e.Episode, word, e.Reason)
			}
		}
	}
}
