package sheettest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

// get asks the server for a path below /v4/spreadsheets/ and gives status and compact JSON.
func get(t *testing.T, s http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v4/spreadsheets/"+path, nil))
	var v any
	raw, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("GET %s: %v: %s", path, err, raw)
	}
	compact, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(compact)
}

func twoTabs() sheettest.Spreadsheet {
	return sheettest.Spreadsheet{Title: "S01E01", Worksheets: []sheettest.Worksheet{
		{GID: 3, Title: "Chart", Object: true},
		{GID: 0, Title: "Jonny's / frames", GridRows: 10, GridColumns: 4, Rows: [][]any{
			{"a", "b", "", ""}, {}, {1, true, "x"}, {""},
		}},
		{GID: 9, Title: "A1", GridRows: 2, GridColumns: 2, Rows: sheettest.Table([]string{"nine"})},
	}}
}

func TestServerAnswers(t *testing.T) {
	s := sheettest.NewServer()
	s.Set("ID", twoTabs())
	quoted := url.PathEscape("'Jonny''s / frames'")
	whole := `{"majorDimension":"ROWS","range":"'Jonny''s / frames'!A1:D10","values":[["a","b"],[],[1,true,"x"]]}`
	for _, test := range []struct {
		name, path string
		status     int
		want       string
	}{
		{"properties of the fields asked for", "ID?fields=properties.title,sheets.properties(sheetId,index,gridProperties)", 200,
			`{"properties":{"title":"S01E01"},"sheets":[{"properties":{"index":0,"sheetId":3}},{"properties":{"gridProperties":{"columnCount":4,"rowCount":10},"index":1,"sheetId":0}},{"properties":{"gridProperties":{"columnCount":2,"rowCount":2},"index":2,"sheetId":9}}]}`},
		{"fields in the nested form", "ID?fields=sheets(properties(title)),properties(title)", 200,
			`{"properties":{"title":"S01E01"},"sheets":[{"properties":{"title":"Chart"}},{"properties":{"title":"Jonny's / frames"}},{"properties":{"title":"A1"}}]}`},
		{"an unknown field", "ID?fields=sheets.properties.gid", 400, "Invalid field selection gid"},
		{"a whole worksheet", "ID/values/" + quoted, 200, whole},
		{"rows and columns", "ID/values/" + quoted + "!A1:D10", 200, whole},
		{"open columns", "ID/values/" + quoted + "!B:C", 200, `{"majorDimension":"ROWS","range":"'Jonny''s / frames'!B1:C10","values":[["b"],[],[true,"x"]]}`},
		{"open rows", "ID/values/" + quoted + "!2:3", 200, `"range":"'Jonny''s / frames'!A2:D3","values":[[],[1,true,"x"]]`},
		{"cells of the first worksheet", "ID/values/A1", 200, `{"majorDimension":"ROWS","range":"'Jonny''s / frames'!A1","values":[["a"]]}`},
		{"a quoted title that reads as cells", "ID/values/'A1'", 200, `{"majorDimension":"ROWS","range":"'A1'!A1:B2","values":[["nine"]]}`},
		{"an empty range", "ID/values/'A1'!B2:B2", 200, `{"majorDimension":"ROWS","range":"'A1'!B2"}`},
		{"beyond the grid", "ID/values/'A1'!A1:C2", 400, "Range ('A1'!A1:C2) exceeds grid limits. Max rows: 2, max columns: 2"},
		{"no such worksheet", "ID/values/Nope", 400, `{"error":{"code":400,"message":"Unable to parse range: Nope","status":"INVALID_ARGUMENT"}}`},
		{"a chart", "ID/values/Chart", 400, "Unable to parse range: Chart"},
		{"an open quote", "ID/values/'A1", 400, "Unable to parse range"},
		{"several ranges", "ID/values:batchGet?ranges='A1'!A1&ranges='A1'!B1&fields=valueRanges.values", 200, `{"valueRanges":[{"values":[["nine"]]},{}]}`},
		{"no such spreadsheet", "other", 404, `{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND"}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := get(t, s, test.path)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("%d %s\nwant %d %s", status, body, test.status, test.want)
			}
		})
	}
}

func TestServerFails(t *testing.T) {
	s := sheettest.NewServer()
	s.Set("ID", sheettest.One("S01E01"))
	s.Fail("ID", http.StatusTooManyRequests, 2)
	for i, want := range []int{429, 429, 200} {
		if status, _ := get(t, s, "ID"); status != want {
			t.Errorf("request %d: %d, want %d", i, status, want)
		}
	}
	s.Fail("", http.StatusForbidden, -1)
	if status, body := get(t, s, "ID"); status != 403 || !strings.Contains(body, `"status":"PERMISSION_DENIED"`) {
		t.Errorf("%d %s", status, body)
	}
	s.Fail("", 0, 0)
	s.Remove("ID")
	if status, _ := get(t, s, "ID"); status != 404 {
		t.Errorf("a removed spreadsheet answers %d", status)
	}
	if got := s.Requests("ID"); got != 5 {
		t.Errorf("%d requests counted, want 5", got)
	}
}

func TestServerFromFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := sheettest.FromFolder(dir)
	if status, _ := get(t, s, "ID"); status != 404 {
		t.Errorf("an empty folder answers %d", status)
	}
	write("ID.csv", "\ufeffa,b\r\n1\r\n")
	write("ID.77.csv", "seventy-seven\n")
	if _, body := get(t, s, "ID/values/ID!A1:B2"); !strings.Contains(body, `[["a","b"],["1"]]`) {
		t.Error(body)
	}
	if _, body := get(t, s, "ID?fields=sheets.properties.sheetId"); !strings.Contains(body, `{"sheetId":77}`) {
		t.Error(body)
	}
	write("ID.csv", "changed\n")
	if _, body := get(t, s, "ID/values/ID"); !strings.Contains(body, `[["changed"]]`) {
		t.Error(body)
	}
	if status, _ := get(t, s, url.PathEscape("../ID")); status != 404 {
		t.Errorf("a path as ID answers %d", status)
	}
}
