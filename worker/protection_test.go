package worker

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

func TestECSProtection(t *testing.T) {
	var asked []string
	answer, status := `{"protection":{"ProtectionEnabled":true,"TaskArn":"arn"}}`, http.StatusOK
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(body))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(agent.Close)
	p := NewECSProtection(agent.URL + "/api/abc")
	for _, on := range []bool{true, false} {
		if err := p.Protect(t.Context(), on); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		`PUT /api/abc/task-protection/v1/state application/json {"ProtectionEnabled":true,"ExpiresInMinutes":10}`,
		`PUT /api/abc/task-protection/v1/state application/json {"ProtectionEnabled":false}`,
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
	answer = `{"failure":{"Arn":"arn","Reason":"DEPLOYMENT_BLOCKED"}}`
	if err := p.Protect(t.Context(), true); err == nil || !strings.Contains(err.Error(), "DEPLOYMENT_BLOCKED") {
		t.Errorf("a failure under status 200: %v", err)
	}
	answer, status = "no", http.StatusInternalServerError
	if err := p.Protect(t.Context(), true); err == nil {
		t.Error("no error for status 500")
	}
	p.(*ecsProtection).client.CloseIdleConnections()
}

func TestNoECS(t *testing.T) {
	if NewECSProtection("") != nil {
		t.Error("a protection without an agent")
	}
}

// protected records what a worker asked for, and when.
type protected struct {
	mu    sync.Mutex
	begun time.Time
	asked []string
	err   error
}

func (p *protected) Protect(_ context.Context, on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	word := "off"
	if on {
		word = "on"
	}
	p.asked = append(p.asked, word+" "+time.Since(p.begun).Truncate(time.Minute).String())
	return p.err
}

// On when work comes, again before it expires, off when there has been none for a while.
func TestGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.bucket.latency = 12 * time.Minute
		w.point(t, func(p *state.Pointer) { p.Fence.AttemptMS = 3_600_000 })
		p := &protected{begun: time.Now()}
		cfg := w.config()
		cfg.Protection = p
		r := runWorker(t, cfg)
		after(2 * time.Minute)
		if err := queue.SendAll(t.Context(), w.tasks, []queue.Entry{{Body: taskOf(1, messages.Copy).Encode()}}); err != nil {
			t.Fatal(err)
		}
		after(30 * time.Minute)
		if want := []string{"on 2m0s", "on 7m0s", "on 12m0s", "off 14m0s"}; !slices.Equal(p.asked, want) {
			t.Errorf("asked %q, want %q", p.asked, want)
		}
		r.stop()
		r.wait(t)
	})
}

// Without a protection the work goes on, and the failure is logged once.
func TestGuardFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, manyTasks(100)...)
		core, logged := observer.New(zap.WarnLevel)
		cfg := w.config()
		cfg.Protection = &protected{err: errors.New("no agent")}
		cfg.Log = zap.New(core)
		r := runWorker(t, cfg)
		after(time.Minute)
		r.stop()
		r.wait(t)
		if len(w.results.results(t)) != 100 || logged.Len() != 1 {
			t.Errorf("%d results, logged %v", len(w.results.results(t)), logged.All())
		}
	})
}
