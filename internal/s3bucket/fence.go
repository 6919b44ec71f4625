package s3bucket

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// fenced is a connection that checks the clock last before it sends a write. Between the SDK's call
// and the system call there are a signature, a pool of connections and another goroutine. A process
// may be stopped in any of them for as long as a newer run needs to take over (package state).
type fenced struct {
	net.Conn
	until atomic.Pointer[time.Time] // of the write that has the connection; nil: there is none
}

func (c *fenced) Write(b []byte) (int, error) {
	if until := c.until.Load(); until != nil {
		if err := bucket.LateFor(*until); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(b)
}

// NetConn returns the connection without the fence.
func (c *fenced) NetConn() net.Conn { return c.Conn }

// fence makes the transport use fenced connections. A connection serves one request at a time, as
// in HTTP/1.1, which S3 uses.
func fence(t *http.Transport) {
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &fenced{Conn: c}, nil
	}
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
}

// within returns a context whose requests are never sent after its deadline, by the clock. done
// releases the connections.
func within(ctx context.Context) (_ context.Context, done func()) {
	until, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	var last atomic.Pointer[fenced]
	release := func() {
		if c := last.Load(); c != nil {
			c.until.CompareAndSwap(&until, nil) // unless it has another request by now
		}
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		release()
		conn := got.Conn
		if secure, ok := conn.(*tls.Conn); ok {
			conn = secure.NetConn()
		}
		if c, ok := conn.(*fenced); ok {
			c.until.Store(&until)
			last.Store(c)
		}
	}}), release
}
