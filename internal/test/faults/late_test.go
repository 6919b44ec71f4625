package faults_test

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// stopOnce stops the first process that makes a request, and returns its name. The server answers
// the request meanwhile.
func (w *world) stopOnce(rule faults.Rule) (stopped func(t *testing.T) string) {
	name := make(chan string, 1)
	var once sync.Once
	rule.Kind, rule.First = faults.Event, 1
	rule.Do = func(q faults.Request) {
		once.Do(func() {
			w.signal(q.From, syscall.SIGSTOP)
			name <- q.From
		})
	}
	w.front.Add(rule)
	return func(t *testing.T) string {
		t.Helper()
		select {
		case n := <-name:
			return n
		case <-time.After(patience):
			t.Fatal("nothing was stopped")
			return ""
		}
	}
}

// expectEnd compares all that is written about the end of a run with it, now and after a while.
func (w *world) expectEnd(t *testing.T, run string, end state.State, not ...string) {
	t.Helper()
	ctx := soon(t)
	look := func() {
		r, err := w.store.ReadReport(ctx, run)
		must(t, err)
		page, err := w.store.Read(ctx, state.RunName(run, state.PageName))
		must(t, err)
		odd, err := w.store.Read(ctx, state.RunName(run, state.TasksName))
		must(t, err)
		if r.State != end || !r.Final || r.Verified != (end == state.Succeeded) || !strings.Contains(string(page.Body), r.Writer) {
			t.Errorf("run %s is %s: the report is of %s, final: %t, verified: %t; the page belongs to it: %t",
				run, end, r.State, r.Final, r.Verified, strings.Contains(string(page.Body), r.Writer))
		}
		for _, text := range not {
			if strings.Contains(string(odd.Body)+string(page.Body), text) {
				t.Errorf("run %s is %s: %q is in its page or in %s", run, end, text, state.TasksName)
			}
		}
	}
	must(t, w.lastReportIsFinal(ctx))
	look()
}

// TestSlowReport: the first writer of a file about the end is slower than another tracker that has
// taken over the verification. Its file does not replace that of the end.
func TestSlowReport(t *testing.T) {
	t.Parallel()
	for _, file := range []string{state.PageName, "current.json"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 40}, services("t1", "t2", "w1")), soon(t)
			slow := faults.Rule{Kind: faults.Slow, From: "t", Op: "PutObject", Target: file, First: 1, Delay: 7 * time.Second}
			if file == "current.json" { // its write after the report: the end
				end := slow
				slow = faults.Rule{Kind: faults.Event, From: "t", Op: "PutObject", Target: state.PageName, First: 1, Do: func(q faults.Request) {
					end.From = q.From
					w.front.Add(end)
				}}
			}
			w.front.Add(slow)
			plan, err := w.run(ctx)
			must(t, err)
			must(t, until(ctx, "the slow write", patience, w.slowIsOver))
			w.expectEnd(t, plan.Run, state.Succeeded)
			must(t, w.check(ctx))
		})
	}
}

// TestLateReport: a tracker is stopped while it writes about the end of a run with a dead task.
// Another one ends that run, an operator redrives it, and it succeeds. Then the first one goes on.
func TestLateReport(t *testing.T) {
	t.Parallel()
	for _, scene := range []struct {
		name string
		stop faults.Rule
		// All copies are denied, which halts the run: no tracker verifies it.
		halts bool
	}{
		{"before the page", faults.Rule{From: "t", Op: "PutObject", Target: state.ReportName}, false},
		{"a halted run", faults.Rule{From: "t", Op: "GetObject", Target: state.ReportName}, true},
	} {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, services("t1", "t2", "w1")), soon(t)
			denied := faults.Rule{Kind: faults.Denied, Op: "CopyObject", Target: "FRM-00-00-01-00", First: 1, Times: -1}
			if scene.halts {
				denied.Target = ""
			}
			stopped := w.stopOnce(scene.stop)
			w.front.Add(denied)
			plan, err := w.plan(ctx, 0)
			must(t, err)
			first := stopped(t)
			pointer, err := w.ended(ctx)
			must(t, err)
			if pointer.State != state.Failed {
				t.Errorf("run %s is %s, expected failed", pointer.Run, pointer.State)
			}
			must(t, w.lastReportIsFinal(ctx))
			w.front.End(faults.Denied)
			if code, err := w.command(ctx, nil, "redrive", plan.Run); err != nil || code != 0 {
				t.Fatalf("redrive: exit code %d, %v", code, err)
			}
			must(t, w.succeeds(ctx))
			must(t, w.lastReportIsFinal(ctx))
			before := w.front.Asked(first)
			w.signal(first, syscall.SIGCONT)
			// It has received nothing meanwhile, so a few more requests show that it is over it.
			must(t, until(ctx, "the tracker that was stopped", patience, w.asksMore(first, before+15)))
			w.expectEnd(t, plan.Run, state.Succeeded, "AccessDenied")
			must(t, w.converge(ctx))
			must(t, w.check(ctx))
		})
	}
}

// TestFenceByWholeSeconds: the pointer is written at the end of a second and read at the beginning
// of one. Date and Last-Modified are whole seconds, so it seems older than it is. The planner still
// waits until no worker can act on the run before (Audit).
func TestFenceByWholeSeconds(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 40}, services("t1", "w1")), soon(t)
	const second = time.Second
	// The second write of the pointer by the tracker is the end: verifying comes before.
	w.front.Add(faults.Rule{Kind: faults.Event, From: "t1", Op: "PutObject", Target: "current.json", First: 1, Times: 3, Do: func(faults.Request) {
		wait(ctx, time.Until(time.Now().Truncate(second).Add(930*time.Millisecond)))
	}})
	_, err := w.run(ctx)
	must(t, err)
	w.front.Add(faults.Rule{Kind: faults.Event, From: "plan", Op: "GetObject", Target: "current.json", First: 1, Times: 2, Do: func(faults.Request) {
		wait(ctx, time.Until(time.Now().Truncate(second).Add(second+5*time.Millisecond)))
	}})
	must(t, w.relabel(5))
	_, err = w.run(ctx)
	must(t, err)
	if v := w.audit.Violations(); len(v) > 0 {
		t.Error(v)
	}
	must(t, w.check(ctx))
}

// slowIsOver returns whether a request was delayed and has its answer.
func (w *world) slowIsOver(context.Context) (bool, error) {
	return w.front.Counts()[faults.Slow] > 0 && w.front.Unanswered(faults.Slow) == 0, nil
}

// asksMore returns whether a process has made n requests.
func (w *world) asksMore(from string, n int) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) { return w.front.Asked(from) >= n, nil }
}
