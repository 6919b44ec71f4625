package faults_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
	"github.com/angel-nft/google-shuffle/messages"
)

// soon is the context of a scene whose runs must end soon, on any machine.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("not within "+patience.String()))
	t.Cleanup(cancel)
	return ctx
}

// damage is what a person does to an object of a run while workers copy.
type damage struct {
	object, how string
	purge       bool // the tasks queue is purged too
	state       state.State
	reason      []string
}

var damages = []damage{
	{"runs/RUN/plan.json", "deleted", true, state.Failed, []string{"plan.json", "is gone", "shuffle plan"}},
	{"runs/RUN/tasks-00000.jsonl.zst", "flipped", true, state.Failed, []string{"tasks-00000", "damaged", "shuffle plan"}},
	{"runs/RUN/expected-S01E01.jsonl.zst", "deleted", false, state.Failed, []string{"expected-S01E01", "shuffle plan"}},
	{"runs/RUN/ledger.json", "cut short", false, state.Succeeded, nil},
}

// TestDamagedRun: a person damages an object of the run in force. The run ends, with the object's
// name if it cannot be made again, and an operator who follows status comes to the end.
func TestDamagedRun(t *testing.T) {
	t.Parallel()
	var g errgroup.Group
	for _, d := range damages {
		w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil), soon(t)
		g.Go(func() error {
			if err := d.play(ctx, w); err != nil {
				t.Errorf("%s %s: %v", d.object, d.how, err)
			}
			return nil
		})
	}
	_ = g.Wait() // each has reported its failure
}

func (d damage) play(ctx context.Context, w *world) error {
	at := faults.Rule{Kind: faults.Event, From: "w1", Op: "CopyObject", First: 12}
	if strings.Contains(d.object, "ledger") {
		at = faults.Rule{Kind: faults.Event, From: "t1", Op: "PutObject", Target: "ledger.json", First: 2}
	}
	at.Do = func(faults.Request) {
		if d.purge {
			w.front.Did(faults.Purged, queueNames[0])
			if err := w.queues[queueNames[0]].PurgeQueue(ctx); err != nil {
				w.broke(err)
			}
		}
		if done, err := w.touch(ctx, hand{object: d.object, how: d.how}); err != nil || !done {
			w.broke(fmt.Errorf("nothing was damaged: %w", err))
		}
		w.kill("t1") // else it has read the object already
	}
	// The copies are slow, so that the tracker saves the ledger several times.
	w.front.Add(at, faults.Rule{Kind: faults.Slow, Op: "CopyObject", First: 1, Times: -1, Delay: 300 * time.Millisecond})
	w.serve(services("w1", "t1")...)
	plan, err := w.plan(ctx, 0)
	if err != nil {
		return err
	}
	pointer, err := w.ended(ctx)
	if err != nil {
		return err
	}
	w.front.Calm()
	if pointer.Run != plan.Run || pointer.State != d.state {
		return fmt.Errorf("run %s is %s: %s", pointer.Run, pointer.State, pointer.Reason)
	}
	for _, text := range d.reason {
		if !strings.Contains(pointer.Reason, text) {
			err = errors.Join(err, fmt.Errorf("%q is not in the reason: %s", text, pointer.Reason))
		}
	}
	return errors.Join(err, w.converge(ctx), w.check(ctx))
}

// TestOneAnswerIsNotBelieved: each process finds an existing object missing, twice or once. No run
// ends for it, and nothing is planned twice.
func TestOneAnswerIsNotBelieved(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil), soon(t)
	plan, err := w.plan(ctx, 0)
	must(t, err)
	missed := func(from, target string, first, times int) faults.Rule {
		return faults.Rule{Kind: faults.NotFound, From: from, Target: target, First: first, Times: times}
	}
	w.front.Add(missed("t1", "plan.json", 1, 2), missed("t1", "ledger.json", 2, 1), missed("w1", "current.json", 2, 1),
		missed("w1", "plan.json", 1, 1), missed("w1", "tasks-0", 1, 1))
	w.serve(services("w1", "t1")...)
	must(t, w.succeeds(ctx))
	w.front.Calm()
	must(t, w.relabel(5))
	w.front.Add(missed("plan", "latest.json", 1, 1), missed("plan", "current.json", 2, 1),
		missed("plan", "plan.json", 1, 1), missed("plan", "tasks-0", 1, 1),
		missed("t1", "current.json", 5, 1), missed("t1", "plan.json", 1, 1), missed("t1", "latest.json", 1, 1))
	next, err := w.run(ctx)
	must(t, err)
	if again := w.front.Counts()[faults.NotFound]; next.Tasks != 5 || next.Generation != plan.Generation+1 || again < 8 {
		t.Errorf("generation %d after %d: %d tasks, after %d answers 404; expected 5", next.Generation, plan.Generation, next.Tasks, again)
	}
	must(t, w.converge(ctx))
	must(t, w.check(ctx))
}

// TestDoctorNamesDamage: doctor names each damaged or missing object of the state. The next run
// does not end by it.
func TestDoctorNamesDamage(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 40}, nil), soon(t)
	first, err := w.command(ctx, nil, "run", "--json")
	if err != nil || first != 0 {
		t.Fatalf("run: exit code %d, %v", first, err)
	}
	pointer, err := w.store.Current(ctx, state.PointerSnapshot{})
	must(t, err)
	run, version := "runs/"+pointer.Run+"/", fmt.Sprintf("versions/%d/", pointer.Generation)
	changed := func(old, next string) func([]byte) []byte {
		return func(body []byte) []byte { return []byte(strings.Replace(string(body), old, next, 1)) }
	}
	_, err = w.store.Write(ctx, state.UnreadableName, []byte("{\"id\":\"1\",\"generation\":1}\n"), bucket.Condition{})
	must(t, err)
	for _, d := range []struct {
		name string
		how  func([]byte) []byte // nil: it is deleted
		what string
		code int
	}{
		{run + "plan.json", changed(`"keep": `, `"keep": 1`), "damaged", 1},
		{run + "tasks-00000.jsonl.zst", nil, "missing", 1},
		{run + "ledger.json", changed(`"tasks": `, `"tasks": 1`), "damaged", 0},
		{version + "version.json", changed(`"frames": `, `"frames": 1`), "damaged", 1},
		{version + "snapshot.json", changed(`"frames": `, `"frames": 1`), "damaged", 0},
		{version + "train.csv", changed(`Common`, `Junk`), "damaged", 1},
		{"versions/latest.json", changed(`"folder"`, `"other"`), "damaged", 1},
		{state.UnreadableName, changed(`{"id`, `{"id`+"\n{\"id"), "damaged", 0},
		{"settings.json", changed(`"split"`, `"slipt"`), "damaged", 1},
	} {
		c, err := w.store.Read(ctx, d.name)
		must(t, err)
		w.did(d.name, pointer.Run)
		if d.how == nil {
			_, err = w.bucket.DeleteObjects(ctx, []string{w.layout().State() + d.name})
		} else {
			if string(d.how(c.Body)) == string(c.Body) {
				t.Errorf("%s has nothing to change: %s", d.name, c.Body)
			}
			_, err = w.store.Write(ctx, d.name, d.how(c.Body), bucket.Condition{})
		}
		must(t, err)
		look, err := w.types(ctx, "doctor")
		must(t, err)
		text := strings.Join(strings.Fields(look.out), " ")
		if look.code != d.code || !strings.Contains(text, d.name) || !strings.Contains(text, d.what) {
			t.Errorf("%s is %s; doctor, exit code %d, expected %d:\n%s", d.name, d.what, look.code, d.code, look.out)
		}
		for _, command := range []string{"status", "runs"} {
			if look, err := w.types(ctx, command); err != nil || look.code != 0 {
				t.Errorf("%s is %s; %v, %s", d.name, d.what, err, look)
			}
		}
		_, err = w.store.Write(ctx, d.name, c.Body, bucket.Condition{})
		must(t, err)
	}
}

// TestOlderStateIsDamaged: what names the latest version, and the objects of an earlier run are
// damaged, and a result of that run comes late. The next run is not delayed.
func TestOlderStateIsDamaged(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, services("w1", "t1")), soon(t)
	first, err := w.run(ctx)
	must(t, err)
	for _, name := range []string{"versions/latest.json", "runs/RUN/plan.json", "runs/RUN/ledger.json", "runs/RUN/report.json"} {
		if done, err := w.touch(ctx, hand{object: name, how: "cut short"}); err != nil || !done {
			t.Fatalf("%s: %t, %v", name, done, err)
		}
	}
	w.kill("t1") // it knows the plan
	late := messages.Results{V: messages.Version, Run: first.Run, Gen: first.Generation, Worker: "w9", Results: []messages.Result{{Seq: 1, Outcome: messages.Copied, Attempts: 1}}}
	w.front.Add(faults.Rule{Kind: faults.Event, From: "plan", Op: "SendMessageBatch", First: 1, Do: func(faults.Request) { w.send(queueNames[1], late.Encode()) }})
	must(t, w.relabel(20))
	next, err := w.run(ctx)
	must(t, err)
	if next.Tasks != 20 {
		t.Errorf("%d tasks, expected 20", next.Tasks)
	}
	w.expectOutput(t, 0, "status", next.Run, "1 unreadable")
	log, err := w.start("look", "runs")
	must(t, err)
	if code, err := log.code(ctx); err != nil || code != 0 || !strings.Contains(log.out.String(), next.Run) {
		t.Errorf("runs: exit code %d, %v: %s", code, err, log.out.String())
	}
	must(t, w.converge(ctx))
	must(t, w.check(ctx))
}
