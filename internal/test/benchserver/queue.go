package benchserver

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// queue is one standard queue. Messages are received in the order in which they became visible.
type queue struct {
	name string

	mu         sync.Mutex
	attributes map[string]string // as the client set them
	visibility time.Duration
	maxReceive int // of the redrive policy; 0: none
	deadTarget string

	messages map[uint64]*message // all messages that are not deleted
	visible  []*message          // some may have been deleted since
	first    int                 // index of the first message in visible
	hidings  hidings
	hidden   int             // number of hidden messages
	polls    []chan struct{} // of waiting receives, the oldest first
}

func newQueue(name string) *queue {
	return &queue{name: name, messages: map[uint64]*message{}}
}

// push makes new messages visible.
func (q *queue) push(messages ...*message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range messages {
		q.messages[m.id] = m
	}
	q.show(messages...)
}

func (q *queue) show(messages ...*message) {
	q.visible = append(q.visible, messages...)
	q.wake(len(messages))
}

// wake makes this number of polls try again.
func (q *queue) wake(polls int) {
	for ; polls > 0 && len(q.polls) > 0; polls-- {
		close(q.polls[0])
		q.polls = q.polls[1:]
	}
}

// received is a message with the receipt of one receive.
type received struct {
	*message
	receipt string
	count   int
}

// receive hides up to limit messages for the visibility timeout, and waits for the first of them if
// necessary. The messages in over have exceeded the redrive policy and move to the dead-letter
// queue.
func (q *queue) receive(ctx context.Context, limit int, wait, visibility time.Duration) (got []received, over []*message) {
	deadline := time.Now().Add(wait)
	for {
		poll, until := q.try(&got, &over, limit, visibility, deadline)
		if poll == nil {
			return got, over
		}
		timer := time.NewTimer(time.Until(until))
		select {
		case <-poll:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		q.leave(poll)
		if ctx.Err() != nil {
			return nil, over
		}
	}
}

// try receives visible messages. When there are none, it returns a poll to wait for, at most until
// the next hidden message may become visible.
func (q *queue) try(
	got *[]received, over *[]*message, limit int, visibility time.Duration, deadline time.Time,
) (poll chan struct{}, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.expire(now)
	for len(*got) < limit {
		m := q.pop()
		if m == nil {
			break
		}
		if q.maxReceive > 0 && m.receives >= q.maxReceive {
			delete(q.messages, m.id)
			*over = append(*over, m)
			continue
		}
		m.receives++
		q.hide(m, now.Add(visibility))
		*got = append(*got, received{m, m.receipt(), m.receives})
	}
	if len(*got) > 0 || !now.Before(deadline) {
		return nil, now
	}
	poll, until = make(chan struct{}), deadline
	q.polls = append(q.polls, poll)
	if len(q.hidings) > 0 && q.hidings[0].until.Before(until) {
		until = q.hidings[0].until
	}
	return poll, until
}

// leave ends a poll. A poll that was woken and does not try again passes the wake to another one.
func (q *queue) leave(poll chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, p := range q.polls {
		if p == poll {
			q.polls = append(q.polls[:i:i], q.polls[i+1:]...)
			return
		}
	}
	q.wake(1)
}

func (q *queue) expire(now time.Time) {
	for m := q.hidings.expired(now); m != nil; m = q.hidings.expired(now) {
		q.unhide(m)
	}
}

func (q *queue) hide(m *message, until time.Time) {
	if !m.hidden {
		q.hidden++
	}
	m.hidden, m.until = true, until
	heap.Push(&q.hidings, hiding{until, m})
}

func (q *queue) unhide(m *message) {
	m.hidden = false
	q.hidden--
	q.show(m)
}

// pop removes and returns the first visible message, or nil.
func (q *queue) pop() *message {
	for q.first < len(q.visible) {
		m := q.visible[q.first]
		q.visible[q.first] = nil
		q.first++
		if 2*q.first > len(q.visible) {
			q.visible = append(q.visible[:0], q.visible[q.first:]...)
			q.first = 0
		}
		if !m.gone {
			return m
		}
	}
	return nil
}

// delete deletes a message by the receipt of any of its receives. A message that is already deleted
// is not an error.
func (q *queue) delete(receipt string) *failure {
	id, _, ok := parseReceipt(receipt)
	if !ok {
		return receiptInvalid
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if m := q.messages[id]; m != nil {
		q.remove(m)
	}
	return nil
}

func (q *queue) remove(m *message) {
	delete(q.messages, m.id)
	m.gone = true
	if m.hidden {
		q.hidden--
	}
}

// changeVisibility hides a received message for a new time from now.
func (q *queue) changeVisibility(receipt string, timeout time.Duration) *failure {
	id, receives, ok := parseReceipt(receipt)
	if !ok {
		return receiptInvalid
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.expire(now)
	m := q.messages[id]
	switch {
	case m == nil:
		return messageGone
	case !m.hidden || m.receives != receives:
		return notInFlight
	case timeout == 0:
		m.until = now // the present hiding is no longer valid
		q.unhide(m)
		return nil
	}
	q.hide(m, now.Add(timeout))
	q.wake(len(q.polls)) // the next message may now become visible earlier than the polls expect
	return nil
}

func (q *queue) purge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.messages {
		q.remove(m)
	}
	q.visible, q.first = nil, 0
}

// counts returns the numbers of the queue's visible and hidden messages.
func (q *queue) counts() (visible, hidden int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expire(time.Now())
	return len(q.messages) - q.hidden, q.hidden
}
