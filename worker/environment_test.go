package worker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

const scope = "media.angel-nft.com/tuttle_twins"

// known gives the world's worker its scope and its plan, which has these tasks.
func (w *world) known(t testing.TB, tasks ...messages.Task) Config {
	t.Helper()
	if err := w.store.WriteTasks(context.Background(), runName, 0, tasks); err != nil {
		t.Fatal(err)
	}
	cfg := w.config()
	cfg.Scope, cfg.Runs = scope, w.store
	return cfg
}

// TestEnvironments: whose task a delivery is, and what becomes of it.
func TestEnvironments(t *testing.T) {
	planned := taskOf(0, messages.Move)
	planned.Scope = scope
	for _, tc := range []struct {
		name     string
		receives int
		change   func(*messages.Task)
		applied  bool
		back     bool          // returned
		delay    time.Duration // until it is visible again
		code     string        // on the dead-letter queue
	}{
		{name: "as planned", applied: true},
		{name: "published again", change: func(t *messages.Task) { t.Round = 2 }, applied: true},
		{name: "of another prefix", change: func(t *messages.Task) { t.Scope += "_2" }, back: true},
		{name: "of another bucket", change: func(t *messages.Task) { t.Scope = "staging/tuttle_twins" }, back: true},
		{name: "of another bucket, again", receives: 3, change: func(t *messages.Task) { t.Scope = "staging/tuttle_twins" }, back: true, delay: 8 * time.Second},
		{name: "of another bucket, the last time", receives: 5, change: func(t *messages.Task) { t.Scope = "staging/tuttle_twins" }, code: messages.CodeNotOurs},
		{name: "of another environment's keys", change: func(t *messages.Task) { t.Scope, t.Dst = "staging/x", "x/ML/train/Rare/"+t.Frame.File() }, back: true},
		{name: "of a run that the state does not know", change: func(t *messages.Task) { t.Run, t.Gen = "20261123T212443Z-6-k7f3", 6 }, back: true},
		{name: "of such a run and this generation", change: func(t *messages.Task) { t.Run = "20261123T212443Z-7-k7f3" }, back: true},
		{name: "of such a run and a later generation", change: func(t *messages.Task) { t.Run, t.Gen = "20261123T212443Z-9-k7f3", 9 }, back: true},
		{name: "of an older run", change: func(t *messages.Task) { t.Run, t.Gen = "20261123T212443Z-5-aaaa", 5 }},
		{name: "of an older run of an earlier build", change: func(t *messages.Task) { t.Run, t.Gen, t.Scope = "20261123T212443Z-6", 6, "" }},
		{name: "to another class", change: func(t *messages.Task) { t.Dst = dstKey(0, "test", "Legendary") }, code: messages.CodeNotPlanned},
		{name: "to another dataset", change: func(t *messages.Task) { t.Dst = dstKey(0, "train", "Common") }, code: messages.CodeNotPlanned},
		{name: "deletes elsewhere", change: func(t *messages.Task) { t.Del = []string{dstKey(0, "train", "Common")} }, code: messages.CodeNotPlanned},
		{name: "deletes more", change: func(t *messages.Task) { t.Del = append(slices.Clone(t.Del), dstKey(0, "train", "Common")) }, code: messages.CodeNotPlanned},
		{name: "of another source", change: func(t *messages.Task) { t.Src = strings.Replace(t.Src, "thumbnails", "stamps", 1) }, code: messages.CodeNotPlanned},
		{name: "of another content", change: func(t *messages.Task) { t.SrcETag = etagOf("x") }, code: messages.CodeNotPlanned},
		{name: "another operation", change: func(t *messages.Task) { t.Op = messages.Refresh }, code: messages.CodeNotPlanned},
		{name: "another number", change: func(t *messages.Task) { t.Seq = 1 }, code: messages.CodeNotPlanned},
		{name: "beyond the plan", change: func(t *messages.Task) { t.Seq = 20 }, code: messages.CodeNotPlanned},
		{name: "without its scope", change: func(t *messages.Task) { t.Scope = "" }, code: messages.CodeNotPlanned},
	} {
		t.Run(tc.name, func(t *testing.T) {
			task := planned
			if tc.change != nil {
				tc.change(&task)
			}
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, task)
				w.tasks.maxReceives = 5
				if _, err := w.store.Write(t.Context(), state.RunName("20261123T212443Z-5-aaaa", "plan.json"), []byte("{}"), bucket.Condition{}); err != nil {
					t.Fatal(err)
				}
				second := taskOf(1, messages.Copy)
				wk := New(w.known(t, planned, second))
				wk.deliver(t.Context(), w.receive(t, max(tc.receives, 1)))
				if got := len(w.bucket.written()) > 0; got != tc.applied {
					t.Errorf("written: %q", w.bucket.written())
				}
				all, visible := w.tasks.left()
				if back := all == 1; back != tc.back {
					t.Errorf("returned: %t", back)
				}
				if tc.back && (visible == 1) != (tc.delay == 0) {
					t.Errorf("%d visible at once", visible)
				}
				after(tc.delay)
				if _, visible = w.tasks.left(); tc.back && visible == 0 {
					t.Errorf("not visible after %s", tc.delay)
				}
				var codes []string
				for _, e := range w.deads.sent {
					codes = append(codes, e.Attributes[messages.AttrCode])
				}
				if got := strings.Join(codes, " "); got != tc.code {
					t.Errorf("on the dead-letter queue: %q, want %q", got, tc.code)
				}
				if s := wk.Stats(); tc.back && (s.Foreign != 1 || s.Stopped+s.Retried != 0) {
					t.Errorf("counted: %+v", s)
				}
				if results := w.results.results(t); len(results) > 0 && (tc.back || tc.code != "") {
					t.Errorf("results of a task that is not to be obeyed: %+v", results)
				}
				others, err := w.store.OtherEnvironments(t.Context(), 7)
				if foreign := tc.back || tc.code == messages.CodeNotOurs; err != nil || (len(others) > 0) != foreign {
					t.Errorf("noted: %q, %v", others, err)
				}
			})
		})
	}
}

// Results name the environment, so that another's tracker leaves them alone.
func TestResultsScope(t *testing.T) {
	w := newWorld(t, taskOf(0, messages.Copy))
	New(w.known(t, taskOf(0, messages.Copy))).deliver(t.Context(), w.receive(t, 1))
	r, err := messages.ParseResults(w.results.sent[0].Body)
	if err != nil || r.Scope != scope || r.Results[0].Outcome != messages.Copied {
		t.Errorf("%+v, %v", r, err)
	}
}

// A probe of shuffle doctor is acknowledged, and that is all.
func TestProbe(t *testing.T) {
	w := newWorld(t)
	w.tasks = newQueue(messages.EncodeProbe("1"))
	wk := New(w.known(t))
	wk.deliver(t.Context(), w.receive(t, 1))
	if all, _ := w.tasks.left(); all > 0 || len(w.deads.sent)+len(w.results.sent) > 0 || wk.Stats().Rejected > 0 {
		t.Errorf("%d left, %d dead, %d results", all, len(w.deads.sent), len(w.results.sent))
	}
}

// The saved tasks cannot be read: for a while, at all, or by the worker's rights.
func TestPlanUnread(t *testing.T) {
	task := taskOf(0, messages.Copy)
	for name, tc := range map[string]struct {
		fail    error
		body    string
		applied bool
	}{
		"missing":     {fail: s3Error("GetObject", bucket.CodeNoSuchKey, 404), applied: true},
		"forbidden":   {fail: s3Error("GetObject", bucket.CodeAccessDenied, 403), applied: true},
		"damaged":     {body: "no zstd", applied: true},
		"unavailable": {fail: s3Error("GetObject", bucket.CodeInternal, 500)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, task)
				cfg := w.known(t, task)
				if tc.body != "" {
					w.bucket.objects[layout.State()+state.RunName(runName, "tasks-00000.jsonl.zst")] = tc.body
				}
				w.bucket.fail = func(_ context.Context, op string, keys ...string) error {
					if op == "GetObject" && strings.Contains(keys[0], "/tasks-") {
						return tc.fail
					}
					return nil
				}
				New(cfg).deliver(t.Context(), w.receive(t, 1))
				if got := len(w.bucket.written()) > 0; got != tc.applied {
					t.Errorf("applied: %t", got)
				}
				if all, _ := w.tasks.left(); (all == 1) == tc.applied || len(w.deads.sent) > 0 {
					t.Errorf("%d left, %d dead", all, len(w.deads.sent))
				}
			})
		})
	}
}

// Many slots need one chunk: it is read once.
func TestPlanReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := manyTasks(200)
		w := newWorld(t, tasks...)
		w.bucket.latency = 40 * time.Millisecond
		cfg := w.known(t, tasks...)
		cfg.ExitWhenIdle = time.Second
		reads := 0
		w.bucket.fail = func(_ context.Context, op string, keys ...string) error {
			if op == "GetObject" && strings.Contains(keys[0], "/tasks-") {
				reads++
				after(200 * time.Millisecond)
			}
			return nil
		}
		runWorker(t, cfg).wait(t)
		if n := len(w.results.results(t)); n != len(tasks) || reads != 1 {
			t.Errorf("%d results, %d reads of the chunk", n, reads)
		}
	})
}

// staging makes tasks of another environment.
func staging(n int) []messages.Task {
	tasks := manyTasks(n)
	for i := range tasks {
		tasks[i].Scope, tasks[i].Run = "staging/tuttle_twins", "20261123T212443Z-7-stag"
	}
	return tasks
}

// A worker that has nothing of its own to do leaves the queue to its owner: few receives, each task
// back at once, and it is idle anyway.
func TestLeavesTheQueueToItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, staging(100)...)
		w.point(t, func(p *state.Pointer) { p.State = state.Succeeded })
		cfg := w.known(t)
		cfg.ExitWhenIdle = 30 * time.Second
		r := runWorker(t, cfg)
		if took := r.wait(t); took > 40*time.Second {
			t.Errorf("idle after %s", took)
		}
		if n := w.tasks.calls["ReceiveMessage"]; n > 10 {
			t.Errorf("%d receives in 30 s", n)
		}
		if all, visible := w.tasks.left(); all != 100 || visible < 90 {
			t.Errorf("%d of %d visible", visible, all)
		}
		if s := r.Stats(); s.Received > 0 || s.Foreign == 0 || len(w.bucket.written()) > 0 || len(w.deads.sent) > 0 {
			t.Errorf("%+v", s)
		}
		if others, err := w.store.OtherEnvironments(t.Context(), 7); err != nil || !slices.Equal(others, []string{"staging/tuttle_twins"}) {
			t.Errorf("noted %q, %v", others, err)
		}
	})
}

// A worker receives its own tasks even when they are behind another environment's.
func TestFindsItsOwnBehindOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := manyTasks(20)
		w := newWorld(t, own...)
		foreign := staging(300)
		w.tasks.messages = nil
		for _, task := range slices.Concat(foreign, own) {
			w.tasks.messages = append(w.tasks.messages, &memMessage{body: task.Encode()})
		}
		cfg := w.known(t, own...)
		cfg.ExitWhenIdle = 30 * time.Second
		r := runWorker(t, cfg)
		r.wait(t)
		if s := r.Stats(); s.Received != 20 || len(w.results.results(t)) != 20 {
			t.Errorf("%+v", s)
		}
		if all, _ := w.tasks.left(); all+len(w.deads.sent) != 300 {
			t.Errorf("%d tasks of the other are left, %d on the dead-letter queue", all, len(w.deads.sent))
		}
	})
}
