package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/messages"
)

// refusingBucket is a bucket with a limit on its writes, as S3's: each key of a DeleteObjects counts, and is refused alone.
type refusingBucket struct {
	*memBucket
	limit *limited
	lock  chan struct{}
}

func (b refusingBucket) take() bool {
	b.lock <- struct{}{}
	defer func() { <-b.lock }()
	return b.limit.take()
}

func (b refusingBucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	if !b.take() {
		sleep(ctx, b.latency, nil)
		return "", s3Error("CopyObject", bucket.CodeSlowDown, 503)
	}
	return b.memBucket.CopyObject(ctx, src, dst, ifMatch)
}

func (b refusingBucket) DeleteObjects(ctx context.Context, keys []string) (refused []*bucket.Error, err error) {
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

// The whole worker, not only its limiter, keeps a bucket of 3,500 writes a second busy and is hardly ever refused.
func TestRunAtALimit(t *testing.T) {
	for _, op := range []messages.Op{messages.Copy, messages.Move, messages.Delete} {
		t.Run(string(op), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n, limit = 20_000, 3500
				tasks := make([]messages.Task, n)
				for i := range tasks {
					tasks[i] = taskOf(i, op)
				}
				w := newWorld(t, tasks...)
				w.bucket.latency, w.tasks.latency, w.results.latency = 40*time.Millisecond, 10*time.Millisecond, 10*time.Millisecond
				b := refusingBucket{w.bucket, newLimited(0, limit, 350, 0), make(chan struct{}, 1)}
				cfg := w.config()
				cfg.Bucket = b
				cfg.ExitWhenIdle = time.Second
				begun := time.Now()
				r := runWorker(t, cfg)
				r.wait(t)
				took := w.lastResult(t).Sub(begun)
				writes := n
				if op == messages.Move {
					writes = 2 * n
				}
				if best := time.Duration(float64(writes) / limit * float64(time.Second)); took > best*105/100+time.Second {
					t.Errorf("took %s, at the limit it takes %s", took, best)
				}
				if refused := b.limit.refused; refused > writes*2/100 {
					t.Errorf("%d of %d refused", refused, writes)
				}
				if got := len(w.results.results(t)); got != n {
					t.Errorf("%d results", got)
				}
			})
		})
	}
}
