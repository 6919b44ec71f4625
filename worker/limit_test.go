package worker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/messages"
)

// refusingBucket is a bucket with a limit on its writes, as S3's: each key of a DeleteObjects
// counts, and is refused alone. Its latency varies, and now and then an answer takes long.
type refusingBucket struct {
	*memBucket
	limit *limited
	lock  chan struct{}
}

func (b refusingBucket) pass(ctx context.Context) {
	d := jittered(40 * time.Millisecond)
	if rand.IntN(200) == 0 {
		d += 100 * time.Millisecond
	}
	_ = retry.Sleep(ctx, d)
}

func (b refusingBucket) take() bool {
	b.lock <- struct{}{}
	defer func() { <-b.lock }()
	return b.limit.take()
}

func (b refusingBucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	b.pass(ctx)
	if !b.take() {
		return "", s3Error("CopyObject", bucket.CodeSlowDown, 503)
	}
	return b.memBucket.CopyObject(ctx, src, dst, ifMatch)
}

func (b refusingBucket) DeleteObjects(ctx context.Context, keys []string) (refused []*bucket.Error, err error) {
	b.pass(ctx)
	var taken []string
	for _, key := range keys {
		if b.take() {
			taken = append(taken, key)
			continue
		}
		e := s3Error("DeleteObjects", bucket.CodeSlowDown, 0)
		e.Key = key
		refused = append(refused, e)
	}
	_, err = b.memBucket.DeleteObjects(ctx, taken)
	return refused, err
}

// Whole workers, not only their limiters, keep a bucket of 3,500 writes a second busy and are
// hardly ever refused, from the first second on and whatever their number.
func TestRunAtALimit(t *testing.T) {
	for _, test := range []struct {
		op      messages.Op
		workers int
	}{{messages.Copy, 1}, {messages.Delete, 1}, {messages.Move, 1}, {messages.Move, 2}, {messages.Move, 4}, {messages.Move, 8}} {
		t.Run(fmt.Sprintf("%s, %d workers", test.op, test.workers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runAtALimit(t, test.op, test.workers) })
		})
	}
}

func runAtALimit(t *testing.T, op messages.Op, workers int) {
	const n, limit = 20_000, 3500
	tasks := make([]messages.Task, n)
	for i := range tasks {
		tasks[i] = taskOf(i, op)
	}
	w := newWorld(t, tasks...)
	w.tasks.latency, w.results.latency = 10*time.Millisecond, 10*time.Millisecond
	b := refusingBucket{w.bucket, newLimited(0, limit, limit/10, 0), make(chan struct{}, 1)}
	begun := time.Now()
	var all sync.WaitGroup
	for i := range workers {
		cfg := w.config()
		cfg.ID, cfg.Bucket, cfg.ExitWhenIdle = fmt.Sprint("worker-", i), b, time.Second
		all.Go(func() {
			if err := New(cfg).Run(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	writes := n
	if op == messages.Move {
		writes = 2 * n
	}
	took, best := w.lastResult(t).Sub(begun), time.Duration(float64(writes)/limit*float64(time.Second))
	t.Logf("took %s, at the limit it takes %s; %d of %d refused", took, best, b.limit.refused, writes)
	// The last tasks are with one of the workers, whose rate begins at its share of the limit: the
	// more workers, the longer the end may take.
	if took > best*106/100+time.Second+time.Duration(workers)*time.Second/4 {
		t.Errorf("took %s, at the limit it takes %s", took, best)
	}
	if refused := b.limit.refused; refused > writes*4/100 {
		t.Errorf("%d of %d refused", refused, writes)
	}
	if got := len(w.results.results(t)); got != n {
		t.Errorf("%d results", got)
	}
}

// TestAfterRefusals: a worker of whose requests S3 has refused all for a while is as fast as before
// within seconds of the end of that.
func TestAfterRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, outage, limit = 10_000, 10 * time.Second, 3500
		tasks := make([]messages.Task, n)
		for i := range tasks {
			tasks[i] = taskOf(i, messages.Move)
		}
		w := newWorld(t, tasks...)
		b := refusingBucket{w.bucket, newLimited(0, 0, 0, 0), make(chan struct{}, 1)}
		time.AfterFunc(outage, func() {
			b.lock <- struct{}{}
			b.limit.rate, b.limit.burst, b.limit.filled = limit, limit/10, time.Now()
			<-b.lock
		})
		cfg := w.config()
		cfg.Bucket, cfg.ExitWhenIdle = b, time.Second
		begun := time.Now()
		if err := New(cfg).Run(t.Context()); err != nil {
			t.Error(err)
		}
		took, best := w.lastResult(t).Sub(begun), outage+2*n*time.Second/limit
		t.Logf("took %s, at the limit it takes %s", took, best)
		if took > best+7*time.Second {
			t.Errorf("took %s, at the limit it takes %s", took, best)
		}
	})
}

// slowBucket takes as long for a copy, however many there are.
type slowBucket struct {
	*memBucket
	latency time.Duration
}

func (b slowBucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	_ = retry.Sleep(ctx, b.latency)
	return b.memBucket.CopyObject(ctx, src, dst, ifMatch)
}

// TestReceivesAhead: where the queue takes as long as the bucket, the next messages are on their
// way while copies are made.
func TestReceivesAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, slots, latency = 3200, 64, 40 * time.Millisecond
		tasks := make([]messages.Task, n)
		for i := range tasks {
			tasks[i] = taskOf(i, messages.Copy)
		}
		w := newWorld(t, tasks...)
		w.tasks.latency = latency
		cfg := w.config()
		cfg.Bucket, cfg.Concurrency, cfg.ExitWhenIdle = slowBucket{w.bucket, latency}, slots, time.Second
		begun := time.Now()
		if err := New(cfg).Run(t.Context()); err != nil {
			t.Error(err)
		}
		// One after the other, receives and copies would take 4 s.
		if took := w.lastResult(t).Sub(begun); took > 3800*time.Millisecond {
			t.Errorf("%d copies by %d slots took %s, at %s each for the copy and its receive", n, slots, took, latency)
		}
	})
}

// countingBucket counts the copies at a time.
type countingBucket struct {
	slowBucket
	now, most atomic.Int64
}

func (b *countingBucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	now := b.now.Add(1)
	defer b.now.Add(-1)
	for most := b.most.Load(); now > most && !b.most.CompareAndSwap(most, now); most = b.most.Load() {
	}
	return b.slowBucket.CopyObject(ctx, src, dst, ifMatch)
}

// Concurrency is how many copies are made at a time, and no more than half as many messages again
// wait for their turn.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slots = 40
		tasks := make([]messages.Task, 1000)
		for i := range tasks {
			tasks[i] = taskOf(i, messages.Copy)
		}
		w := newWorld(t, tasks...)
		b := &countingBucket{slowBucket: slowBucket{w.bucket, time.Second}}
		cfg := w.config()
		cfg.Bucket, cfg.Concurrency, cfg.ExitWhenIdle = b, slots, 5*time.Second
		r := runWorker(t, cfg)
		after(500 * time.Millisecond)
		if n := r.Stats().Received; n < slots || n > slots*3/2 {
			t.Errorf("%d messages received for %d slots", n, slots)
		}
		r.wait(t)
		if b.most.Load() != slots {
			t.Errorf("%d copies at a time, want %d", b.most.Load(), slots)
		}
	})
}
