package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// aliveLimit is how long a service may go without a sign of life. It is long because a tracker
	// that lists a season, and a worker that S3 throttles, receive nothing for minutes.
	aliveLimit = 15 * time.Minute
	// alivePatience limits one health check.
	alivePatience = 5 * time.Second

	aliveAnswer = "alive\n"
)

// liveness keeps the time of a service's last sign of life. The command alive asks for it at a Unix
// socket. A container may have no folder to write to; a socket whose name begins with "@" needs no
// file.
type liveness struct{ lastSign atomic.Pointer[time.Time] }

// markAlive records a sign of life. The service calls it after each receive.
func (p *liveness) markAlive() {
	now := time.Now()
	p.lastSign.Store(&now)
}

// answer is aliveAnswer, or a text for the failed health check.
func (p *liveness) answer() string {
	last := p.lastSign.Load()
	if since := time.Since(*last); since > aliveLimit {
		return fmt.Sprintf("no sign of life for %s\n", since.Round(time.Second))
	}
	return aliveAnswer
}

// serve answers at the socket until ctx ends. The start counts as a sign of life.
func (p *liveness) serve(ctx context.Context, socket string) error {
	p.markAlive()
	l, err := new(net.ListenConfig).Listen(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("listen for health checks: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("answer a health check: %w", err)
		}
		_ = conn.SetDeadline(time.Now().Add(alivePatience))
		_, _ = io.WriteString(conn, p.answer()) // a client that gets no answer asks again
		_ = conn.Close()
	}
}

// askAlive asks the service at the socket whether it is alive.
func askAlive(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, alivePatience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("ask whether the service is alive: %w", err)
	}
	defer conn.Close() //nolint:errcheck // It was only read.
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	answer, err := io.ReadAll(conn)
	if err != nil {
		return fmt.Errorf("ask whether the service is alive: %w", err)
	}
	if string(answer) != aliveAnswer {
		return errors.New(strings.TrimSpace("the service answers: " + string(answer)))
	}
	return nil
}
