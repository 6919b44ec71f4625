package awsclient_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/awsclient"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

const limit = 20 * time.Second

// get asks a server that waits before each of the pieces of its answer; the first wait comes before
// the headers too.
func get(t *testing.T, waits ...time.Duration) (body string, took time.Duration, err error) {
	transport := &http.Transport{DialContext: testenv.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, wait := range waits {
			select {
			case <-time.After(wait):
			case <-r.Context().Done():
				return
			}
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
		}
	}))}
	awsclient.LimitStalls(transport, limit)
	begun := time.Now()
	answer, err := (&http.Client{Transport: transport}).Get("http://server")
	if err == nil {
		var all []byte
		all, err = io.ReadAll(answer.Body)
		body = string(all)
		_ = answer.Body.Close()
	}
	took = time.Since(begun)
	return body, took, err
}

func TestLimit(t *testing.T) {
	for _, test := range []struct {
		name  string
		waits []time.Duration
		body  string
		fails time.Duration // 0: it does not
	}{
		{"at once", []time.Duration{0, 0}, "xx", 0},
		{"slow all the time", []time.Duration{limit - 1, limit - 1, limit - 1, limit - 1}, "xxxx", 0},
		{"no headers", []time.Duration{limit + 1}, "", limit},
		{"nothing after the headers", []time.Duration{time.Second, limit + 1}, "x", limit + time.Second},
		{"stops in the middle", []time.Duration{time.Second, 2 * time.Second, time.Hour}, "xx", limit + 3*time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body, took, err := get(t, test.waits...)
				if body != test.body {
					t.Errorf("body %q, want %q", body, test.body)
				}
				if test.fails == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				var timeout net.Error
				if !errors.As(err, &timeout) || !timeout.Timeout() || took != test.fails {
					t.Errorf("%v after %s, want a timeout after %s", err, took, test.fails)
				}
			})
		})
	}
}

// Who reads slowly is not to blame on the server, and a connection that nobody needs is let go of
// before its limit.
func TestLimitOfReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 1 << 20 // more than fits into the buffers on the way
		transport := &http.Transport{DialContext: testenv.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, size))
		}))}
		awsclient.LimitStalls(transport, limit)
		client := &http.Client{Transport: transport}
		for range 2 {
			answer, err := client.Get("http://server")
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(3 * limit)
			if n, err := io.Copy(io.Discard, answer.Body); n != size || err != nil {
				t.Fatalf("%d bytes, %v", n, err)
			}
			_ = answer.Body.Close()
			<-time.After(3 * limit) // the connection is closed meanwhile
		}
	})
}
