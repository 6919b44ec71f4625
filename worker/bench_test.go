//go:build unix

package worker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// instant is a bucket and queues that answer at once: what is left is the worker's own cost.
type instant struct {
	Pointer
	bodies []string
	next   atomic.Int64
	acked  atomic.Int64
	done   chan struct{}
}

func (i *instant) CopyObject(_ context.Context, _, _, ifMatch string) (string, error) {
	return ifMatch, nil
}
func (i *instant) DeleteObjects(context.Context, []string) ([]*bucket.Error, error) { return nil, nil }
func (i *instant) HeadObject(context.Context, string) (bucket.Object, error) {
	return bucket.Object{}, nil
}

func (i *instant) SendMessageBatch(context.Context, []queue.Entry) ([]queue.Failure, error) {
	return nil, nil
}

func (i *instant) ReceiveMessage(_ context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	end := i.next.Add(int64(most))
	first := end - int64(most)
	if first >= int64(len(i.bodies)) {
		select {
		case <-i.done:
		case <-time.After(wait):
		}
		return nil, nil
	}
	var msgs []queue.Message
	for n := first; n < min(end, int64(len(i.bodies))); n++ {
		msgs = append(msgs, queue.Message{Body: i.bodies[n], Receipt: "receipt", ReceiveCount: 1})
	}
	return msgs, nil
}

func (i *instant) DeleteMessageBatch(_ context.Context, receipts []string) ([]queue.Failure, error) {
	if i.acked.Add(int64(len(receipts))) == int64(len(i.bodies)) {
		close(i.done)
	}
	return nil, nil
}

func (i *instant) ChangeMessageVisibilityBatch(context.Context, []string, time.Duration) ([]queue.Failure, error) {
	return nil, nil
}

func (i *instant) GetQueueAttributes(context.Context) (queue.Attributes, error) {
	return queue.Attributes{VisibilityTimeout: time.Minute}, nil
}

// BenchmarkRun is the whole pipeline with nothing behind it, per task: the wall time, and the CPU
// of all of its goroutines.
func BenchmarkRun(b *testing.B) {
	for _, op := range []messages.Op{messages.Copy, messages.Move} {
		b.Run(string(op), func(b *testing.B) {
			w := newWorld(b)
			ports := &instant{Pointer: w.store, done: make(chan struct{})}
			for i := range b.N {
				ports.bodies = append(ports.bodies, taskOf(i%86_400, op).Encode())
			}
			cfg := Config{ID: "bench", Layout: layout, Bucket: ports, Tasks: ports, Results: ports, DeadLetters: ports, Pointer: ports, Poll: time.Millisecond}
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			b.ReportAllocs()
			b.ResetTimer()
			begun := cpu()
			var ended sync.WaitGroup
			ended.Go(func() {
				if err := New(cfg).Run(ctx); err != nil {
					b.Error(err)
				}
			})
			<-ports.done
			b.StopTimer()
			b.ReportMetric(float64((cpu()-begun).Microseconds())/float64(b.N), "cpu-µs/op")
			cancel()
			ended.Wait()
		})
	}
}

func cpu() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(fmt.Sprintf("getrusage: %v", err))
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
