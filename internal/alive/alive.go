// Package alive lets a service say whether it still goes round, to whoever asks at a Unix socket. A container has its own
// network and often no folder to write to: there a name that begins with "@", which is no file, does.
package alive

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
	// limit is how long a service may go without a beat. A tracker that lists a season and a worker that S3 throttles receive
	// nothing for minutes.
	limit = 15 * time.Minute
	// patience is for one question and its answer.
	patience = 5 * time.Second

	fine = "alive\n"
)

// Pulse is a service's last sign of life. The zero value has had none.
type Pulse struct{ last atomic.Pointer[time.Time] }

// Beat is to be called whenever the service comes round.
func (p *Pulse) Beat() {
	now := time.Now()
	p.last.Store(&now)
}

// state is fine, or says what is wrong.
func (p *Pulse) state() string {
	last := p.last.Load()
	if since := time.Since(*last); since > limit {
		return fmt.Sprintf("no sign of life for %s\n", since.Round(time.Second))
	}
	return fine
}

// Serve answers at the socket until ctx ends. Starting is a first beat.
func (p *Pulse) Serve(ctx context.Context, socket string) error {
	p.Beat()
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
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(conn, p.state()) // who does not listen will ask again
		_ = conn.Close()
	}
}

// Ask asks the service at the socket.
func Ask(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
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
	if string(answer) != fine {
		return errors.New(strings.TrimSpace("the service answers: " + string(answer)))
	}
	return nil
}
