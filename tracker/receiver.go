package tracker

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

const (
	// maxPolls receives are in flight at once while a queue gives full batches.
	maxPolls = 8
	// maxReceived messages of a queue are processed between two saves of the ledger. With 100
	// results in a message that is far above what a bucket takes in a second.
	maxReceived = 1000
	// receiveSlack is how much longer than its wait a receive may take before it is cut off.
	receiveSlack = 20 * time.Second
)

// backgroundReceiver receives from a queue in the background, for one window at a time. One
// goroutine owns it.
type backgroundReceiver struct {
	queue  Receiver
	window *window   // begin sets it, take clears it
	rests  time.Time // no window is due before; the owner sets it
}

// begin begins a window. There must be none.
func (r *backgroundReceiver) begin(ctx context.Context, w *window) {
	w.queue, w.ended = r.queue, make(chan struct{})
	r.window = w
	w.mu.Lock()
	w.startPoll(ctx, false)
	w.mu.Unlock()
	go func() {
		defer close(w.ended)
		w.err = w.polls.Wait()
	}()
}

// hasWindow reports whether a window has begun whose messages are not taken yet.
func (r *backgroundReceiver) hasWindow() bool { return r.window != nil }

// hasEnded reports whether the window has ended.
func (r *backgroundReceiver) hasEnded() bool {
	select {
	case <-r.window.ended:
		return true
	default:
		return false
	}
}

// take waits for the end of the window and returns its messages, also after an error.
func (r *backgroundReceiver) take() ([]queue.Message, error) {
	w := r.window
	r.window = nil
	<-w.ended
	return w.received, w.err
}

// drain returns what the queue holds now, up to maxReceived messages. None means that the queue is
// drained. It does not wait longer than a queue does by itself.
func (r *backgroundReceiver) drain(ctx context.Context, limit time.Duration) ([]queue.Message, error) {
	if r.window != nil {
		old := r.hasEnded() // an empty window that has ended proves nothing about now
		got, err := r.take()
		if !old || len(got) > 0 || err != nil {
			return got, err
		}
	}
	r.begin(ctx, &window{until: time.Now().Add(limit), most: maxPolls, endsEarly: true})
	return r.take()
}

// window is a time in which one queue is received from: until a moment, or until enough has come.
type window struct {
	wait      time.Duration // of one receive
	until     time.Time
	endsEarly bool // it ends with the first batch that is not full
	most      int  // receives in flight

	queue    Receiver
	polls    errgroup.Group
	mu       sync.Mutex
	running  int             // guarded by mu
	received []queue.Message // guarded by mu until the window has ended
	ended    chan struct{}
	err      error // set before ended is closed
}

// startPoll starts one more goroutine that receives. w.mu is held.
func (w *window) startPoll(ctx context.Context, extra bool) {
	w.running++
	w.polls.Go(func() error { return w.poll(ctx, extra) })
}

// poll receives until the window ends. An extra poll ends with its first batch that is not full.
func (w *window) poll(ctx context.Context, extra bool) error {
	for wait := w.wait; ; {
		batch, err := receiveBatch(ctx, w.queue, wait)
		if err != nil {
			return err
		}
		if w.endsEarly {
			wait = 0 // only for what has come already
		}
		full := len(batch) == queue.MaxBatch
		if w.add(ctx, batch, full) || extra && !full {
			return nil
		}
	}
}

// add keeps a batch, starts one more poll when it was full, and reports whether the window ends.
func (w *window) add(ctx context.Context, batch []queue.Message, full bool) (ends bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.received = append(w.received, batch...)
	ends = len(w.received) >= maxReceived || w.endsEarly && !full || !time.Now().Before(w.until) || ctx.Err() != nil
	if full && !ends && w.running < w.most {
		w.startPoll(ctx, true)
	}
	return ends
}

// receiveBatch receives once. The end of ctx does not cut off a receive, which would hide messages
// for the visibility timeout.
func receiveBatch(ctx context.Context, q Receiver, wait time.Duration) ([]queue.Message, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait+receiveSlack)
	defer cancel()
	return q.ReceiveMessage(ctx, queue.MaxBatch, wait)
}
