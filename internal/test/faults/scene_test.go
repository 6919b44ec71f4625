package faults_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// newScene makes a world with services for a test that chooses the faults itself.
func newScene(t *testing.T, o season.Options, services []service, env ...string) *world {
	t.Helper()
	return newSceneAt(t, server, o, services, env...)
}

func newSceneAt(t *testing.T, at site, o season.Options, services []service, env ...string) *world {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	w, err := newWorld(context.WithoutCancel(t.Context()), at, 1, o, env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log((&player{world: w}).story())
		}
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	w.serve(services...)
	return w
}

// services returns services with those names: w… are workers, t… are trackers.
func services(names ...string) (all []service) {
	for _, name := range names {
		command := "work"
		if name[0] == 't' {
			command = "track"
		}
		all = append(all, service{name: name, args: []string{command}, pause: func() time.Duration { return 0 }})
	}
	return all
}

// plan plans and expects an exit code.
func (w *world) plan(ctx context.Context, code int, args ...string) (plan state.Plan, err error) {
	got, err := w.command(ctx, &plan, append([]string{"plan", "--json"}, args...)...)
	if err == nil && got != code {
		err = fmt.Errorf("plan %q: exit code %d, expected %d", args, got, code)
	}
	return plan, err
}

// run plans and waits until the run has succeeded.
func (w *world) run(ctx context.Context, args ...string) (state.Plan, error) {
	plan, err := w.plan(ctx, 0, args...)
	if err != nil {
		return plan, err
	}
	return plan, w.succeeds(ctx)
}

func (w *world) succeeds(ctx context.Context) error {
	pointer, err := w.ended(ctx)
	if err == nil && pointer.State != state.Succeeded {
		err = fmt.Errorf("run %s: %s, %s", pointer.Run, pointer.State, pointer.Reason)
	}
	return err
}

// expectOutput runs a command. It fails the test when the exit code differs or the output lacks one
// of the texts.
func (w *world) expectOutput(t *testing.T, code int, command string, texts ...string) {
	t.Helper()
	p, err := w.start("tells", command)
	must(t, err)
	got, err := p.code(t.Context())
	if err != nil || got != code {
		t.Errorf("%s: exit code %d, %v, expected %d", command, got, err, code)
	}
	expectText(t, strings.Join(strings.Fields(p.out.String()), " "), texts...)
}

// send sends a message directly.
func (w *world) send(name, body string) {
	if err := queue.SendAll(w.ctx, w.queues[name], []queue.Entry{{Body: body}}); err != nil {
		w.broke(err)
	}
}

// stderrText is the text that a process has written to its standard error.
func (p *process) stderrText(t *testing.T) string {
	t.Helper()
	body, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// must fails the test for an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// expectText fails the test when one of the things is not in the text.
func expectText(t *testing.T, text string, things ...string) {
	t.Helper()
	for _, thing := range things {
		if !strings.Contains(text, thing) {
			t.Errorf("%q is not in the output: %s", thing, text)
		}
	}
}

// left returns the messages that a queue still has. None may be in flight. When a response is lost,
// its messages are visible again after their visibility timeout.
func (w *world) left(t *testing.T, name string) (all []queue.Message) {
	t.Helper()
	a, err := w.queues[name].GetQueueAttributes(t.Context())
	must(t, err)
	if a.InFlight > 0 {
		t.Errorf("%d messages of %s are in flight after the worker has ended", a.InFlight, name)
	}
	must(t, until(t.Context(), "messages of "+name, patience, func(ctx context.Context) (bool, error) {
		more, err := w.queues[name].ReceiveMessage(ctx, queue.MaxBatch, time.Second)
		all = append(all, more...)
		return len(all) >= a.Visible, err
	}))
	return all
}

// copyCountReached reports whether n copies have been requested.
func (w *world) copyCountReached(n int) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		return w.front.Counts()[faults.Slow]+w.front.Counts()[faults.Hang] >= n, nil
	}
}

// happened reports whether a fault happened n times.
func (w *world) happened(k faults.Kind, n int) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) { return w.front.Counts()[k] >= n, nil }
}
