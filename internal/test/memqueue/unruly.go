package memqueue

import "time"

// Next is when the next message can be received, now or later; false when there is none.
func (q *Queue) Next() (at time.Time, ok bool) {
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	for _, m := range q.kept {
		if !ok || m.visible.Before(at) {
			at, ok = m.visible, true
		}
	}
	return at, ok
}

// Bodies returns the bodies of all messages in the queue, in flight or not, oldest first.
func (q *Queue) Bodies() (all []string) {
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	for _, m := range q.kept {
		all = append(all, m.entry.Body)
	}
	return all
}

// Redeliver makes all messages in flight visible, and returns their number. It simulates
// at-least-once delivery.
func (q *Queue) Redeliver() (n int) {
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	for _, m := range q.kept {
		if m.inFlight() {
			m.visible = time.Time{}
			n++
		}
	}
	close(q.wake)
	q.wake = make(chan struct{})
	return n
}

// Haunt sends all deleted messages again, and returns their number. In SQS this happens when a
// server that has a copy was unavailable at the delete.
func (q *Queue) Haunt() int {
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	ghosts := q.gone
	q.gone = nil
	for _, m := range ghosts {
		q.server.sent++
		q.put(&message{id: q.server.sent, entry: m.entry, receives: m.receives})
	}
	return len(ghosts)
}
