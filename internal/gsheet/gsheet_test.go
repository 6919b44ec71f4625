package gsheet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/api/option"

	"github.com/angel-nft/google-shuffle/internal/gsheet"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

func TestContract(t *testing.T) {
	sheettest.Run(t, sheettest.Contract{Open: func(t *testing.T) (sheettest.Reader, func(string, sheettest.Spreadsheet)) {
		api := sheettest.NewServer()
		server := httptest.NewServer(api)
		t.Cleanup(server.Close)
		return open(t, option.WithEndpoint(server.URL), option.WithoutAuthentication()), api.Set
	}})
}

func open(t *testing.T, opts ...option.ClientOption) *gsheet.Sheets {
	t.Helper()
	s, err := gsheet.New(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// direct answers requests without a network, so that the clock of a bubble does not advance
// meanwhile.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

func over(t *testing.T, transport http.RoundTripper) *gsheet.Sheets {
	t.Helper()
	return open(t, option.WithHTTPClient(&http.Client{Transport: transport}), option.WithEndpoint("http://sheets.test/"))
}

func book() sheettest.Spreadsheet { return sheettest.One("Episode 1", []string{"FRAME NUMBER"}) }

// TestRetries: what passes is waited out; what stays ends in an error that says what it was, in
// bounded time.
func TestRetries(t *testing.T) {
	for _, test := range []struct {
		name     string
		status   int
		times    int
		header   http.Header
		want     error
		requests int
		min, max time.Duration
	}{
		{"throttled once", 429, 1, nil, nil, 3, 2 * time.Second, 3 * time.Second},
		{"throttled until the minute is over", 429, 5, nil, nil, 7, 62 * time.Second, 93 * time.Second},
		{"throttled for ever", 429, -1, nil, sheet.ErrUnavailable, 0, 30 * time.Second, 93 * time.Second},
		{"failing once", 503, 1, nil, nil, 3, 500 * time.Millisecond, time.Second},
		{"failing for ever", 500, -1, nil, sheet.ErrUnavailable, 6, 15 * time.Second, 24 * time.Second},
		{"told to wait", 429, 1, http.Header{"Retry-After": {"30"}}, nil, 3, 30 * time.Second, 30 * time.Second},
		{"told to wait too long", 503, 1, http.Header{"Retry-After": {"3600"}}, sheet.ErrUnavailable, 1, 0, 0},
		{"no permission", 403, 1, nil, sheet.ErrPermission, 1, 0, 0},
		{"not found", 404, 1, nil, sheet.ErrNotFound, 1, 0, 0},
		{"not authenticated", 401, 1, nil, sheet.ErrCredentials, 1, 0, 0},
		{"not implemented", 501, 1, nil, sheet.ErrAnswer, 1, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := sheettest.NewServer()
				api.Set("ID", book())
				api.FailWith("ID", test.status, test.times, test.header)
				s, start := over(t, direct{api}), time.Now()
				_, err := s.Values(t.Context(), "ID", "")
				fails := test.want != nil || test.status == 401
				if fails != (err != nil) || test.want != nil && !errors.Is(err, test.want) {
					t.Errorf("err = %v, want %v", err, test.want)
				}
				if fails && !strings.HasPrefix(err.Error(), "read sheet ID: ") || fails && !strings.Contains(err.Error(), fmt.Sprint(test.status)) {
					t.Errorf("err = %v, want one that names the sheet and the status", err)
				}
				if took := time.Since(start); took < test.min || took > test.max {
					t.Errorf("took %s, want %s to %s", took, test.min, test.max)
				}
				if n := api.Requests("ID"); test.requests > 0 && n != test.requests {
					t.Errorf("%d requests, want %d", n, test.requests)
				}
			})
		})
	}
}

// reply is an answer, or the lack of one.
type reply struct {
	status int
	body   string
	err    error
}

// script sends these replies one after the other, the last one again and again.
type script struct {
	replies []reply
	n       int
}

func (s *script) RoundTrip(*http.Request) (*http.Response, error) {
	next := s.replies[min(s.n, len(s.replies)-1)]
	s.n++
	if next.err != nil {
		return nil, next.err
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(next.status)
	_, err := w.WriteString(next.body)
	return w.Result(), err
}

const oneTab = `{"properties":{"title":"T"},"sheets":[{"properties":{"sheetId":0,"title":"S","index":0,"sheetType":"GRID"}}]}`

// TestAnswers: a part, or something else, is never taken for the sheet.
func TestAnswers(t *testing.T) {
	cells := reply{200, `{"range":"S!A1:Z10","majorDimension":"ROWS","values":[["a"]]}`, nil}
	broken := reply{err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}
	renamed := reply{400, `{"error":{"code":400,"message":"Unable to parse range: 'S'","status":"INVALID_ARGUMENT"}}`, nil}
	for _, test := range []struct {
		name    string
		replies []reply
		rows    int
		err     string
	}{
		{"whole", []reply{{200, oneTab, nil}, cells}, 1, ""},
		{"one cell", []reply{{200, oneTab, nil}, {200, `{"range":"'S'!A1","values":[["a"]]}`, nil}}, 1, ""},
		{"a title with signs", []reply{{200, strings.Replace(oneTab, `"S"`, `"it's a!B2"`, 1), nil}, {200, `{"range":"'it''s a!B2'!A1:B7","values":[["a"]]}`, nil}}, 1, ""},
		{"another worksheet", []reply{{200, oneTab, nil}, {200, `{"range":"T!A1:Z10","values":[["a"]]}`, nil}}, 0, `not an answer of the Sheets API: expected the cells of "S", found the range "T!A1:Z10"`},
		{"no range and no values", []reply{{200, oneTab, nil}, {200, `{}`, nil}}, 0, `expected the cells of "S", found the range ""`},
		{"columns", []reply{{200, oneTab, nil}, {200, `{"range":"S!A1:Z10","majorDimension":"COLUMNS","values":[["a"]]}`, nil}}, 0, `expected rows, found "COLUMNS"`},
		{"another spreadsheet", []reply{{200, strings.Replace(oneTab, "{", `{"spreadsheetId":"other",`, 1), nil}}, 0, `not an answer of the Sheets API: expected the worksheets of this spreadsheet, found 1 of "other"`},
		{"HTML", []reply{{200, "<html><title>Log in</title></html>", nil}}, 0, "not an answer of the Sheets API: invalid character '<'"},
		{"a list", []reply{{200, "[]", nil}}, 0, "not an answer of the Sheets API"},
		{"501", []reply{{501, "", nil}}, 0, "not an answer of the Sheets API: Google answers 501 Not Implemented"},
		{"nothing once", []reply{{200, "", nil}, {200, oneTab, nil}, cells}, 1, ""},
		{"nothing", []reply{{200, "", nil}}, 0, "spreadsheet unavailable: the answer breaks off, after several tries"},
		{"rows left out at the beginning", []reply{{200, oneTab, nil}, {200, `{"range":"S!A2:Z10","values":[["a"]]}`, nil}}, 0, `expected the cells from A1 on, found the range "S!A2:Z10"`},
		{"columns left out", []reply{{200, oneTab, nil}, {200, `{"range":"S!AA1:AZ10","values":[["a"]]}`, nil}}, 0, "from A1 on"},
		{"cut off once", []reply{{200, oneTab, nil}, {200, `{"range":"S!A1:Z10","values":[["a"],`, nil}, cells}, 1, ""},
		{"cut off for ever", []reply{{200, oneTab, nil}, {200, `{"range":"S!A1:Z10","values":[["a"],`, nil}}, 0, "spreadsheet unavailable"},
		{"no connection once", []reply{broken, {200, oneTab, nil}, broken, cells}, 1, ""},
		{"no connection", []reply{broken}, 0, "spreadsheet unavailable: no connection: http://sheets.test: dial: connection refused, after several tries"},
		{"no such host", []reply{{err: &net.DNSError{Err: "no such host", Name: "sheets.test"}}}, 0, "no connection: http://sheets.test: lookup sheets.test: no such host"},
		{"renamed meanwhile", []reply{{200, oneTab, nil}, renamed, {200, oneTab, nil}, cells}, 1, ""},
		{"a range that does not parse", []reply{{200, oneTab, nil}, renamed}, 0, `Google answers 400, "Unable to parse range: 'S'"`},
		{"quota as 403", []reply{{403, `{"error":{"code":403,"errors":[{"reason":"rateLimitExceeded"}]}}`, nil}, {200, oneTab, nil}, cells}, 1, ""},
		{"a page of HTML", []reply{{403, "<html>" + strings.Repeat("x", 5000), nil}}, 0, "not an answer of the Sheets API: found the status 403 Forbidden without"},
		{"no worksheets", []reply{{200, `{}`, nil}}, 0, `expected the worksheets of this spreadsheet, found 0 of ""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, err := over(t, &script{replies: test.replies}).Values(t.Context(), "ID", "")
				if (test.err == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), test.err) || len(err.Error()) > 500) {
					t.Fatalf("err = %v, want %q", err, test.err)
				}
				if len(v.Rows) != test.rows {
					t.Errorf("rows = %q, want %d", v.Rows, test.rows)
				}
			})
		})
	}
}

// gridTab is oneTab with a grid of 61 rows and 7 columns.
var gridTab = strings.Replace(oneTab, `"GRID"`, `"GRID","gridProperties":{"rowCount":61,"columnCount":7}`, 1)

// TestNulls: a JSON null anywhere is refused at once, and never a panic.
func TestNulls(t *testing.T) {
	const tab = `{"properties":{"sheetId":0,"title":"S"}}`
	for name, answers := range map[string][]string{
		"the spreadsheet":        {`null`},
		"worksheets":             {`{"properties":{"title":"T"},"sheets":null}`},
		"a worksheet":            {`{"properties":{"title":"T"},"sheets":[null]}`},
		"the first worksheet":    {`{"properties":{"title":"T"},"sheets":[null,` + tab + `]}`},
		"the last worksheet":     {`{"properties":{"title":"T"},"sheets":[` + tab + `,null]}`},
		"a merge":                {`{"properties":{"title":"T"},"sheets":[{"merges":[null],"properties":{"sheetId":0,"title":"S"}}]}`},
		"worksheet properties":   {`{"properties":{"title":"T"},"sheets":[{"properties":null}]}`},
		"spreadsheet properties": {`{"properties":null,"sheets":[` + tab + `]}`},
		"the values":             {oneTab, `null`},
		"a row":                  {oneTab, `{"range":"S!A1:Z10","values":[["a"],null,["b"]]}`},
		"the only row":           {oneTab, `{"range":"S!A1:Z10","values":[null]}`},
		"the range":              {gridTab, `{"range":null,"values":[["a"]]}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var replies []reply
				for _, body := range answers {
					replies = append(replies, reply{200, body, nil})
				}
				start := time.Now()
				v, err := over(t, &script{replies: replies}).Values(t.Context(), "ID", "")
				if !errors.Is(err, sheet.ErrAnswer) || v.Rows != nil || time.Since(start) > 0 {
					t.Errorf("after %s: %q, %v; want sheet.ErrAnswer", time.Since(start), v.Rows, err)
				}
			})
		})
	}
	for name, body := range map[string]string{
		"grid properties": strings.Replace(oneTab, `"GRID"`, `"GRID","gridProperties":null`, 1),
		"merges":          strings.Replace(oneTab, `{"properties":{"sheetId"`, `{"merges":null,"properties":{"sheetId"`, 1),
	} {
		replies := []reply{{200, body, nil}, {200, `{"range":"S!A1:Z10","values":[["a"]]}`, nil}}
		if v, err := over(t, &script{replies: replies}).Values(t.Context(), "ID", ""); err != nil || len(v.Rows) != 1 {
			t.Errorf("%s: %q, %v; want the row, since they may be absent too", name, v.Rows, err)
		}
	}
}

// TestRanges: cells of less than the grid of 61 rows and 7 columns are refused.
func TestRanges(t *testing.T) {
	for _, test := range []struct {
		name, tab, found string
		whole            bool
	}{
		{"the grid", gridTab, `S!A1:G61`, true},
		{"rows were added", gridTab, `S!A1:G70`, true},
		{"columns were added", gridTab, `S!A1:AA61`, true},
		{"open rows", gridTab, `S!A1:G`, true},
		{"open columns", gridTab, `S!A1:61`, true},
		{"fewer rows", gridTab, `S!A1:G58`, false},
		{"fewer columns", gridTab, `S!A1:F61`, false},
		{"more rows, fewer columns", gridTab, `S!A1:F100`, false},
		{"open columns, fewer rows", gridTab, `S!A1:60`, false},
		{"one cell", gridTab, `S!A1`, false},
		{"no end", gridTab, `S!A1:`, false},
		{"no cells", gridTab, `S!A1:x`, false},
		{"none", gridTab, ``, false},
		{"none, and no grid", oneTab, ``, true},
		{"no grid", oneTab, `S!A1:G58`, true},
		{"a grid of one cell", strings.NewReplacer("61", "1", "7", "1").Replace(gridTab), `S!A1`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cells := reply{200, fmt.Sprintf(`{"range":%q,"values":[["a"]]}`, test.found), nil}
			tab := reply{200, test.tab, nil}
			v, err := over(t, &script{replies: []reply{tab, cells, tab, cells}}).Values(t.Context(), "ID", "")
			if test.whole && (err != nil || len(v.Rows) != 1) || !test.whole && (!errors.Is(err, sheet.ErrAnswer) || !strings.Contains(err.Error(), test.found)) {
				t.Errorf("%q, %v; whole: %v", v.Rows, err, test.whole)
			}
		})
	}
}

// TestMadeSmallerMeanwhile: rows that are deleted between the two requests do not hold the episode.
func TestMadeSmallerMeanwhile(t *testing.T) {
	cells := reply{200, `{"range":"S!A1:G58","values":[["a"]]}`, nil}
	v, err := over(t, &script{replies: []reply{{200, gridTab, nil}, cells, {200, strings.Replace(gridTab, "61", "58", 1), nil}, cells}}).Values(t.Context(), "ID", "")
	if err != nil || len(v.Rows) != 1 {
		t.Errorf("%q, %v", v.Rows, err)
	}
}

func TestPermissionNamesTheAccount(t *testing.T) {
	api := sheettest.NewServer()
	api.Fail("", http.StatusForbidden, -1)
	s := over(t, direct{api})
	s.Account = gsheet.AccountOf([]byte(`{"type":"service_account","client_email":"shuffle@project.iam.gserviceaccount.com"}`))
	_, err := s.Values(t.Context(), "ID", "")
	if !errors.Is(err, sheet.ErrPermission) || !strings.Contains(err.Error(), "shuffle@project.iam.gserviceaccount.com") {
		t.Errorf("err = %v, want sheet.ErrPermission with the account", err)
	}
	for _, file := range []string{"", "null", `{"type":"authorized_user"}`, `{"client_email":5}`} {
		if got := gsheet.AccountOf([]byte(file)); got != "" {
			t.Errorf("AccountOf(%s) = %q", file, got)
		}
	}
}

// TestCredentialsRefused: a key that Google does not take is not tried again and again.
func TestCredentialsRefused(t *testing.T) {
	tokens := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`))
	}))
	defer server.Close()
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "a@b.test", "private_key": testKey(t), "token_uri": server.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, option.WithAuthCredentialsJSON(option.ServiceAccount, file), option.WithEndpoint(server.URL))
	_, err = s.Values(t.Context(), "ID", "")
	if err == nil || !strings.Contains(err.Error(), "invalid_grant") || errors.Is(err, sheet.ErrUnavailable) || tokens != 1 {
		t.Errorf("%d tokens asked for, err = %v", tokens, err)
	}
}

// TestCancelledWhileWaiting: a shutdown does not wait for the quota.
func TestCancelledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := sheettest.NewServer()
		api.Fail("", http.StatusTooManyRequests, -1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := over(t, direct{api}).Values(ctx, "ID", "")
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sheet.ErrUnavailable) || time.Since(start) != time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

// TestRequests: two a sheet, of nothing but what is needed, at an endpoint with a path too.
func TestRequests(t *testing.T) {
	api := sheettest.NewServer()
	api.Set("ID", sheettest.Spreadsheet{Title: "T", Worksheets: []sheettest.Worksheet{{GID: 4, Title: "Jonny's / A1?", Rows: sheettest.Table([]string{"x"})}}})
	var asked []string
	server := httptest.NewServer(http.StripPrefix("/google", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		api.ServeHTTP(w, r)
	})))
	defer server.Close()
	s := open(t, option.WithEndpoint(server.URL+"/google/"), option.WithoutAuthentication())
	v, err := s.Values(t.Context(), "ID", "4")
	if err != nil || v.Title != "T" || v.Worksheet != "Jonny's / A1?" || v.GID != "4" {
		t.Fatalf("%+v, %v", v, err)
	}
	want := []string{
		"/v4/spreadsheets/ID?alt=json&fields=spreadsheetId%2Cproperties.title%2Csheets%28merges%2Cproperties%28sheetId%2Ctitle%2Cindex%2CsheetType%2CgridProperties%28rowCount%2CcolumnCount%29%29%29&prettyPrint=false",
		"/v4/spreadsheets/ID/values/%27Jonny%27%27s%20%2F%20A1%3F%27?alt=json&majorDimension=ROWS&prettyPrint=false&valueRenderOption=FORMATTED_VALUE",
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
	}
}
