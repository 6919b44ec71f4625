package dashboard

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/page"
)

// Pages and assets are compressed when the browser accepts it, with the same content. Images and
// event streams are not compressed.
func TestCompressed(t *testing.T) {
	w := newWorld(t, 300)
	w.put(w.imageOf(0), w.jpeg)
	zipped := func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") }
	for path, want := range map[string]bool{
		"/runs/" + runName + "/problems": true, "/assets/" + page.Version + "/style.css": true, "/assets/" + page.Version + "/app.js": true,
		page.ImagePath(w.imageOf(0)): false,
	} {
		answer := w.ask(http.MethodGet, path, zipped)
		if got := answer.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Fatalf("%s: compressed %t, expected %t", path, got, want)
		}
		if !want {
			continue
		}
		if answer.Header().Get("Content-Security-Policy") != page.Policy {
			t.Errorf("%s has no policy", path)
		}
		r, err := gzip.NewReader(answer.Body)
		w.must(err)
		body, err := io.ReadAll(r)
		w.must(err)
		if plain := w.get(path).Body.String(); string(body) != plain || len(plain) < 1000 {
			t.Errorf("%s: %d bytes, and %d without compression", path, len(body), len(plain))
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, newServer(t, w.handler)+"/runs/"+runName+"/events", nil)
	w.must(err)
	r.Header.Set("Accept-Encoding", "gzip")
	answer, err := http.DefaultTransport.RoundTrip(r)
	w.must(err)
	defer answer.Body.Close() //nolint:errcheck // It was only read.
	head := make([]byte, 14)
	if _, err := io.ReadFull(answer.Body, head); err != nil || !strings.HasPrefix(string(head), "event: regions") {
		t.Errorf("the stream begins with %q, %v", head, err)
	}
}
