// Package awsclient has the shared parts of the clients of S3 and SQS: pooled connections, a
// timeout for stalled answers, and signed requests with retries.
package awsclient

import (
	"context"
	"net"
	"net/http"
	"time"
)

// LimitStalls makes the transport's connections fail with a timeout (net.Error) when a read gets no
// data for this long. Sending restarts the wait, so the limit must be longer than the slowest
// answer, such as that of a long poll. Idle connections are closed after half of this time.
func LimitStalls(t *http.Transport, limit time.Duration) {
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return limited{c, limit}, nil
	}
	t.IdleConnTimeout = limit / 2
}

type limited struct {
	net.Conn
	limit time.Duration
}

// NetConn returns the connection without the limit.
func (c limited) NetConn() net.Conn { return c.Conn }

func (c limited) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write extends the deadline of a read that is already waiting, because the transport reads from a
// connection before it has a request for it.
func (c limited) Write(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
