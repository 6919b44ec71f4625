package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a worker that runs in a test's bubble.
type running struct {
	*Worker
	stop  context.CancelFunc
	ended chan error
}

func runWorker(t *testing.T, cfg Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{Worker: New(cfg), stop: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- r.Run(ctx) }()
	return r
}

// wait waits for the end and returns how long it took.
func (r *running) wait(t *testing.T) time.Duration {
	t.Helper()
	begun := time.Now()
	if err := <-r.ended; err != nil {
		t.Errorf("run: %v", err)
	}
	return time.Since(begun)
}

// after waits in the bubble's time.
func after(d time.Duration) { <-time.After(d) }

func manyTasks(n int) []messages.Task {
	ops := []messages.Op{messages.Copy, messages.Move, messages.Refresh, messages.Delete}
	tasks := make([]messages.Task, n)
	for i := range tasks {
		tasks[i] = taskOf(i, ops[i%len(ops)])
	}
	return tasks
}

// Every task is applied and reported once and no message is left; the requests are as few as DESIGN
// 12 allows.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 4000
		w := newWorld(t, manyTasks(n)...)
		w.bucket.latency, w.tasks.latency, w.results.latency = 40*time.Millisecond, 10*time.Millisecond, 10*time.Millisecond
		cfg := w.config()
		cfg.ExitWhenIdle = 10 * time.Second
		r := runWorker(t, cfg)
		r.wait(t)

		seen := map[uint32]int{}
		for _, res := range w.results.results(t) {
			seen[res.Seq]++
			if !res.Outcome.IsDone() {
				t.Errorf("seq %d: %s", res.Seq, res.Outcome)
			}
		}
		if left, _ := w.tasks.left(); len(seen) != n || left != 0 {
			t.Errorf("%d tasks with results, %d messages left", len(seen), left)
		}
		s := r.Stats()
		if s.InFlight != 0 || s.Received != n || s.Outcomes[messages.Moved] != n/4 {
			t.Errorf("stats %+v", s)
		}
		sqs := s.Requests["ReceiveMessage"] + s.Requests["DeleteMessageBatch"] + s.Requests["SendMessageBatch"] + s.Requests["ChangeMessageVisibilityBatch"]
		if perTask := float64(sqs) / n; perTask > 0.3 { // and 0.1 of the planner's
			t.Errorf("%.2f SQS requests a task: %v", perTask, s.Requests)
		}
		if s.Requests["HeadObject"] != 0 || s.Requests["DeleteObjects"] > n/20 {
			t.Errorf("requests %v", s.Requests)
		}
	})
}

// A task that takes longer than the visibility timeout is extended at half of it, so that no
// other worker receives it.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, taskOf(1, messages.Copy))
		until := time.Now().Add(5 * time.Minute)
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if op == "CopyObject" && time.Now().Before(until) {
				return s3Error(op, bucket.CodeSlowDown, 503)
			}
			return nil
		}
		r := runWorker(t, w.config())
		after(6 * time.Minute)
		res := w.results.results(t)
		if len(res) != 1 || res[0].Attempts != 1 || res[0].Outcome != messages.Copied {
			t.Errorf("results %+v", res)
		}
		// Half of 60 s, seen every 7.5 s: about every 30 s.
		if n := len(w.tasks.extended); n < 8 || n > 14 {
			t.Errorf("extended %d times in 5 minutes", n)
		}
		r.stop()
		r.wait(t)
	})
}

// A receipt that is no longer good stops nothing.
func TestHeartbeatOfALostReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, taskOf(1, messages.Copy))
		w.bucket.latency = 4 * time.Second
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if op == "CopyObject" {
				w.tasks.mu.Lock()
				w.tasks.messages[0].gone = true // purged
				w.tasks.mu.Unlock()
			}
			return nil
		}
		cfg := w.config()
		cfg.Visibility = 2 * time.Second
		r := runWorker(t, cfg)
		after(20 * time.Second)
		if res := w.results.results(t); len(res) != 1 || res[0].Outcome != messages.Copied {
			t.Errorf("results %+v", res)
		}
		r.stop()
		r.wait(t)
	})
}

// At SIGTERM the worker finishes the tasks in flight, and receives no more.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, manyTasks(2000)...)
		w.bucket.latency = 2 * time.Second
		r := runWorker(t, w.config())
		after(2500 * time.Millisecond)
		r.stop()
		if took := r.wait(t); took > 7*time.Second {
			t.Errorf("took %s to end", took)
		}
		all, visible := w.tasks.left()
		if done := len(w.results.results(t)); done == 0 || done+all != 2000 || visible != all {
			t.Errorf("%d done, %d left, %d of them visible", done, all, visible)
		}
	})
}

// What cannot be finished within Drain is returned, visible at once.
func TestDrainEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, manyTasks(40)...)
		w.bucket.fail = func(ctx context.Context, op string, _ ...string) error {
			if op == "GetObject" {
				return nil
			}
			<-ctx.Done() // hangs until it is cut off
			return s3Error(op, bucket.CodeTransport, 0)
		}
		w.point(t, func(p *state.Pointer) { p.Fence.AttemptMS = 600_000 })
		cfg := w.config()
		cfg.Drain = 10 * time.Second
		r := runWorker(t, cfg)
		after(3 * time.Second)
		r.stop()
		if took := r.wait(t); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("took %s to end", took)
		}
		if all, visible := w.tasks.left(); all != 40 || visible != 40 || len(w.results.sent) > 0 {
			t.Errorf("%d left, %d of them visible, results %v", all, visible, w.results.sent)
		}
	})
}

// A retry that the bucket keeps throttling does not outlast the order to stop.
func TestStopEndsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, manyTasks(40)...)
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if op == "GetObject" {
				return nil
			}
			return s3Error(op, bucket.CodeSlowDown, 503)
		}
		r := runWorker(t, w.config())
		after(8 * time.Second)
		r.stop()
		if took := r.wait(t); took > 12*time.Second {
			t.Errorf("took %s to end", took)
		}
		if all, visible := w.tasks.left(); all != 40 || visible != 40 {
			t.Errorf("%d left, %d of them visible", all, visible)
		}
	})
}

// Messages that a long poll brings after the order to stop are returned at once.
func TestReceivedWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := runWorker(t, w.config())
		after(time.Second)
		r.stop()
		after(time.Second)
		if err := queue.SendAll(t.Context(), w.tasks, []queue.Entry{{Body: taskOf(1, messages.Copy).Encode()}}); err != nil {
			t.Fatal(err)
		}
		r.wait(t)
		if all, visible := w.tasks.left(); all != 1 || visible != 1 || len(w.bucket.written()) > 0 {
			t.Errorf("%d left, %d visible, writes %v", all, visible, w.bucket.written())
		}
	})
}

// Idle means that no message was received, not that the queue's counts are 0.
func TestExitWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, taskOf(1, messages.Copy))
		w.bucket.latency = 4 * time.Second
		cfg := w.config()
		cfg.ExitWhenIdle = 3 * time.Second
		r := runWorker(t, cfg)
		if took := r.wait(t); took < 7*time.Second || took > 20*time.Second {
			t.Errorf("ended after %s", took)
		}
		if len(w.results.results(t)) != 1 {
			t.Error("ended before the result")
		}
	})
}

// An idle worker has one long poll under way and reads no pointer.
func TestIdleCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		clear(w.bucket.calls)
		r := runWorker(t, w.config())
		after(time.Minute)
		if n := r.Stats().Requests["ReceiveMessage"]; n > 13 {
			t.Errorf("%d receives in a minute", n)
		}
		if len(w.bucket.calls) > 0 {
			t.Errorf("requests %v", w.bucket.calls)
		}
		r.stop()
		r.wait(t)
	})
}
