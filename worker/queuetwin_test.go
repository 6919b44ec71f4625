package worker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/messages"
)

// memQueue is a queue in memory, with SQS's visibility timeout and receive count.
type memQueue struct {
	latency     time.Duration
	visibility  time.Duration
	maxReceives int
	fail        func(op string) error

	mu       sync.Mutex
	messages []*memMessage
	sent     []queue.Entry
	lastSent time.Time
	calls    map[string]int
	arrived  chan struct{}
	extended []time.Duration // of every ChangeMessageVisibilityBatch, one a receipt
}

type memMessage struct {
	body     string
	receives int
	visible  time.Time
	gone     bool
}

func newQueue(bodies ...string) *memQueue {
	q := &memQueue{visibility: 60 * time.Second, calls: map[string]int{}, arrived: make(chan struct{}, 1)}
	for _, body := range bodies {
		q.messages = append(q.messages, &memMessage{body: body})
	}
	return q
}

func (q *memQueue) enter(ctx context.Context, op string) error {
	q.mu.Lock()
	q.calls[op]++
	q.mu.Unlock()
	if retry.Sleep(ctx, q.latency) != nil {
		return ctx.Err()
	}
	if q.fail != nil {
		return q.fail(op)
	}
	return nil
}

func (q *memQueue) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	if err := q.enter(ctx, "SendMessageBatch"); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lastSent = time.Now()
	for _, e := range entries {
		q.sent = append(q.sent, e)
		q.messages = append(q.messages, &memMessage{body: e.Body})
	}
	select {
	case q.arrived <- struct{}{}:
	default:
	}
	return nil, nil
}

func (q *memQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	if err := q.enter(ctx, "ReceiveMessage"); err != nil {
		return nil, err
	}
	for until := time.Now().Add(wait); ; {
		if msgs := q.take(most); len(msgs) > 0 || !time.Now().Before(until) {
			return msgs, nil
		}
		// A message may become visible without a signal.
		timer := time.NewTimer(min(100*time.Millisecond, time.Until(until)))
		select {
		case <-q.arrived:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (q *memQueue) take(most int) (msgs []queue.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	for i, m := range q.messages {
		if len(msgs) == most {
			break
		}
		if m.gone || now.Before(m.visible) {
			continue
		}
		m.receives++
		m.visible = now.Add(q.visibility)
		msgs = append(msgs, queue.Message{ID: fmt.Sprint(i), Body: m.body, Receipt: fmt.Sprintf("%d:%d", i, m.receives), ReceiveCount: m.receives})
	}
	return msgs
}

// each does something with the message of each receipt that is still good.
func (q *memQueue) each(receipts []string, do func(*memMessage)) (failed []queue.Failure) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for n, r := range receipts {
		var i, receives int
		if _, err := fmt.Sscanf(r, "%d:%d", &i, &receives); err != nil || q.messages[i].receives != receives || q.messages[i].gone {
			failed = append(failed, queue.Failure{Index: n, Code: "ReceiptHandleIsInvalid", SenderFault: true})
			continue
		}
		do(q.messages[i])
	}
	return failed
}

func (q *memQueue) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	if err := q.enter(ctx, "DeleteMessageBatch"); err != nil {
		return nil, err
	}
	return q.each(receipts, func(m *memMessage) { m.gone = true }), nil
}

func (q *memQueue) ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error) {
	if err := q.enter(ctx, "ChangeMessageVisibilityBatch"); err != nil {
		return nil, err
	}
	return q.each(receipts, func(m *memMessage) {
		m.visible = time.Now().Add(timeout)
		q.extended = append(q.extended, timeout)
	}), nil
}

func (q *memQueue) GetQueueAttributes(context.Context) (queue.Attributes, error) {
	return queue.Attributes{VisibilityTimeout: q.visibility, MaxReceiveCount: q.maxReceives}, nil
}

// left counts the messages that have not been deleted, and those of them that could be received
// now.
func (q *memQueue) left() (all, visible int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.messages {
		if m.gone {
			continue
		}
		all++
		if !time.Now().Before(m.visible) {
			visible++
		}
	}
	return all, visible
}

// results are those that were sent, in their order.
func (q *memQueue) results(t testing.TB) (all []messages.Result) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.sent {
		r, err := messages.ParseResults(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Results...)
	}
	return all
}

var layout = dataset.Layout{Prefix: "tuttle_twins"}

const episode = dataset.Episode("S01E01")
