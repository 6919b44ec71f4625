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
	// aliveLimit is how long a service may go without a beat. A tracker that lists a season and a
	// worker that S3 throttles receive nothing for minutes.
	aliveLimit = 15 * time.Minute
	// alivePatience is for one question and its answer.
	alivePatience = 5 * time.Second

	aliveAnswer = "alive\n"
)

// pulse is a service's last sign of life. The command alive asks for it at a Unix socket: a
// container has its own network and often no folder to write to, and a socket whose name begins
// with "@" needs no file. The zero value has had no sign of life.
type pulse struct{ last atomic.Pointer[time.Time] }

// beat is to be called whenever the service comes round.
func (p *pulse) beat() {
	now := time.Now()
	p.last.Store(&now)
}

// state is aliveAnswer, or says what is wrong.
func (p *pulse) state() string {
	last := p.last.Load()
	if since := time.Since(*last); since > aliveLimit {
		return fmt.Sprintf("no sign of life for %s\n", since.Round(time.Second))
	}
	return aliveAnswer
}

// serve answers at the socket until ctx ends. Starting is a first beat.
func (p *pulse) serve(ctx context.Context, socket string) error {
	p.beat()
	l, err := new(net.ListenConfig).Listen(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("listen for the question whether the service is alive: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("answer whether the service is alive: %w", err)
		}
		_ = conn.SetDeadline(time.Now().Add(alivePatience))
		_, _ = io.WriteString(conn, p.state()) // who does not listen will ask again
		_ = conn.Close()
	}
}

// askAlive asks the service at the socket.
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
