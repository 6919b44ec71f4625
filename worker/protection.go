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
	// protectMinutes is how long a protection holds when it is not renewed, so that a worker that hangs can be ended.
	protectMinutes = 10
	renewProtect   = protectMinutes * time.Minute / 2
	// protectIdle is how long a worker is without work before it gives up its protection. The ECS agent takes few requests.
	protectIdle    = 30 * time.Second
	protectTimeout = 5 * time.Second
)

// guard keeps the protection on while the worker is busy. A failure is logged once and stops nothing: then a scale-in ends the
// worker by SIGTERM, and it drains.
func (r *run) guard(ctx context.Context) {
	if r.cfg.Protection == nil {
		return
	}
	g := guard{protection: r.cfg.Protection, log: r.log}
	tick := time.NewTicker(protectIdle / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			g.set(context.WithoutCancel(ctx), false) // nothing is in hand any more
			return
		case <-r.busy:
		case <-tick.C:
		}
		since, idle := r.hand.idleSince()
		switch {
		case !idle && (!g.on || time.Since(g.since) >= renewProtect):
			g.set(ctx, true)
		case idle && time.Since(since) >= protectIdle:
			g.set(ctx, false)
		}
	}
}

// guard is the protection as it was set last.
type guard struct {
	protection Protection
	log        *zap.Logger
	on         bool
	since      time.Time
	failed     bool
}

func (g *guard) set(ctx context.Context, on bool) {
	if !on && !g.on {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, protectTimeout)
	defer cancel()
	err := g.protection.Protect(ctx, on)
	if err != nil && !g.failed {
		g.failed = true
		g.log.Warn("cannot change the scale-in protection; work goes on without it", zap.Error(err))
	}
	if err == nil {
		g.on, g.since = on, time.Now()
	}
}

// NewECSProtection is the scale-in protection of an ECS task, by the agent at $ECS_AGENT_URI (ECS Developer Guide, "task
// scale-in protection endpoint"). An empty uri gives nil: no protection.
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
	return protectionAnswer(resp)
}

// protectionAnswer reads the agent's answer, which may name a failure under status 200 too.
func protectionAnswer(resp *http.Response) error {
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("set task protection: read the answer: %w", err)
	}
	var said struct {
		Protection *struct{ ProtectionEnabled bool } `json:"protection"`
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(answer, &said) != nil || said.Protection == nil {
		return fmt.Errorf("set task protection: the ECS agent answers %s: %.300s", resp.Status, answer)
	}
	return nil
}
