package tracker

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// scriptedQueue gives messages in the order of their sending, and counts receives.
type scriptedQueue struct {
	Receiver
	mu       sync.Mutex
	waiting  []queue.Message
	receives int
	fails    int // from this receive on, when it is not 0
}

var errReceive = errors.New("no answer")

func (q *scriptedQueue) send(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range n {
		q.waiting = append(q.waiting, queue.Message{ID: strconv.Itoa(len(q.waiting))})
	}
}

// ReceiveMessage looks every 100 ms until its wait is over.
func (q *scriptedQueue) ReceiveMessage(_ context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.receives++
	if q.fails > 0 && q.receives >= q.fails {
		return nil, errReceive
	}
	for end := time.Now().Add(wait); len(q.waiting) == 0 && time.Now().Before(end); {
		q.mu.Unlock()
		<-time.After(100 * time.Millisecond)
		q.mu.Lock()
	}
	got := q.waiting[:min(most, len(q.waiting))]
	q.waiting = slices.Clone(q.waiting[len(got):])
	return got, nil
}

// What a drain gives, and how many receives it takes, by what the window in progress has received.
func TestDrain(t *testing.T) {
	const length = time.Second
	for _, test := range []struct {
		name           string
		window         bool
		before, during int           // messages that come before and during the window
		pause          time.Duration // from the window's begin to the drain
		after          int           // messages that come right before the drain
		want           int
		receives       int // of the drain
	}{
		{name: "no window, empty queue", receives: 1},
		{name: "no window", after: 3, want: 3, receives: 1},
		{name: "a window in progress, empty queue", window: true, pause: length / 2},
		{name: "a window in progress", window: true, pause: length / 2, after: 3, want: 3, receives: 1},
		{name: "a window that has ended empty", window: true, pause: 2 * length, after: 3, want: 3, receives: 1},
		{name: "a window that has ended empty, and still nothing", window: true, pause: 2 * length, receives: 1},
		{name: "a window that has ended with messages", window: true, before: 2, pause: 2 * length, after: 3, want: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &scriptedQueue{}
				r := &backgroundReceiver{queue: q}
				q.send(test.before)
				if test.window {
					r.begin(t.Context(), &window{wait: length, until: time.Now().Add(length), most: 1})
				}
				<-time.After(test.pause)
				q.mu.Lock()
				begun := q.receives
				q.mu.Unlock()
				q.send(test.after)
				got, err := r.drain(t.Context(), length)
				if err != nil || len(got) != test.want || q.receives-begun != test.receives || r.hasWindow() {
					t.Errorf("%d messages by %d receives, want %d by %d: %v", len(got), q.receives-begun, test.want, test.receives, err)
				}
			})
		})
	}
}

// A window that fails gives what it has received, and the error.
func TestWindowThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &scriptedQueue{fails: 2}
		q.send(queue.MaxBatch)
		r := &backgroundReceiver{queue: q}
		r.begin(t.Context(), &window{wait: time.Second, until: time.Now().Add(time.Second), most: 1})
		got, err := r.take()
		if len(got) != queue.MaxBatch || !errors.Is(err, errReceive) {
			t.Errorf("%d messages, %v", len(got), err)
		}
	})
}

// A full queue is received from by several polls at once, until a window has enough.
func TestWindowEndsWhenItHasEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &scriptedQueue{}
		q.send(3 * maxReceived)
		r := &backgroundReceiver{queue: q}
		r.begin(t.Context(), &window{wait: time.Second, until: time.Now().Add(time.Hour), most: maxPolls})
		got, err := r.take()
		if err != nil || len(got) < maxReceived || len(got) >= maxReceived+maxPolls*queue.MaxBatch {
			t.Errorf("%d messages, %v", len(got), err)
		}
	})
}
