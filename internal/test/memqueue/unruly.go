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

// Bodies are those of the messages in the queue, in flight or not, oldest first.
func (q *Queue) Bodies() (all []string) {
	q.server.mu.Lock()
	defer q.server.mu.Unlock()
	for _, m := range q.kept {
		all = append(all, m.entry.Body)
	}
	return all
}

// Redeliver makes everything visible that is in flight, and says how much that is: SQS delivers at least once.
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

// Haunt sends everything once more that was ever deleted, and says how much that is: a server of SQS that was away for the delete
// does so with what it has a copy of.
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
