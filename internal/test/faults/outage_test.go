package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// outageTime is long enough that a task would be received more often than the queue grants.
const outageTime = 10 * time.Second

// TestOutageKillsNoTask: the bucket does not answer, or refuses every copy, for a while. No task is
// dead afterwards.
func TestOutageKillsNoTask(t *testing.T) {
	t.Parallel()
	for _, outage := range []faults.Rule{{Kind: faults.Outage}, {Kind: faults.InternalError, Op: "CopyObject"}} {
		t.Run(string(outage.Kind), func(t *testing.T) {
			t.Parallel()
			w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 120}, services("w1", "w2", "t1"), "SHUFFLE_MAX_RECEIVE_COUNT=2"), soon(t)
			w.failAt(faults.Rule{From: "w", Op: "CopyObject", First: 20}, outage)
			plan, err := w.plan(ctx, 0)
			must(t, err)
			must(t, w.succeeds(ctx))
			dead, err := w.queues[queueNames[2]].GetQueueAttributes(ctx)
			must(t, err)
			if n := w.front.Counts()[outage.Kind]; n == 0 || dead.Visible+dead.InFlight > 0 {
				t.Errorf("run %s: %d requests failed, and %d dead letters are left", plan.Run, n, dead.Visible+dead.InFlight)
			}
			must(t, w.converge(ctx))
			must(t, w.check(ctx))
		})
	}
}

// failAt begins an outage at a request, and ends it later.
func (w *world) failAt(request, outage faults.Rule) {
	outage.First, outage.Times = 1, -1
	request.Kind, request.Do = faults.Event, func(faults.Request) {
		w.front.Add(outage)
		time.AfterFunc(outageTime, func() { w.front.End(outage.Kind) })
	}
	w.front.Add(request)
}

// TestOutageEndsNoTracker: the bucket is away for longer than a tracker tries after errors that do
// not pass by themselves. The tracker waits for it. The program of this scene has a shorter limit
// than the five minutes of the real one.
func TestOutageEndsNoTracker(t *testing.T) {
	t.Parallel()
	must(t, buildHurried())
	// The SDK's own attempts last longer than the outage.
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 40}, nil, "AWS_MAX_ATTEMPTS=1"), soon(t)
	w.failAt(faults.Rule{From: "t1", Op: "GetObject", Target: "current.json", First: 2}, faults.Rule{Kind: faults.Outage, From: "t1"})
	w.program = hurried()
	tracker, err := w.start("t1", "track")
	must(t, err)
	w.program = "" // before another goroutine starts a process
	w.serve(services("w1")...)
	must(t, until(ctx, "the end of the outage", patience, w.outageIsOver("t1")))
	_, err = w.plan(ctx, 0)
	must(t, err)
	must(t, w.succeeds(ctx))
	if n := w.front.Counts()[faults.Outage]; n == 0 || tracker.over() {
		t.Errorf("%d requests failed; the tracker has ended: %t", n, tracker.over())
	}
	must(t, w.check(ctx))
}

// outageIsOver reports whether the outage is over, or the process has ended.
func (w *world) outageIsOver(name string) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		w.mu.Lock()
		over := w.running[name].over()
		w.mu.Unlock()
		return over || w.front.Counts()[faults.Outage] > 0 && !w.front.InForce(faults.Outage), nil
	}
}

// The line of the tracker's source that the hurried program has otherwise.
const (
	patientLine = "\nconst maxFailing = 5 * time.Minute\n"
	hurriedLine = "\nconst maxFailing = 2 * time.Second\n"
)

// buildHurried builds the program whose trackers give up soon.
var buildHurried = sync.OnceValue(func() error {
	source, err := filepath.Abs("../../../tracker/tracker.go")
	if err != nil {
		return err
	}
	body, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if strings.Count(string(body), patientLine) != 1 {
		return fmt.Errorf("%s does not have the line %q once: change patientLine", source, patientLine)
	}
	dir := filepath.Dir(program)
	changed := filepath.Join(dir, "tracker.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(body), patientLine, hurriedLine, 1)), 0o600); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "hurried.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return err
	}
	return compile(hurried(), "-overlay="+path)
})

// hurried is the path of that program.
func hurried() string { return program + "-hurried" }
