package sheettest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server answers the two reads of the Sheets API, v4, that a reader needs (spreadsheets.get and
// values.get, with values.batchGet) in the API's shapes and with its errors. It is an http.Handler;
// all methods may be called while it serves.
type Server struct {
	mu       sync.Mutex
	books    map[string]Spreadsheet
	folder   string
	failures map[string]*failure
	requests map[string]int
	quota    int         // reads that are allowed in any minute; 0: any number
	reads    []time.Time // that were answered in the last minute
	refused  int         // reads above the quota
}

type failure struct {
	status, times int
	header        http.Header
}

// NewServer has no spreadsheets yet.
func NewServer() *Server {
	return &Server{books: map[string]Spreadsheet{}, failures: map[string]*failure{}, requests: map[string]int{}}
}

// FromFolder serves the CSV files of a folder, read again at each request: ID.csv, and ID.GID.csv
// for further worksheets.
func FromFolder(dir string) *Server {
	s := NewServer()
	s.folder = dir
	return s
}

// Set puts a spreadsheet in place, or another in its place.
func (s *Server) Set(id string, book Spreadsheet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books[id] = book
}

// Remove deletes a spreadsheet: it answers 404.
func (s *Server) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.books, id)
}

// Fail answers the next requests for the spreadsheet with an HTTP status, that many times; below 0
// for ever, 0 not any more. ID "" stands for every spreadsheet.
func (s *Server) Fail(id string, status, times int) { s.FailWith(id, status, times, nil) }

// FailWith is Fail with headers, such as Retry-After.
func (s *Server) FailWith(id string, status, times int, header http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[id] = &failure{status: status, times: times, header: header}
}

// Requests is the number of requests for the spreadsheet so far; of ID "", for all of them.
func (s *Server) Requests(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[id]
}

// Allow sets how many reads are answered in any minute; 0: any number. Further ones are refused
// with 429.
func (s *Server) Allow(perMinute int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quota = perMinute
}

// Refused is the number of reads so far that were above the quota.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// overQuota counts a read, and reports whether it exceeds the quota. The caller holds s.mu.
func (s *Server) overQuota(now time.Time) bool {
	if s.quota == 0 {
		return false
	}
	s.reads = slices.DeleteFunc(s.reads, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	if len(s.reads) >= s.quota {
		s.refused++
		return true
	}
	s.reads = append(s.reads, now)
	return false
}

// ServeHTTP answers GET /v4/spreadsheets/ID[/values/RANGE | /values:batchGet].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, call, cells, err := route(r.URL)
	if err != nil || r.Method != http.MethodGet {
		writeError(w, http.StatusNotFound, "Method not found.")
		return
	}
	if f := s.count(id); f != nil {
		for name, values := range f.header {
			w.Header()[name] = values
		}
		writeError(w, f.status, "")
		return
	}
	book, ok, err := s.book(id)
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	if !ok {
		writeError(w, http.StatusNotFound, "")
		return
	}
	answer(w, r.URL.Query(), id, call, cells, book)
}

// route splits the path before it unescapes: a worksheet's title may hold a slash.
func route(u *url.URL) (id, call, cells string, err error) {
	rest, ok := strings.CutPrefix(u.EscapedPath(), "/v4/spreadsheets/")
	if !ok {
		return "", "", "", fmt.Errorf("path %q", u.Path)
	}
	id, call, _ = strings.Cut(rest, "/")
	if found := strings.HasPrefix(call, "values/"); found {
		call, cells, _ = strings.Cut(call, "/")
	}
	if id, err = url.PathUnescape(id); err != nil {
		return "", "", "", err
	}
	cells, err = url.PathUnescape(cells)
	return id, call, cells, err
}

// count records the request, and returns the failure that it should have.
func (s *Server) count(id string) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[id]++
	s.requests[""]++
	if s.overQuota(time.Now()) {
		return &failure{status: http.StatusTooManyRequests}
	}
	for _, key := range []string{id, ""} {
		if f := s.failures[key]; f != nil && f.times != 0 {
			f.times--
			return f
		}
	}
	return nil
}

func (s *Server) book(id string) (Spreadsheet, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if book, ok := s.books[id]; ok || s.folder == "" {
		return book, ok, nil
	}
	return readFolder(s.folder, id)
}

func answer(w http.ResponseWriter, query url.Values, id, call, cells string, book Spreadsheet) {
	var body any
	var err error
	switch call {
	case "":
		body = properties(id, book)
	case "values":
		body, err = values(book, cells)
	case "values:batchGet":
		body, err = batch(id, book, query["ranges"])
	default:
		writeError(w, http.StatusNotFound, "Method not found.")
		return
	}
	if err == nil {
		body, err = masked(body, query.Get("fields"))
	}
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, body)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone, so the error does not matter
}
