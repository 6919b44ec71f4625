package direct

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

const (
	asked    = "PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
	answered = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
)

var plainURL = &url.URL{Scheme: "http", Host: "h"}

// scripted has connections whose other side sends these texts in turn, one for each request; "" closes the connection without an answer, and
// "hang" leaves it open. What follows after a "|" is sent once the other side has seen the request's end, before it closes.
type scripted struct {
	mu       sync.Mutex
	texts    []string
	dials    int
	requests int
}

func (s *scripted) conns(limit time.Duration) *conns {
	return s.over(limit, func() (ours, theirs net.Conn, err error) {
		ours, theirs = net.Pipe()
		return ours, theirs, nil
	})
}

// tcpConns have real sockets, which say otherwise than a pipe that they are closed.
func (s *scripted) tcpConns(t *testing.T, limit time.Duration) *conns {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return s.over(limit, func() (ours, theirs net.Conn, err error) {
		if ours, err = net.Dial("tcp", l.Addr().String()); err == nil {
			theirs, err = l.Accept()
		}
		return ours, theirs, err
	})
}

func (s *scripted) over(limit time.Duration, connect func() (ours, theirs net.Conn, err error)) *conns {
	return &conns{limit: limit, transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dials++
		ours, theirs, err := connect()
		if err == nil {
			go s.serve(theirs)
		}
		return ours, err
	}}}
}

func (s *scripted) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.texts[min(s.requests, len(s.texts)-1)]
	s.requests++
	return text
}

func (s *scripted) serve(c net.Conn) {
	defer c.Close() //nolint:errcheck // Nobody asks how it ended.
	requests := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		text := s.next()
		if text == "hang" {
			_, _ = requests.ReadByte() // until the other side has gone
			return
		}
		text, closes := strings.CutSuffix(text, "|")
		if _, err := io.WriteString(c, text); err != nil || text == "" || closes {
			return
		}
	}
}

func body(t *testing.T, answer *Answer, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(answer.Body)
}

// ask makes a request, and gives the body of its answer.
func ask(t *testing.T, c *conns) string {
	t.Helper()
	answer, err := c.do(t.Context(), plainURL, []byte(asked), nil)
	return body(t, answer, err)
}

// TestConnections: which are kept, and which requests are made again.
func TestConnections(t *testing.T) {
	t.Parallel()
	const cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok|"
	for _, test := range []struct {
		name     string
		texts    []string
		calls    []string // the bodies, or "!" and a part of the error
		dials    int
		requests int
	}{
		{"kept", []string{answered}, []string{"ok", "ok", "ok"}, 1, 3},
		{"closed after an answer, without a word", []string{answered + "|"}, []string{"ok", "ok", "ok"}, 3, 3},
		{"closed while it had a request", []string{answered, "", answered}, []string{"ok", "ok"}, 2, 3},
		{"closed whenever it has a request", []string{answered, "", ""}, []string{"ok", "!EOF"}, 2, 3},
		{"a new one closed", []string{"", answered}, []string{"!EOF", "ok"}, 2, 2},
		{"cut in the middle", []string{answered, cut, answered}, []string{"ok", "!unexpected EOF", "ok"}, 2, 3},
		{"to be closed", []string{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"}, []string{"ok", "ok"}, 2, 2},
		{"as long as the connection", []string{"HTTP/1.1 200 OK\r\n\r\nok|"}, []string{"ok", "ok"}, 2, 2},
		{"in chunks", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"}, []string{"ok", "ok"}, 1, 2},
		{"announced", []string{"HTTP/1.1 103 Early Hints\r\n\r\n" + answered}, []string{"ok", "ok"}, 1, 2},
		{"more than was asked for", []string{answered + answered}, []string{"ok", "ok"}, 2, 2},
		{"an error", []string{"HTTP/1.1 503 Slow Down\r\nContent-Length: 2\r\n\r\nno"}, []string{"no", "no"}, 1, 2},
		{"no HTTP", []string{"hello\r\n\r\n|"}, []string{"!malformed"}, 1, 1},
		{"endless", []string{"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + strings.Repeat("x", 9_000_000)}, []string{"!longer than"}, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &scripted{texts: test.texts}
			c := s.tcpConns(t, time.Minute)
			for i, want := range test.calls {
				answer, err := c.do(t.Context(), plainURL, []byte(asked), nil)
				if part, fails := strings.CutPrefix(want, "!"); fails {
					if err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("call %d: error %v, want %q", i, err, part)
					}
				} else if got := body(t, answer, err); got != want {
					t.Errorf("call %d: %q, want %q", i, got, want)
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.dials != test.dials || s.requests != test.requests {
				t.Errorf("%d connections and %d requests, want %d and %d", s.dials, s.requests, test.dials, test.requests)
			}
		})
	}
}

// TestEnds: what ends a request whose answer does not come, and when.
func TestEnds(t *testing.T) {
	t.Parallel()
	const limit = 15 * time.Second
	for _, test := range []struct {
		name string
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want error
		took time.Duration
	}{
		{"the limit", context.WithCancel, nil, limit},
		{"a deadline before it", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		},
			context.DeadlineExceeded, time.Second},
		{"a deadline after it", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Hour)
		}, nil, limit},
		{"its caller", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(2*time.Second, cancel)
			return ctx, cancel
		}, context.Canceled, 2 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{texts: []string{"hang"}}
				c := s.conns(limit)
				ctx, cancel := test.ctx(t.Context())
				defer cancel()
				begun := time.Now()
				_, err := c.do(ctx, plainURL, []byte(asked), nil)
				var timeout net.Error
				switch {
				case time.Since(begun) != test.took:
					t.Errorf("ended after %s, want %s", time.Since(begun), test.took)
				case test.want == nil && (!errors.As(err, &timeout) || !timeout.Timeout()), test.want != nil && !errors.Is(err, test.want):
					t.Errorf("error %v", err)
				case len(c.idle) > 0:
					t.Error("the connection is kept")
				}
			})
		})
	}
}

// TestIdle: a connection that was not used for long is not used again, and closed.
func TestIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{texts: []string{answered}}
		c := s.conns(time.Minute)
		ask(t, c)
		<-time.After(idleTimeout - 1)
		ask(t, c)
		<-time.After(idleTimeout - 1)
		if n, reaped := c.kept(); n != 1 || !reaped {
			t.Errorf("%d connections are kept, want 1", n)
		}
		<-time.After(2 * idleTimeout)
		if n, reaped := c.kept(); n != 0 || reaped {
			t.Errorf("%d connections are kept", n)
		}
		ask(t, c)
		if s.dials != 2 {
			t.Errorf("%d connections, want 2", s.dials)
		}
		<-time.After(2 * idleTimeout)
	})
}

// kept is how many connections are, and whether something looks after them.
func (c *conns) kept() (n int, reaped bool) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.idle), c.reaper != nil
}

// TestLate: what is late is not sent, over a new connection and a kept one; nor is it sent again.
func TestLate(t *testing.T) {
	t.Parallel()
	errLate := errors.New("late")
	s := &scripted{texts: []string{answered}}
	c := s.conns(time.Minute)
	late := func() error { return errLate }
	if _, err := c.do(t.Context(), plainURL, []byte(asked), late); !errors.Is(err, errLate) {
		t.Error(err)
	}
	ask(t, c)
	if _, err := c.do(t.Context(), plainURL, []byte(asked), late); !errors.Is(err, errLate) {
		t.Error(err)
	}
	ask(t, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests != 2 {
		t.Errorf("%d requests were sent, want 2", s.requests)
	}
}

// TestTLS: over TLS as the transport is set up for it, and over no connection whose certificate is not good.
func TestTLS(t *testing.T) {
	t.Parallel()
	var protocol atomic.Value
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol.Store(r.Proto)
		_, _ = io.WriteString(w, "ok")
	}))
	server.Config.ErrorLog = zap.NewStdLog(zap.NewNop()) // the handshake that fails
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	trusting := server.Client().Transport.(*http.Transport).Clone()
	c := &conns{limit: time.Minute, transport: &http.Transport{TLSClientConfig: trusting.TLSClientConfig}}
	for range 2 {
		answer, err := c.do(t.Context(), to, []byte(asked), nil)
		if got := body(t, answer, err); got != "ok" || protocol.Load() != "HTTP/1.1" {
			t.Errorf("%q by %v", got, protocol.Load())
		}
	}
	if len(c.idle) != 1 {
		t.Errorf("%d connections are kept, want 1", len(c.idle))
	}
	strict := &conns{limit: time.Minute, transport: &http.Transport{}}
	var unknown *tls.CertificateVerificationError
	if _, err := strict.do(t.Context(), to, []byte(asked), nil); !errors.As(err, &unknown) {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}
