package faults_test

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// TestEveryCopyDenied: the run is halted after some dozens of dead tasks, and reports the cause and
// the command to type. After the permissions are restored, that command finishes the run.
func TestEveryCopyDenied(t *testing.T) {
	t.Parallel()
	const frames = 1500
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: frames}, services("w1", "w2", "t1"), "SHUFFLE_CONCURRENCY=4"), t.Context()
	w.front.PageSize, w.front.Latency = 0, 100*time.Millisecond
	w.front.Add(faults.Rule{Kind: faults.Denied, Op: "CopyObject", First: 1, Times: -1})
	plan, err := w.plan(ctx, 0)
	must(t, err)
	pointer, err := w.ended(ctx)
	must(t, err)
	if n := w.front.Counts()[faults.Denied]; pointer.State != state.Failed || n > frames/2 {
		t.Errorf("the run is %s after %d copies were denied, expected failed after a few", pointer.State, n)
	}
	expectText(t, pointer.Reason, "AccessDenied", "SHUFFLE_MAX_DEAD", "shuffle dead "+plan.Run, "shuffle redrive "+plan.Run)
	var s state.Status
	if code, err := w.command(ctx, &s, "status", "--json"); err != nil || code != 1 || s.Dead <= 20 || s.Reason != pointer.Reason {
		t.Errorf("status: exit code %d, %v, %d dead, %s", code, err, s.Dead, s.Reason)
	}
	w.front.Calm()
	if code, err := w.command(ctx, nil, "redrive", plan.Run); err != nil || code != 0 {
		t.Fatalf("redrive: exit code %d, %v", code, err)
	}
	must(t, w.succeeds(ctx))
	must(t, w.converge(ctx))
	must(t, w.check(ctx))
}

// TestPublicationIsFinished: a planner is killed after a message, whichever it is. The next plan
// finishes its run, with each task once.
func TestPublicationIsFinished(t *testing.T) {
	t.Parallel()
	var g errgroup.Group
	for _, rule := range []faults.Rule{
		{Kind: faults.Crash, Op: "SendMessageBatch", First: 1}, {Kind: faults.CrashAfter, Op: "SendMessageBatch", First: 1},
		{Kind: faults.CrashAfter, Op: "SendMessageBatch", First: 4}, {Kind: faults.CrashAfter, Op: "SendMessageBatch", First: 6},
		// After the last message.
		{Kind: faults.Crash, Op: "PutObject", Target: "current.json", First: 1},
	} {
		w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil), t.Context()
		rule.From, rule.Do = "plan", func(q faults.Request) { w.kill(q.From) }
		if rule.Op == "PutObject" {
			add := rule
			rule = faults.Rule{Kind: faults.Event, From: "plan", Op: "SendMessageBatch", First: 6, Do: func(faults.Request) { w.front.Add(add) }}
		}
		w.front.Add(rule)
		g.Go(func() error {
			killed, err := w.command(ctx, nil, "plan")
			if err != nil || killed != -1 {
				t.Errorf("%s %s: the planner has exit code %d, %v", rule.Kind, rule.Op, killed, err)
			}
			plan, err := w.plan(ctx, 0)
			if err != nil || plan.Generation != 1 || plan.State != state.Running {
				t.Errorf("%s %s: generation %d is %s, %v; expected the first to be running", rule.Kind, rule.Op, plan.Generation, plan.State, err)
			}
			w.serve(services("w1", "t1")...)
			for _, err := range []error{w.succeeds(ctx), w.converge(ctx), w.check(ctx)} {
				if err != nil {
					t.Error(err)
				}
			}
			return nil
		})
	}
	_ = g.Wait() // each has reported its failure
}

// TestSIGTERM: a busy worker finishes its tasks in flight and receives no more. It never receives
// tasks that it cannot begin, so no attempt is wasted.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil), t.Context()
	w.front.Add(faults.Rule{Kind: faults.Slow, Op: "CopyObject", First: 1, Times: -1})
	busy, err := w.start("w1", "work")
	must(t, err)
	_, err = w.plan(ctx, 0)
	must(t, err)
	must(t, until(ctx, "a busy worker", patience, w.copyCountReached(8)))
	must(t, busy.cmd.Process.Signal(syscall.SIGTERM))
	if code, err := busy.code(ctx); err != nil || code != 0 {
		t.Errorf("exit code %d, %v; expected 0", code, err)
	}
	messages := w.left(t, queueNames[0])
	ahead := 0 // messages received but not yet processed; the worker releases them
	for _, m := range messages {
		ahead += m.ReceiveCount - 1
		if m.ReceiveCount > 2 {
			t.Errorf("message %s was received %d times before", m.ID, m.ReceiveCount-1)
		}
	}
	if ahead > 4 { // half of the copies at a time
		t.Errorf("%d messages were received and not worked on", ahead)
	}
	stands, err := w.list(ctx, w.store.Layout.ML())
	must(t, err)
	if planned := len(w.audit.Tasks(1)); len(messages) == 0 || len(messages)+len(stands) != planned {
		t.Errorf("%d messages are left and %d frames stand, of %d tasks", len(messages), len(stands), planned)
	}
}

// TestSIGTERMWithoutAnswers: S3 does not answer, and the time to drain is short. The worker
// releases at once the tasks that it cannot finish.
func TestSIGTERMWithoutAnswers(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 40}, nil, "SHUFFLE_DRAIN=1s", "SHUFFLE_VISIBILITY_TIMEOUT=60s"), t.Context()
	w.front.Add(faults.Rule{Kind: faults.Hang, Op: "CopyObject", First: 1, Times: -1})
	busy, err := w.start("w1", "work")
	must(t, err)
	plan, err := w.plan(ctx, 0)
	must(t, err)
	must(t, until(ctx, "a busy worker", patience, w.copyCountReached(8)))
	must(t, busy.cmd.Process.Signal(syscall.SIGTERM))
	if code, err := busy.code(ctx); err != nil || code != 0 {
		t.Errorf("exit code %d, %v; expected 0", code, err)
	}
	if messages := w.left(t, queueNames[0]); len(messages) != plan.Tasks {
		t.Errorf("%d messages are left of %d tasks", len(messages), plan.Tasks)
	}
}

// TestSIGINT: an interrupted run command names the unfinished run and the commands to type, and
// they work.
func TestSIGINT(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil), t.Context()
	w.front.Add(faults.Rule{Kind: faults.Slow, Op: "CopyObject", First: 1, Times: 30})
	run, err := w.start("run", "run")
	must(t, err)
	must(t, until(ctx, "a run with copies under way", patience, w.copyCountReached(8)))
	must(t, run.cmd.Process.Signal(syscall.SIGINT))
	if code, err := run.code(ctx); err != nil || code != 130 {
		t.Errorf("exit code %d, %v; expected 130", code, err)
	}
	pointer, err := w.store.Current(ctx, state.PointerSnapshot{})
	must(t, err)
	expectText(t, run.stderrText(t), "run "+pointer.Run+" is not finished", "shuffle run --resume", "shuffle cancel "+pointer.Run)
	if code, err := w.command(ctx, nil, "run", "--resume", "--json"); err != nil || code != 0 {
		t.Errorf("run --resume: exit code %d, %v; expected 0", code, err)
	}
	first, err := state.ReadStatus(ctx, w.store, pointer.Run)
	must(t, err)
	if first.State != state.Succeeded {
		t.Errorf("run %s is %s", pointer.Run, first.State)
	}
	must(t, w.check(ctx))
}
