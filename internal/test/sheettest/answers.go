package sheettest

import (
	"errors"
	"fmt"
	"net/http"
)

// object is a JSON object.
type object = map[string]any

// properties returns the answer of spreadsheets.get. A tab with a chart has no gridProperties.
func properties(id string, book Spreadsheet) any {
	tabs := []any{}
	for i, w := range book.Worksheets {
		p := object{"sheetId": w.GID, "title": w.Title, "index": i, "sheetType": "OBJECT"}
		if !w.Object {
			rows, columns := w.size()
			p["sheetType"] = "GRID"
			p["gridProperties"] = object{"rowCount": rows, "columnCount": columns}
		}
		tab := object{"properties": p}
		if merges := mergesOf(w); len(merges) > 0 {
			tab["merges"] = merges
		}
		tabs = append(tabs, tab)
	}
	return object{
		"spreadsheetId":  id,
		"properties":     object{"title": book.Title, "locale": "en_US", "autoRecalc": "ON_CHANGE", "timeZone": "America/Denver"},
		"sheets":         tabs,
		"spreadsheetUrl": "https://docs.google.com/spreadsheets/d/" + id + "/edit",
	}
}

// mergesOf are the merged cells of a tab. As in all of the API's JSON, a field that is 0 is left
// out.
func mergesOf(w Worksheet) []any {
	var merges []any
	for _, m := range w.Merges {
		merge := object{"endRowIndex": m.EndRow, "endColumnIndex": m.EndColumn}
		for name, n := range map[string]int{"sheetId": int(w.GID), "startRowIndex": m.StartRow, "startColumnIndex": m.StartColumn} {
			if n != 0 {
				merge[name] = n
			}
		}
		merges = append(merges, merge)
	}
	return merges
}

// values returns the answer of values.get: the complete requested range, and the rows without
// trailing blanks.
func values(book Spreadsheet, cells string) (any, error) {
	unparsable := errors.New("Unable to parse range: " + cells)
	title, part, ok := splitRange(cells)
	if !ok {
		return nil, unparsable
	}
	w, ok := book.worksheet(title)
	if !ok {
		return nil, unparsable
	}
	rows, columns := w.size()
	a, ok := areaOf(part, rows, columns)
	if !ok {
		return nil, unparsable
	}
	if max(a.row1, a.row2) > rows || max(a.col1, a.col2) > columns {
		return nil, fmt.Errorf("Range (%s) exceeds grid limits. Max rows: %d, max columns: %d", a.text(w.Title), rows, columns) //nolint:staticcheck // the API's own words
	}
	body := object{"range": a.text(w.Title), "majorDimension": "ROWS"}
	if found := w.within(a); len(found) > 0 {
		body["values"] = found
	}
	return body, nil
}

func batch(id string, book Spreadsheet, ranges []string) (any, error) {
	answers := []any{}
	for _, cells := range ranges {
		body, err := values(book, cells)
		if err != nil {
			return nil, err
		}
		answers = append(answers, body)
	}
	return object{"spreadsheetId": id, "valueRanges": answers}, nil
}

// worksheet finds a tab with cells by title, or the first.
func (b Spreadsheet) worksheet(title string) (Worksheet, bool) {
	for _, w := range b.Worksheets {
		if !w.Object && (title == "" || w.Title == title) {
			return w, true
		}
	}
	return Worksheet{}, false
}

// faults are the API's names and words for HTTP statuses.
var faults = map[int]struct{ status, message string }{
	http.StatusBadRequest:          {"INVALID_ARGUMENT", "Request contains an invalid argument."},
	http.StatusUnauthorized:        {"UNAUTHENTICATED", "Request had invalid authentication credentials."},
	http.StatusForbidden:           {"PERMISSION_DENIED", "The caller does not have permission"},
	http.StatusNotFound:            {"NOT_FOUND", "Requested entity was not found."},
	http.StatusTooManyRequests:     {"RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user' of service 'sheets.googleapis.com'."},
	http.StatusInternalServerError: {"INTERNAL", "Internal error encountered."},
	http.StatusServiceUnavailable:  {"UNAVAILABLE", "The service is currently unavailable."},
}

func writeError(w http.ResponseWriter, status int, message string) {
	fault := faults[status]
	if message == "" {
		message = fault.message
	}
	writeJSON(w, status, object{"error": object{"code": status, "message": message, "status": fault.status}})
}
