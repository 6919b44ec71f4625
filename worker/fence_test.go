package worker

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// pointerReads puts a wait before and after each read of the pointer: the way there and the way
// back.
func pointerReads(w *world, there, back time.Duration) Pointer {
	return slowPointer{w.store, there, back}
}

type slowPointer struct {
	Pointer
	there, back time.Duration
}

func (p slowPointer) Current(ctx context.Context, known state.PointerSnapshot) (state.PointerSnapshot, error) {
	if retry.Sleep(ctx, p.there) != nil {
		return state.PointerSnapshot{}, ctx.Err()
	}
	pointer, err := p.Pointer.Current(ctx, known)
	if retry.Sleep(ctx, p.back) != nil {
		return state.PointerSnapshot{}, ctx.Err()
	}
	return pointer, err
}

func delivered(t messages.Task) *delivery {
	return &delivery{task: t, msg: queue.Message{ReceiveCount: 1}, received: time.Now()}
}

func TestFenceCaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := newFence(w.store, zap.NewNop())
		d := delivered(taskOf(1, messages.Copy))
		clear(w.bucket.calls)
		check := func(want int) {
			t.Helper()
			if _, err := f.check(t.Context(), d); err != nil || w.bucket.calls["GetObject"] != want {
				t.Errorf("%v after %d reads, want %d", err, w.bucket.calls["GetObject"], want)
			}
		}
		check(1)
		after(999 * time.Millisecond)
		check(1)
		after(time.Millisecond)
		check(2)
	})
}

// A snapshot is as old as its request: what was read quickly and came back slowly is not fresh.
func TestFenceMeasuresFromBeforeTheRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := newFence(pointerReads(w, 0, 700*time.Millisecond), zap.NewNop())
		d := delivered(taskOf(1, messages.Copy))
		begun := time.Now()
		until, err := f.check(t.Context(), d)
		if most := begun.Add(state.DefaultFence.Cache() + state.DefaultFence.Attempt()); err != nil || until.After(most) {
			t.Errorf("may write until %s after the read began, %v", until.Sub(begun), err)
		}
		w.point(t, func(p *state.Pointer) { p.State = state.Cancelled })
		after(300 * time.Millisecond) // the snapshot is a second old
		if _, err := f.check(t.Context(), d); !errors.Is(err, errSuperseded) {
			t.Errorf("got %v", err)
		}
	})
}

// A pointer that takes longer to read than it may be believed lets no task write.
func TestFenceOfASlowPointer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := newFence(pointerReads(w, 0, 1100*time.Millisecond), zap.NewNop())
		if _, err := f.check(t.Context(), delivered(taskOf(1, messages.Copy))); err == nil {
			t.Error("admitted")
		}
	})
}

// Tasks that wait share one read. One that is under way is good enough, unless it refuses the task:
// then the read must have begun after the task came.
func TestFenceSharesReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := newFence(pointerReads(w, 10*time.Millisecond, 10*time.Millisecond), zap.NewNop())
		clear(w.bucket.calls)
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				after(time.Duration(i) * 100 * time.Microsecond)
				if _, err := f.check(t.Context(), delivered(taskOf(i, messages.Copy))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := w.bucket.calls["GetObject"]; n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

// A worker that has seen the run being planned meets its first task within the same second.
func TestFenceOpensInTime(t *testing.T) {
	for _, before := range []state.State{state.Planning, state.Review, state.Failed, state.Succeeded} {
		t.Run(string(before), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.point(t, func(p *state.Pointer) { p.State = before })
				f := newFence(w.store, zap.NewNop())
				if _, err := f.check(t.Context(), delivered(taskOf(1, messages.Copy))); err == nil {
					t.Fatal("admitted before its time")
				}
				after(time.Millisecond)
				w.point(t, func(p *state.Pointer) { p.State = state.Publishing }) // or a redrive
				after(time.Millisecond)
				if _, err := f.check(t.Context(), delivered(taskOf(2, messages.Copy))); err != nil {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestFenceWithoutFence(t *testing.T) {
	w := newWorld(t)
	w.point(t, func(p *state.Pointer) { p.Fence = state.Fence{} })
	if _, err := newFence(w.store, zap.NewNop()).check(t.Context(), delivered(taskOf(1, messages.Copy))); err == nil {
		t.Error("admitted without a limit")
	}
}

// While work goes on, no task waits for the pointer: the snapshot is renewed before it is too old.
func TestFenceKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := newFence(pointerReads(w, 100*time.Millisecond, 100*time.Millisecond), zap.NewNop())
		ctx, cancel := context.WithCancel(t.Context())
		var kept sync.WaitGroup
		kept.Go(func() { f.keepFresh(ctx) })
		d := delivered(taskOf(1, messages.Copy))
		for i := range 1000 {
			begun := time.Now()
			if _, err := f.check(ctx, d); err != nil || i > 0 && time.Since(begun) > 0 {
				t.Fatalf("check %d took %s: %v", i, time.Since(begun), err)
			}
			after(10 * time.Millisecond)
		}
		cancel()
		kept.Wait()
	})
}

// A row of failed reads is one line in the log, and its end another.
func TestFenceLogsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zap.InfoLevel)
		w := newWorld(t, taskOf(1, messages.Copy))
		begun := time.Now()
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if op == "GetObject" && time.Since(begun) < 30*time.Second {
				return s3Error(op, bucket.CodeInternal, 500)
			}
			return nil
		}
		cfg := w.config()
		cfg.Log = zap.New(core)
		New(cfg).deliver(t.Context(), w.receive(t, 1))
		if logged.FilterMessageSnippet("cannot read the pointer").Len() != 1 || logged.FilterMessageSnippet("read again").Len() != 1 {
			t.Errorf("logged %v", logged.All())
		}
		if res := w.results.results(t); len(res) != 1 || res[0].Outcome != messages.Copied {
			t.Errorf("results %v: it should have waited", res)
		}
	})
}

// A worker that is paused between the fence and the write finds its time over: what it sends then
// is cut off.
func TestZombie(t *testing.T) {
	for _, op := range []messages.Op{messages.Copy, messages.Delete} {
		t.Run(string(op), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, taskOf(1, op))
				var paused atomic.Bool
				w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
					if op != "GetObject" && paused.CompareAndSwap(false, true) {
						w.point(t, func(p *state.Pointer) { p.Generation, p.Run = 8, "next" })
						after(state.DefaultFence.Quiet())
					}
					return nil
				}
				worker := New(w.config())
				worker.deliver(t.Context(), w.receive(t, 1))
				if got := w.bucket.written(); len(got) > 0 {
					t.Errorf("wrote %v after the fence", got)
				}
				after(2 * time.Minute)
				worker.deliver(t.Context(), w.receive(t, 2))
				if got := w.bucket.written(); len(got) > 0 {
					t.Errorf("wrote %v for an older run", got)
				}
				if res := w.results.results(t); len(res) != 1 || res[0].Outcome != messages.Superseded {
					t.Errorf("results %v", res)
				}
			})
		})
	}
}

// A move whose run is superseded between its copy and its delete keeps the old copy.
func TestSupersededBeforeTheDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		task := taskOf(1, messages.Move)
		w := newWorld(t, task)
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if op == "CopyObject" {
				w.point(t, func(p *state.Pointer) { p.Generation, p.Run = 8, "next" })
				after(time.Second)
			}
			return nil
		}
		New(w.config()).deliver(t.Context(), w.receive(t, 1))
		if w.bucket.calls["DeleteObjects"] > 0 {
			t.Errorf("writes %v", w.bucket.written())
		}
		if res := w.results.results(t); len(res) != 1 || res[0].Outcome != messages.Superseded {
			t.Errorf("results %v", res)
		}
	})
}

// The promise that planners wait on: however the reads and writes of a busy worker fall, none of
// its writes for the old run may go on for longer than cache and attempt after the pointer changed.
func TestFence(t *testing.T) {
	for _, way := range []time.Duration{0, 50, 300, 900} {
		way *= time.Millisecond
		t.Run(way.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, manyTasks(6000)...)
				w.bucket.latency = 200 * time.Millisecond
				var late, writes atomic.Int64
				changed := time.Now().Add(700 * time.Millisecond)
				w.bucket.fail = func(ctx context.Context, op string, _ ...string) error {
					if op == "GetObject" {
						return nil
					}
					writes.Add(1)
					until, limited := ctx.Deadline()
					if !limited || until.After(changed.Add(state.DefaultFence.Cache()+state.DefaultFence.Attempt())) {
						late.Add(1)
					}
					return nil
				}
				cfg := w.config()
				cfg.Pointer = pointerReads(w, way/2, way/2)
				cfg.ExitWhenIdle = time.Second
				r := runWorker(t, cfg)
				after(time.Until(changed))
				w.point(t, func(p *state.Pointer) { p.Generation, p.Run = 8, "next" })
				r.wait(t)
				if late.Load() > 0 || way < 300*time.Millisecond && writes.Load() == 0 {
					t.Errorf("%d of %d writes may have gone on for too long", late.Load(), writes.Load())
				}
				if n := r.Stats().Outcomes[messages.Superseded]; n == 0 || len(w.results.results(t)) != 6000 {
					t.Errorf("%d superseded of %d", n, len(w.results.results(t)))
				}
			})
		})
	}
}

// One DeleteObjects serves the tasks of several runs, and leaves out those that are no longer in
// force.
func TestDeleteLeavesOutOlderRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := []messages.Task{taskOf(1, messages.Delete), taskOf(2, messages.Delete), taskOf(2, messages.Delete)}
		tasks[0].Gen, tasks[0].Run = 6, "older"
		w := newWorld(t, tasks...)
		worker := New(w.config())
		batch := []*delivery{delivered(tasks[0]), delivered(tasks[1]), delivered(tasks[2])}
		failed := worker.delete(t.Context(), batch)
		if got := w.bucket.written(); len(got) != 1 || got[0] != "DeleteObjects "+tasks[1].Del[0] {
			t.Errorf("writes %v", got)
		}
		if len(failed) != 1 || !errors.Is(failed[batch[0]], errSuperseded) {
			t.Errorf("failed %v", failed)
		}
	})
}
