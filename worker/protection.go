package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
)

const (
	// protectMinutes is when a protection expires without renewal, so that ECS can end a worker
	// that hangs.
	protectMinutes = 10
	renewProtect   = protectMinutes * time.Minute / 2
	// protectIdle is how long a worker is without work before it ends its protection. The ECS agent
	// allows few requests.
	protectIdle    = 30 * time.Second
	protectTimeout = 5 * time.Second
)

// protect keeps the protection on while messages are in flight. A failure is logged once, and the
// work goes on. Without protection a scale-in sends SIGTERM, and the worker drains.
func (w *Worker) protect(ctx context.Context) {
	if w.cfg.Protection == nil {
		return
	}
	var on, failed bool
	var since time.Time // of the last change or renewal
	set := func(ctx context.Context, to bool) {
		ctx, cancel := context.WithTimeout(ctx, protectTimeout)
		defer cancel()
		err := w.cfg.Protection.Protect(ctx, to)
		if err == nil {
			on, since = to, time.Now()
		} else if !failed {
			failed = true
			w.log.Warn("cannot change the scale-in protection; work goes on without it", zap.Error(err))
		}
	}
	tick := time.NewTicker(protectIdle / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if on {
				set(context.WithoutCancel(ctx), false) // no message is in flight any more
			}
			return
		case <-w.busy:
		case <-tick.C:
		}
		idleSince, idle := w.inFlight.idleSince()
		switch {
		case !idle && (!on || time.Since(since) >= renewProtect):
			set(ctx, true)
		case idle && on && time.Since(idleSince) >= protectIdle:
			set(ctx, false)
		}
	}
}

// NewECSProtection returns the scale-in protection of an ECS task, set through the agent at
// $ECS_AGENT_URI (ECS Developer Guide, "task scale-in protection endpoint"). For an empty uri it
// returns nil, no protection.
func NewECSProtection(uri string) Protection {
	if uri == "" {
		return nil
	}
	return &ecsProtection{url: strings.TrimSuffix(uri, "/") + "/task-protection/v1/state", client: &http.Client{Timeout: protectTimeout}}
}

type ecsProtection struct {
	url    string
	client *http.Client
}

func (p *ecsProtection) Protect(ctx context.Context, on bool) error {
	body := fmt.Appendf(nil, `{"ProtectionEnabled":%t}`, on)
	if on {
		body = fmt.Appendf(nil, `{"ProtectionEnabled":true,"ExpiresInMinutes":%d}`, protectMinutes)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, p.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("set task protection: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("set task protection: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // It was only read.
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("set task protection: read the answer: %w", err)
	}
	var state struct { // a failure may come with status 200 too
		Protection *struct{ ProtectionEnabled bool } `json:"protection"`
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(answer, &state) != nil || state.Protection == nil {
		return fmt.Errorf("set task protection: the ECS agent answers %s: %.300s", resp.Status, answer)
	}
	return nil
}
