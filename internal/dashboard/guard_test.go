package dashboard

import (
	"net/http"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/page"
)

// Every request with a host name that is not configured is refused: DNS rebinding needs such a
// name.
func TestHosts(t *testing.T) {
	w := newWorld(t, 3)
	w.options.Hosts = []string{"shuffle.internal"}
	w.handler = New(w.options)
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "localhost:8080": 200, "LOCALHOST": 200, "localhost.": 200, "[::1]:8080": 200, "10.0.3.17": 200, "[fe80::1]": 200,
		"shuffle.internal:80": 200, "Shuffle.Internal": 200,
		"": 421, "evil.example": 421, "evil.example:8080": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example": 421,
		"shuffle.internal.evil.example": 421, "1": 421, "0x7f000001": 421,
	} {
		for _, path := range []string{"/", "/events", "/images/tt/x.jpg", "/no/such/page"} {
			if path == "/events" && want == 200 {
				continue // its stream does not end
			}
			answer := w.ask(http.MethodGet, path, func(r *http.Request) { r.Host = host })
			if got := answer.Code == http.StatusMisdirectedRequest; got != (want == 421) {
				t.Errorf("Host %q, %s: status %d, expected %d", host, path, answer.Code, want)
			}
		}
	}
}

// Only GET and HEAD are answered, on any path.
func TestOnlyReads(t *testing.T) {
	w := newWorld(t, 3)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"} {
		for _, path := range []string{"/", "/runs/" + runName, "/images/tt/ML/train/Rare/x.jpg", "/frames", "/no/such/page"} {
			answer := w.ask(method, path, nil)
			if answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: status %d", method, path, answer.Code)
			}
		}
	}
	if answer := w.ask("HEAD", "/", nil); answer.Code != http.StatusOK {
		t.Errorf("HEAD /: status %d", answer.Code)
	}
}

// Every answer has the headers, also a refusal.
func TestHeaders(t *testing.T) {
	w := newWorld(t, 3)
	w.put(w.imageOf(0), w.jpeg)
	for _, path := range []string{
		"/", "/runs/" + runName, "/runs/nobody", "/frames", "/images/" + w.imageOf(0), "/images/secret", "/no/such/page",
		"/assets/" + page.Version + "/style.css", "/assets/old/app.js",
	} {
		answer := w.get(path)
		for name, want := range headers {
			if got := answer.Header().Get(name); got != want {
				t.Errorf("%s: %s: %q, expected %q", path, name, got, want)
			}
		}
		if kind := answer.Header().Get("Content-Type"); kind == "" || strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "utf-8") {
			t.Errorf("%s: Content-Type %q", path, kind)
		}
	}
	if strings.Contains(page.Policy, "unsafe") || strings.Contains(page.Policy, "*") || !strings.HasPrefix(page.Policy, "default-src 'none'") {
		t.Errorf("the policy is not strict: %s", page.Policy)
	}
}
