package memqueue

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Queue is one queue of a Server, whose lock guards it.
type Queue struct {
	server *Server
	spec   queue.Spec
	kept   []*message // in the order of their sending
	gone   []*message // deleted
	wake   chan struct{}
}

type message struct {
	id       int
	entry    queue.Entry
	receives int
	sent     time.Time
	visible  time.Time
}

func (m *message) inFlight() bool { return time.Now().Before(m.visible) }

func (m *message) receipt() string { return fmt.Sprintf("%d-%d", m.id, m.receives) }

// SendMessageBatch sends the entries that SQS would take. Attributes are kept as they are.
func (q *Queue) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	if err := cmp.Or(queue.CheckSend(entries), ctx.Err()); err != nil {
		return nil, err
	}
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	var failed []queue.Failure
	for i, e := range entries {
		if code, message := queue.Fault(e); code != "" {
			failed = append(failed, queue.Failure{Index: i, Code: code, Message: message, SenderFault: true})
			continue
		}
		q.server.sent++
		q.put(&message{id: q.server.sent, sent: time.Now(), entry: queue.Entry{Body: e.Body, Attributes: maps.Clone(e.Attributes)}})
	}
	return failed, nil
}

// put adds a message and wakes the long polls.
func (q *Queue) put(m *message) {
	q.kept = append(q.kept, m)
	close(q.wake)
	q.wake = make(chan struct{})
}

// ReceiveMessage waits up to wait for a message, and receives the visible ones, oldest first.
func (q *Queue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	if err := queue.CheckReceive(most, wait); err != nil {
		return nil, err
	}
	for until := time.Now().Add(wait); ; {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		got, wake := q.take(most)
		left := time.Until(until)
		if len(got) > 0 || left <= 0 {
			return got, nil
		}
		if next, ok := q.Next(); ok {
			left = min(left, max(time.Until(next), time.Millisecond))
		}
		again := time.NewTimer(left)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-again.C:
		}
		again.Stop()
	}
}

func (q *Queue) take(most int) (got []queue.Message, wake <-chan struct{}) {
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	q.redrive(most)
	for _, m := range q.kept {
		if len(got) == most {
			break
		}
		if m.inFlight() {
			continue
		}
		m.receives++
		m.visible = time.Now().Add(q.spec.Visibility())
		waited := time.Duration(0)
		if m.receives == 1 {
			waited = time.Since(m.sent)
		}
		got = append(got, queue.Message{
			ID: fmt.Sprint(m.id), Body: m.entry.Body, Receipt: m.receipt(), ReceiveCount: m.receives, Waited: waited, Attributes: maps.Clone(m.entry.Attributes),
		})
	}
	return got, q.wake
}

// redrive moves messages that the next receive would receive too often. The move counts as a
// receive.
func (q *Queue) redrive(most int) {
	dead := q.server.queues[q.spec.DeadLetterQueue]
	if dead == nil {
		return
	}
	seen := 0
	q.kept = slices.DeleteFunc(q.kept, func(m *message) bool {
		if m.inFlight() || seen == most {
			return false
		}
		if m.receives < q.spec.MaxReceiveCount {
			seen++
			return false
		}
		m.visible = time.Time{}
		dead.put(m)
		return true
	})
}

// DeleteMessageBatch deletes messages. The receipt of an earlier receive deletes nothing, and this
// is not a failure.
func (q *Queue) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	return q.batch(ctx, receipts, func(m *message, last bool) *queue.Failure {
		if m != nil && last {
			q.kept = slices.DeleteFunc(q.kept, func(o *message) bool { return o == m })
			q.gone = append(q.gone, m)
		}
		return nil
	})
}

// ChangeMessageVisibilityBatch restarts the visibility timeout of messages in flight.
func (q *Queue) ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error) {
	if err := queue.CheckVisibility(timeout); err != nil {
		return nil, err
	}
	return q.batch(ctx, receipts, func(m *message, last bool) *queue.Failure {
		if m == nil || !last || !m.inFlight() {
			return &queue.Failure{Code: queue.CodeNotInFlight, Message: "the message is not in flight by this receipt", SenderFault: true}
		}
		m.visible = time.Now().Add(timeout)
		if timeout == 0 {
			close(q.wake)
			q.wake = make(chan struct{})
		}
		return nil
	})
}

// batch calls do for the message of each receipt. m is nil when the message no longer exists. last
// means that the receipt is from the last receive.
func (q *Queue) batch(ctx context.Context, receipts []string, do func(m *message, last bool) *queue.Failure) (failed []queue.Failure, err error) {
	if err := cmp.Or(queue.CheckCount(len(receipts)), ctx.Err()); err != nil {
		return nil, err
	}
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	for i, r := range receipts {
		var id, receives int
		f := &queue.Failure{Code: queue.CodeInvalidReceipt, Message: fmt.Sprintf("%.40q is no receipt", r), SenderFault: true}
		if _, err := fmt.Sscanf(r, "%d-%d", &id, &receives); err == nil {
			m := q.find(id)
			f = do(m, m != nil && m.receives == receives)
		}
		if f != nil {
			f.Index = i
			failed = append(failed, *f)
		}
	}
	return failed, nil
}

func (q *Queue) find(id int) *message {
	if i := slices.IndexFunc(q.kept, func(m *message) bool { return m.id == id }); i >= 0 {
		return q.kept[i]
	}
	return nil
}

// GetQueueAttributes returns exact counts.
func (q *Queue) GetQueueAttributes(ctx context.Context) (queue.Attributes, error) {
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	a := queue.Attributes{
		VisibilityTimeout: q.spec.Visibility(), MaxReceiveCount: q.spec.MaxReceiveCount, DeadLetterQueue: q.spec.DeadLetterQueue,
	}
	for _, m := range q.kept {
		if m.inFlight() {
			a.InFlight++
		} else {
			a.Visible++
		}
	}
	return a, ctx.Err()
}

// PurgeQueue deletes all messages, including those in flight.
func (q *Queue) PurgeQueue(ctx context.Context) error {
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	q.gone = append(q.gone, q.kept...)
	q.kept = nil
	return ctx.Err()
}
