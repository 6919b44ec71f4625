package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// SheetsPath is the path where a Front serves the Sheets API. A process with the name N has
// SheetsPath + N + "/" as its endpoint, because those requests are not signed.
const SheetsPath = "/sheets/"

// The names of the calls in the Sheets API.
const (
	opSpreadsheet = "spreadsheets.get"
	opValues      = "values.get"
)

// readSheets parses a request to SheetsPath + name + "/v4/spreadsheets/ID[/values/RANGE]".
func (r *Request) readSheets(path string) bool {
	rest, ok := strings.CutPrefix(path, SheetsPath)
	if !ok {
		return false
	}
	name, call, _ := strings.Cut(rest, "/")
	id, values, _ := strings.Cut(strings.TrimPrefix(call, "v4/spreadsheets/"), "/")
	r.From, r.Op, r.Target = name, opSpreadsheet, id
	if values != "" {
		r.Op = opValues
	}
	return true
}

func (r *Request) isSheets() bool { return r.Op == opSpreadsheet || r.Op == opValues }

// server is the handler that answers the request.
func (f *Front) server(q *Request) http.Handler {
	if q.isSheets() {
		return http.StripPrefix(SheetsPath+q.From, f.Sheets)
	}
	return f.next
}

// spoil sends the client a wrong answer instead of the sheet.
func (c *call) spoil(k Kind) {
	a := c.carryOut()
	switch k {
	case Truncated:
		a.body.Truncate(a.body.Len() / 2)
		a.header.Del("Content-Length")
	case FewerRows:
		c.rewrite(a, "values", c.someRows)
	case NoValues:
		c.rewrite(a, "values", func(json.RawMessage) json.RawMessage { return nil })
	}
	c.answer(a)
}

// someRows returns the header and at most half of the rows.
func (c *call) someRows(values json.RawMessage) json.RawMessage {
	var rows []json.RawMessage
	if json.Unmarshal(values, &rows) != nil || len(rows) < 2 {
		return values
	}
	return encode(rows[:1+c.rand.IntN(len(rows)/2)])
}

// refuseSheets answers with an error of the Sheets API.
func (c *call) refuseSheets(status int) {
	a := &answer{status: status, header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}}
	fmt.Fprintf(&a.body, `{"error":{"code":%d,"message":"injected","status":"UNKNOWN"}}`, status)
	c.answer(a)
}
