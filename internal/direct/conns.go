package direct

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// idleTimeout is less than that of S3 and of usual proxies, so that a kept connection is rarely one that they have closed.
	idleTimeout = 10 * time.Second
	// maxBody is the longest answer that is taken, of SQS's ReceiveMessage for one: 1 MiB of text, in JSON.
	maxBody = 8 << 20
)

// conns keeps connections to one host. It is safe for concurrent use.
type conns struct {
	transport *http.Transport // its settings: how to dial, and TLS
	limit     time.Duration   // for an answer to begin and to end

	mu     sync.Mutex
	idle   []*conn     // the one used last at the end
	reaper *time.Timer // nil: nothing is idle
}

// conn is a connection with at most one request at a time.
type conn struct {
	net.Conn // what requests are written to; with TLS that is above socket
	socket   *socket
	answers  *bufio.Reader
	since    time.Time // it is idle
}

// socket looks whether a request may still be sent right before the system call that sends it.
type socket struct {
	net.Conn
	late func() error // nil: it may
}

func (s *socket) Write(b []byte) (int, error) {
	if s.late != nil {
		if err := s.late(); err != nil {
			return 0, err
		}
	}
	return s.Conn.Write(b)
}

// do sends a request to the URL's host and reads the answer whole. The request must be one that may be made twice: when the other side has closed
// a kept connection meanwhile, it is sent again over a new one. late, which may be nil, is asked before each system call that sends some of it.
func (c *conns) do(ctx context.Context, to *url.URL, request []byte, late func() error) (*Answer, error) {
	if kept := c.take(); kept != nil {
		answer, begun, err := c.over(ctx, kept, request, late)
		if err == nil || begun || !isClosed(err) {
			return answer, err
		}
	}
	fresh, err := c.dial(ctx, to)
	if err != nil {
		return nil, err
	}
	answer, _, err := c.over(ctx, fresh, request, late)
	return answer, err
}

// isClosed says that the other side has closed the connection.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// aLongTimeAgo is a deadline that ends what waits at once.
var aLongTimeAgo = time.Unix(1, 0)

// over makes a request over a connection, and keeps or closes that. begun says that some of the answer had come.
func (c *conns) over(ctx context.Context, on *conn, request []byte, late func() error) (answer *Answer, begun bool, err error) {
	until := time.Now().Add(c.limit)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	err = on.SetDeadline(until)
	stop := context.AfterFunc(ctx, func() { _ = on.SetDeadline(aLongTimeAgo) })
	if err == nil {
		answer, begun, err = on.exchange(request, late)
	}
	// Once ctx has ended, the deadline may still be about to change; and what came beyond the answer belongs to no request.
	if stop() && err == nil && !answer.last && on.answers.Buffered() == 0 {
		c.put(on)
		return answer, begun, nil
	}
	_ = on.Close() // it is of no more use
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		err = cmp.Or(ctx.Err(), deadlineError(ctx), err)
	}
	return answer, begun, err
}

// deadlineError is that of a context whose deadline is past though its timer has not rung yet.
func deadlineError(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

func (on *conn) exchange(request []byte, late func() error) (answer *Answer, begun bool, err error) {
	on.socket.late = late
	_, err = on.Write(request)
	on.socket.late = nil
	if err != nil {
		return nil, false, err
	}
	if _, err := on.answers.Peek(1); err != nil {
		return nil, false, err
	}
	answer, err = on.answer()
	return answer, true, err
}

// answer reads an answer, after those that only announce it (1xx, RFC 9110).
func (on *conn) answer() (*Answer, error) {
	for {
		head, err := http.ReadResponse(on.answers, nil)
		if err != nil {
			return nil, err
		}
		if head.StatusCode < http.StatusOK {
			continue
		}
		defer head.Body.Close() //nolint:errcheck // It was only read.
		var body bytes.Buffer
		body.Grow(int(min(max(head.ContentLength, 0), maxBody)) + bytes.MinRead) // ReadFrom looks for the end with some room left
		_, err = body.ReadFrom(io.LimitReader(head.Body, maxBody+1))
		if err == nil && body.Len() > maxBody {
			err = fmt.Errorf("the answer is longer than %d bytes", maxBody)
		}
		return &Answer{Status: head.StatusCode, Header: head.Header, Body: body.Bytes(), last: head.Close}, err
	}
}

// take gives a connection that was used not long ago, or nil.
func (c *conns) take() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) == 0 {
		return nil
	}
	last := c.idle[len(c.idle)-1]
	if time.Since(last.since) >= idleTimeout {
		return nil // and so are all others; reap sees to them
	}
	c.idle = c.idle[:len(c.idle)-1]
	return last
}

func (c *conns) put(on *conn) {
	on.since = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, on)
	if c.reaper == nil {
		c.reaper = time.AfterFunc(idleTimeout, c.reap)
	}
}

// reap closes the connections that were not used for long.
func (c *conns) reap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	long := time.Now().Add(-idleTimeout)
	n, _ := slices.BinarySearchFunc(c.idle, long, func(on *conn, t time.Time) int { return on.since.Compare(t) })
	for _, on := range c.idle[:n] {
		_ = on.Close() // nobody waits for it
	}
	c.idle, c.reaper = slices.Delete(c.idle, 0, n), nil
	if len(c.idle) > 0 {
		c.reaper = time.AfterFunc(idleTimeout, c.reap)
	}
}

// reaches says whether the host of the requests is reached without a proxy.
func (c *conns) reaches(m *Model) bool {
	if c.transport.Proxy == nil {
		return true
	}
	proxy, err := c.transport.Proxy(&http.Request{Method: m.method, URL: &m.url, Host: m.host})
	return err == nil && proxy == nil
}

func (c *conns) dial(ctx context.Context, u *url.URL) (*conn, error) {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	dial := c.transport.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	raw, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	s := &socket{Conn: innermost(raw)}
	on := &conn{Conn: s, socket: s}
	if u.Scheme == "https" {
		if on.Conn, err = c.secure(ctx, s, u.Hostname()); err != nil {
			_ = s.Close() // the handshake's error says more
			return nil, err
		}
	}
	on.answers = bufio.NewReader(on.Conn)
	return on, nil
}

// secure begins TLS on a connection.
func (c *conns) secure(ctx context.Context, s *socket, host string) (net.Conn, error) {
	cfg := &tls.Config{}
	if c.transport.TLSClientConfig != nil {
		cfg = c.transport.TLSClientConfig.Clone()
	}
	cfg.ServerName, cfg.NextProtos = cmp.Or(cfg.ServerName, host), []string{"http/1.1"}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.transport.TLSHandshakeTimeout, c.limit))
	defer cancel()
	secure := tls.Client(s, cfg)
	return secure, secure.HandshakeContext(ctx)
}

// innermost is the connection without what the transport's dialer has wrapped around it: deadlines are set here, and what was wrapped sets its own.
func innermost(c net.Conn) net.Conn {
	for {
		outer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = outer.NetConn()
	}
}
