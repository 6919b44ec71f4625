package faults_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// TestForeignKeys: listings of the planner and the tracker have a key outside the prefix. Neither
// of them uses such a page.
func TestForeignKeys(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 40}, services("w1", "t1")), soon(t)
	for _, rule := range []faults.Rule{
		{From: "plan", Target: "frames/", First: 1}, {From: "plan", Target: "ML/", First: 2}, {From: "plan", Target: "manifests/", First: 1},
		{From: "plan", Target: "shuffle/", First: 2}, {From: "t1", Target: "ML/", First: 1, Times: 3}, {From: "t1", Target: "shuffle/", First: 2},
	} {
		rule.Kind, rule.Op = faults.Foreign, "ListObjectsV2"
		w.front.Add(rule)
	}
	_, err := w.command(ctx, nil, "plan", "--json") // it may hold the episode, or fail
	must(t, err)
	_, err = w.ended(ctx)
	must(t, err)
	w.front.End(faults.Foreign)
	must(t, errors.Join(w.converge(ctx), w.check(ctx)))
}

// TestRefusedLedger: the store refuses each conditional write of the ledger. The tracker waits
// between its tries (recordsAgree), and SIGTERM ends it soon.
func TestRefusedLedger(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, services("w1")), soon(t)
	refused := faults.Rule{Kind: faults.Precondition, Op: "PutObject", Target: "ledger.json", First: 1, Times: -1}
	w.front.Add(refused)
	tracker, err := w.start("t1", "track")
	must(t, err)
	_, err = w.plan(ctx, 0)
	must(t, err)
	must(t, until(ctx, "refused writes", patience, w.happened(faults.Precondition, 10)))
	begun := time.Now()
	must(t, tracker.cmd.Process.Signal(syscall.SIGTERM))
	if _, err := tracker.code(ctx); err != nil || time.Since(begun) > 25*time.Second { // ECS kills it after 30
		t.Errorf("the tracker ended %s after SIGTERM, %v", time.Since(begun), err)
	}
	w.front.Calm()
	w.serve(services("t2")...)
	must(t, w.succeeds(ctx))
	must(t, errors.Join(w.converge(ctx), w.check(ctx)))
}

// TestJunk: all queues are full of another program's messages, and the file that keeps some of them
// has a damaged line. The run ends before the last of them has been received.
func TestJunk(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 40}, nil), soon(t)
	w.front.Latency = 0
	_, err := w.store.Write(ctx, state.UnreadableName, []byte("{\"id\":\"1\",\"queue\":\"results\",\"generation\":1}\n{\"id\":\"2\",\"que\n"), bucket.Condition{})
	must(t, err)
	entries := make([]queue.Entry, 20_000)
	for i := range entries {
		entries[i].Body = `{"v":1,"hello":"` + strings.Repeat("x", 2000) + `"}`
	}
	must(t, queue.SendAll(ctx, w.queues[queueNames[2]], entries))
	must(t, queue.SendAll(ctx, w.queues[queueNames[1]], entries[:100]))
	if code, err := w.command(ctx, nil, "run", "--json"); err != nil || code != 0 {
		t.Errorf("run: exit code %d, %v", code, err)
	}
	left, err := w.queues[queueNames[2]].GetQueueAttributes(ctx)
	must(t, err)
	if left.Visible+left.InFlight == 0 {
		t.Error("the run ended only after all junk")
	}
	w.expectOutput(t, 0, "status", "unreadable")
	if pointer, err := w.store.Current(ctx, state.PointerSnapshot{}); err != nil || pointer.State != state.Succeeded {
		t.Errorf("%s, %v", pointer.State, err)
	}
	must(t, w.queues[queueNames[2]].PurgeQueue(ctx))
	must(t, w.check(ctx))
}

// TestOwnETags: copies have ETags of their own, as with a KMS key. A person deletes all versions.
// An unchanged world plans no task, then or later.
func TestOwnETags(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, services("w1", "t1")), soon(t)
	w.audit.OnPointer = nil // it compares ETags
	w.bench.Configure(benchserver.Options{OwnETags: true})
	_, err := w.run(ctx)
	must(t, err)
	versions, err := w.list(ctx, w.layout().State()+"versions/")
	must(t, err)
	var keys []string
	for key := range versions {
		keys = append(keys, key)
	}
	_, err = w.bucket.DeleteObjects(ctx, keys)
	must(t, err)
	for range 2 {
		next, err := w.run(ctx)
		must(t, err)
		if next.Tasks != 0 || len(keys) < 5 {
			t.Errorf("%d tasks after %d objects of versions were deleted, expected 0", next.Tasks, len(keys))
		}
	}
	must(t, errors.Join(w.runsAddUp(ctx), w.logsAreSane(), w.recordsAgree(ctx)))
}
