package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

func serve(t *testing.T, api http.Handler) (url string) {
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return server.URL
}

// writeSeason writes images, manifest and sheets.
func (w *wire) writeSeason() {
	w.t.Helper()
	if err := w.season.WriteImages(w.t.Context(), w); err != nil {
		w.t.Fatal(err)
	}
	if err := w.season.WriteManifest(w.t.Context(), w); err != nil {
		w.t.Fatal(err)
	}
	w.writeSheets()
}

// writeSheets publishes every episode's sheet from memory to the Sheets API.
func (w *wire) writeSheets() {
	for _, e := range w.season.Episodes {
		w.api.Set(e.SpreadsheetID, bookOf(e, cellsOf(e)))
	}
}

func bookOf(e *season.Episode, rows [][]any) sheettest.Spreadsheet {
	return sheettest.Spreadsheet{Title: "Frames of " + string(e.Episode), Worksheets: []sheettest.Worksheet{
		{GID: 42, Title: "Notes", Rows: sheettest.Table([]string{"not", "the", "frames"})},
		{GID: 0, Title: "Frames", Rows: rows},
	}}
}

// cellsOf returns the sheet's rows, which differ in length, with numbers as numbers.
func cellsOf(e *season.Episode) [][]any {
	rows := sheettest.Table(e.Sheet()...)
	for _, row := range rows {
		for i, cell := range row {
			if n, err := strconv.Atoi(cell.(string)); err == nil {
				row[i] = n
			}
		}
	}
	return rows
}
