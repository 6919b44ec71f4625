package queuetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// testConsumers: a message is in the hand of one consumer from its receive to its delete.
func testConsumers(t *testing.T, s Server) {
	const consumers, count = 4, 120
	name := newName()
	if err := s.Setup(t.Context(), queue.Spec{Name: name, VisibilityTimeout: 10 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	bodies := make([]string, count)
	for i := range bodies {
		bodies[i] = strconv.Itoa(i)
	}
	send(t, openQueue(t, s, name), bodies...)

	var mu sync.Mutex
	held := make(map[string]bool)
	consume := func(ctx context.Context, q Queue) error {
		for {
			messages, err := q.ReceiveMessage(ctx, queue.MaxBatch, 0)
			if err != nil || len(messages) == 0 {
				return err
			}
			mu.Lock()
			for _, m := range messages {
				if held[m.Body] {
					t.Errorf("%s is in two hands", m.Body)
				}
				held[m.Body] = true
			}
			mu.Unlock()
			if failed, err := q.DeleteMessageBatch(ctx, receipts(messages)); err != nil || len(failed) > 0 {
				return errors.Join(err, errors.New("deletes failed"))
			}
		}
	}
	g, ctx := errgroup.WithContext(t.Context())
	for range consumers {
		q := openQueue(t, s, name)
		g.Go(func() error { return consume(ctx, q) })
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if len(held) != count {
		t.Errorf("%d messages received, want %d", len(held), count)
	}
}

// arrival is the result of a receive in the background, with its time.
type arrival struct {
	messages []queue.Message
	err      error
	at       time.Time
}

func receiveLater(ctx context.Context, q Queue, wait time.Duration) <-chan arrival {
	arrivals := make(chan arrival, 1)
	go func() {
		messages, err := q.ReceiveMessage(ctx, queue.MaxBatch, wait)
		arrivals <- arrival{messages, err, time.Now()}
	}()
	return arrivals
}

func testLongPoll(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{})
	arrivals := receiveLater(t.Context(), q, queue.MaxWait)
	select {
	case a := <-arrivals:
		t.Fatalf("the long poll of an empty queue ended with %+v", a)
	case <-time.After(500 * time.Millisecond): // it is certainly waiting now
	}
	start := time.Now()
	send(t, q, "a")
	sent := time.Now()
	a := <-arrivals
	if a.err != nil || len(a.messages) != 1 {
		t.Fatalf("received %+v, error %v; want one message", a.messages, a.err)
	}
	if late := a.at.Sub(sent); late > time.Second {
		t.Errorf("received %s after it was sent (which took %s), want at most 1s", late, sent.Sub(start))
	}
}

func testEmptyPoll(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{})
	start := time.Now()
	wantNone(t, q, time.Second)
	if took := time.Since(start); took < 900*time.Millisecond {
		t.Errorf("a long poll of 1s took %s", took)
	}
}

func testCancel(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{})
	ctx, cancel := context.WithCancel(t.Context())
	arrivals := receiveLater(ctx, q, queue.MaxWait)
	time.AfterFunc(200*time.Millisecond, cancel)
	select {
	case a := <-arrivals:
		if !errors.Is(a.err, context.Canceled) {
			t.Errorf("received %+v, error %v; want %v", a.messages, a.err, context.Canceled)
		}
	case <-time.After(enough):
		t.Errorf("the long poll went on after its context had ended")
	}
}

func testCounts(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: time.Minute})
	wantCounts(t, q, 0, 0)
	send(t, q, "a", "b", "c")
	wantCounts(t, q, 3, 0)
	m := next(t, q, enough)
	wantCounts(t, q, 2, 1)
	remove(t, q, m)
	wantCounts(t, q, 2, 0)
}

func testPurge(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: time.Minute})
	send(t, q, "a", "b", "c")
	held := next(t, q, enough)
	if err := q.PurgeQueue(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, q, 0, 0)
	remove(t, q, held) // already deleted, which is not a failure
	send(t, q, "d")
	if m := next(t, q, enough); m.Body != "d" {
		t.Errorf("received %q, want what was sent after the purge", m.Body)
	}
}

// wantCounts repeats the request until the counts are right, because SQS's counts lag.
func wantCounts(t *testing.T, q Queue, visible, inFlight int) {
	t.Helper()
	ask := time.NewTicker(100 * time.Millisecond)
	defer ask.Stop()
	deadline := time.After(enough)
	for {
		a, err := q.GetQueueAttributes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if a.Visible == visible && a.InFlight == inFlight && a.Delayed == 0 {
			return
		}
		select {
		case <-ask.C:
		case <-deadline:
			t.Fatalf("counts %+v, want %d visible and %d in flight", a, visible, inFlight)
		}
	}
}
