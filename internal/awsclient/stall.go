// Package awsclient has what the clients of S3 and SQS share: pooled connections, a limit for
// answers that stop coming, and signed requests with retries.
package awsclient

import (
	"context"
	"net"
	"net/http"
	"time"
)

// LimitStalls makes the transport's connections fail, with a timeout (net.Error), when nothing
// comes for so long while somebody waits for it. Sending begins the wait anew, so that the limit
// must allow for the longest answer to begin, a long poll's for one. Connections that nobody uses
// are closed before that, at half of it.
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

// NetConn is the connection without the limit.
func (c limited) NetConn() net.Conn { return c.Conn }

func (c limited) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write puts off the end of a read that waits already: the transport reads from a connection before
// it has a request for it.
func (c limited) Write(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
