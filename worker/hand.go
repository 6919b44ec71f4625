package worker

import (
	"context"
	"sync"
	"time"
)

// hand is what the worker holds: slots, which cover the work on the bucket, and messages, from the receive until the worker
// lets go of them.
type hand struct {
	slots int
	most  int           // messages at a time
	freed chan struct{} // something was let go
	turn  chan struct{} // held by the poller that takes slots, so that they come in tens and not in ones

	mu       sync.Mutex
	held     map[*delivery]struct{}
	expected int       // messages that are being asked for
	taken    int       // slots
	emptied  time.Time // when the last message was let go
}

func newHand(slots, most int) *hand {
	return &hand{
		slots: slots, most: most, freed: make(chan struct{}, 1), turn: make(chan struct{}, 1),
		held: make(map[*delivery]struct{}, most),
	}
}

// takeWait is how long take waits for all the slots it was asked for. A receive of one message costs as much as one of ten.
const takeWait = 20 * time.Millisecond

// take gets up to want slots, and the right to hold as many messages more. It waits for all of them a moment, then for
// one. It gives 0 when ctx has ended.
func (h *hand) take(ctx context.Context, want int) int {
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	defer func() { <-h.turn }()
	if ctx.Err() != nil {
		return 0
	}
	if n := h.grab(want, want); n > 0 {
		return n
	}
	return h.wait(ctx, want)
}

func (h *hand) wait(ctx context.Context, want int) int {
	timer := time.NewTimer(takeWait)
	defer timer.Stop()
	least := want
	for {
		select {
		case <-h.freed:
		case <-timer.C:
			least = 1
		case <-ctx.Done():
			return 0
		}
		if n := h.grab(want, least); n > 0 {
			return n
		}
	}
}

// grab takes up to want slots, or none when it cannot have least of them.
func (h *hand) grab(want, least int) int {
	slots := h.slots
	h.mu.Lock()
	defer h.mu.Unlock()
	n := min(want, slots-h.taken, h.most-h.expected-len(h.held))
	if n < min(least, slots) {
		return 0
	}
	h.taken += n
	h.expected += n
	return n
}

// receive puts messages in the hand for which slots were taken, and frees the slots that stayed empty.
func (h *hand) receive(batch []*delivery, slots int) {
	h.mu.Lock()
	h.expected -= slots
	h.taken -= slots - len(batch)
	for _, d := range batch {
		d.extended = d.received
		h.held[d] = struct{}{}
	}
	h.mu.Unlock()
	if len(batch) < slots {
		h.signal()
	}
}

// release frees the slot of one message; the message stays in the hand.
func (h *hand) release() {
	h.mu.Lock()
	h.taken--
	h.mu.Unlock()
	h.signal()
}

// drop lets go of a message.
func (h *hand) drop(d *delivery) {
	h.mu.Lock()
	delete(h.held, d)
	if len(h.held) == 0 && !d.foreign { // another environment's messages are nothing to do
		h.emptied = time.Now()
	}
	h.mu.Unlock()
	h.signal()
}

func (h *hand) signal() {
	select {
	case h.freed <- struct{}{}:
	default: // told already
	}
}

func (h *hand) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.held)
}

// idleSince says since when the hand is empty. Before the first message that is the zero time.
func (h *hand) idleSince() (since time.Time, idle bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.emptied, len(h.held) == 0
}

// due gives the messages whose visibility timeout began so long ago, and takes it as begun anew.
func (h *hand) due(now time.Time, age time.Duration) []*delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	var due []*delivery
	for d := range h.held {
		if now.Sub(d.extended) >= age {
			d.extended = now
			due = append(due, d)
		}
	}
	return due
}

// overdue takes back what due assumed of a message: its extension failed, and is to be tried again soon.
func (h *hand) overdue(d *delivery, age time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.extended = d.extended.Add(-age)
}
