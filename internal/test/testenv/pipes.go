package testenv

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"
)

// Serve starts an HTTP server that only the returned dial function reaches, with any address. Its
// connections are pipes in memory. So in a bubble of package synctest, time advances while server
// and client wait for each other. The server ends with the test.
func Serve(t *testing.T, handler http.Handler) (dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	l := pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l) // until it is closed
	}()
	t.Cleanup(func() {
		close(l.closed)
		_ = server.Close()
		<-served
	})
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case l.conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pipes is a listener whose connections are pipes in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error { return nil }

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Net: "pipe"} }
