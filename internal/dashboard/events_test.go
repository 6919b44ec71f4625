package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bound is the time limit of every wait.
const bound = time.Minute

// source is an EventSource.
type source struct {
	t     *testing.T
	lines *bufio.Scanner
}

// listen opens a stream of events. ctx ends it.
func listen(ctx context.Context, t *testing.T, address string) *source {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s: status %d, %s", address, answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	s := &source{t: t, lines: bufio.NewScanner(answer.Body)}
	s.lines.Buffer(nil, 1<<20)
	return s
}

// next returns the next event, with its regions by ID.
func (s *source) next() (event string, regions map[string]string) {
	s.t.Helper()
	for s.lines.Scan() {
		line := s.lines.Text()
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var all []page.Region
		if err := json.Unmarshal([]byte(data), &all); err != nil {
			s.t.Fatal(err)
		}
		regions = map[string]string{}
		for _, r := range all {
			regions[r.ID] = r.HTML
		}
		return event, regions
	}
	s.t.Fatalf("the stream ended: %v", s.lines.Err())
	return "", nil
}

// A page gets everything once, and then only what has changed. Its stream ends when a newer run is
// in force.
func TestEvents(t *testing.T) {
	w := newWorld(t, 3)
	server := httptest.NewServer(w.handler)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	s := listen(ctx, t, server.URL+"/runs/"+runName+"/events")
	event, regions := s.next()
	if event != "regions" || !strings.Contains(regions["head"], "running") || !strings.Contains(regions["progress"], "0</strong> of 6 tasks") {
		t.Fatalf("first event %s: %v", event, regions)
	}

	w.must(w.store.WriteJSON(ctx, state.RunName(runName, state.LedgerName), state.Progress{Tasks: 6, Done: 4, Open: 2}, noCondition))
	event, regions = s.next()
	if _, again := regions["problems"]; event != "regions" || again || !strings.Contains(regions["progress"], "4</strong> of 6 tasks") {
		t.Fatalf("after 4 results, event %s: %v", event, regions)
	}

	// While the bucket fails the page does not change, and afterwards it continues.
	w.bucket.fail(errBroken)
	w.expect(w.get("/"), http.StatusBadGateway)
	w.bucket.fail(nil)
	ended := w.pointer.Pointer
	ended.State, ended.Finished = state.Failed, ended.Started.Add(time.Minute)
	w.point(ended)
	if event, regions = s.next(); event != "regions" || !strings.Contains(regions["head"], "failed") {
		t.Fatalf("after the end, event %s: %v", event, regions)
	}

	w.point(state.Pointer{Run: "20261124T000000Z-8", Generation: 8, State: state.Planning})
	for event != "end" {
		event, _ = s.next()
	}
}

// At most streamsAtOnce pages are updated, and a page that leaves makes room for another.
func TestStreamsAreBounded(t *testing.T) {
	w := newWorld(t, 3)
	server := httptest.NewServer(w.handler)
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	for range maxStreams {
		listen(ctx, t, server.URL+"/events").next()
	}
	w.expect(w.get("/events"), http.StatusServiceUnavailable, "Too many pages")
	leave()
	again, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	for w.full(again, server.URL) {
	}
}

func (w *world) full(ctx context.Context, address string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/events", nil)
	w.must(err)
	answer, err := http.DefaultClient.Do(r)
	w.must(err)
	defer answer.Body.Close() //nolint:errcheck // It was only read.
	return answer.StatusCode == http.StatusServiceUnavailable
}

// Serve ends with its context, although a stream is open.
func TestServeEnds(t *testing.T) {
	w := newWorld(t, 3)
	ctx, stop := context.WithCancel(t.Context())
	l, err := Listen(ctx, "127.0.0.1:0")
	w.must(err)
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, w.handler) }()
	listen(t.Context(), t, "http://"+l.Addr().String()+"/events").next()
	stop()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(bound):
		t.Error("the server has not ended")
	}
}

func TestListen(t *testing.T) {
	l, err := Listen(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // No request has used it.
	if !strings.HasPrefix(l.Addr().String(), "127.0.0.1:") {
		t.Errorf("an address without a host listens on %s", l.Addr())
	}
	for _, bad := range []string{"", "8080", "127.0.0.1:x", l.Addr().String()} {
		if _, err := Listen(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "--http") || !strings.Contains(err.Error(), "SHUFFLE_HTTP") {
			t.Errorf("Listen(%q): %v", bad, err)
		}
	}
}
