package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// slotWait is how long reserve waits for all the slots, because a receive of one message costs as
// much as one of ten.
const slotWait = 20 * time.Millisecond

// inFlight holds the messages in flight: received, and not yet acknowledged or returned. Each task
// has a slot until it is copied.
type inFlight struct {
	slots int           // tasks at a time that are not copied yet
	most  int           // messages at a time
	freed chan struct{} // wakes reserve
	// Holds an element while a poller reserves, so that one poller gets ten slots and not ten
	// pollers one each.
	turn chan struct{}

	mu       sync.Mutex
	messages map[*delivery]struct{}
	expected int       // messages that receives under way may bring
	taken    int       // slots
	number   int64     // of the last message
	emptied  time.Time // when the last message was removed
}

// reserve takes up to want slots for a receive. It waits a moment for all of them, then for one. It
// returns 0 when ctx has ended.
func (f *inFlight) reserve(ctx context.Context, want int) int {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	defer func() { <-f.turn }()
	timer := time.NewTimer(slotWait)
	defer timer.Stop()
	for least := want; ctx.Err() == nil; {
		if n := f.take(want, least); n > 0 {
			return n
		}
		select {
		case <-f.freed:
		case <-timer.C:
			least = 1
		case <-ctx.Done():
		}
	}
	return 0
}

// take takes up to want slots, or none when fewer than least are free.
func (f *inFlight) take(want, least int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(want, f.slots-f.taken, f.most-f.expected-len(f.messages))
	if n < min(least, f.slots) {
		return 0
	}
	f.taken += n
	f.expected += n
	return n
}

// add adds the messages of a receive for which slots were reserved, and frees the slots that no
// task has.
func (f *inFlight) add(batch []*delivery, slots int) {
	f.mu.Lock()
	f.expected -= slots
	f.taken -= slots
	for _, d := range batch {
		if d.invalid == nil {
			f.taken++
		}
		f.number++
		d.number, d.extended = f.number, d.received
		f.messages[d] = struct{}{}
	}
	f.mu.Unlock()
	f.wake()
}

// endTurn frees the task's turn and slot for another task. The task's message stays in flight.
func (w *Worker) endTurn() {
	<-w.turns
	w.inFlight.mu.Lock()
	w.inFlight.taken--
	w.inFlight.mu.Unlock()
	w.inFlight.wake()
}

// remove removes a message, if it has not been removed before.
func (f *inFlight) remove(d *delivery) {
	f.mu.Lock()
	delete(f.messages, d)
	// A worker that only returns messages of another environment is idle.
	if len(f.messages) == 0 && !d.foreign() {
		f.emptied = time.Now()
	}
	f.mu.Unlock()
	f.wake()
}

func (f *inFlight) wake() {
	select {
	case f.freed <- struct{}{}:
	default: // a wake-up is already waiting
	}
}

func (f *inFlight) size() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.messages)
}

// idleSince returns since when no message is in flight, or the zero time before the first message.
func (f *inFlight) idleSince() (since time.Time, idle bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.emptied, len(f.messages) == 0
}

// heartbeat extends the visibility timeout of each message in flight when about half of it is over.
// It looks eight times a timeout.
func (w *Worker) heartbeat(ctx context.Context) {
	tick := time.NewTicker(w.cfg.Visibility / 8)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			w.extendOld(ctx, now)
		}
	}
}

func (w *Worker) extendOld(ctx context.Context, now time.Time) {
	age := w.cfg.Visibility * 3 / 8 // at the next look they would be older than half
	var requests errgroup.Group
	requests.SetLimit(8)
	for tens := range slices.Chunk(w.inFlight.markExtended(now, age), queue.MaxBatch) {
		requests.Go(func() error {
			for _, d := range w.extend(ctx, tens) {
				w.inFlight.unmarkExtended(d, age)
			}
			return nil
		})
	}
	_ = requests.Wait() // the next look repeats what failed
}

// markExtended returns the messages whose visibility timeout began at least age ago, and marks them
// as extended now.
func (f *inFlight) markExtended(now time.Time, age time.Duration) []*delivery {
	f.mu.Lock()
	defer f.mu.Unlock()
	var old []*delivery
	for d := range f.messages {
		if now.Sub(d.extended) >= age {
			d.extended = now
			old = append(old, d)
		}
	}
	return old
}

// unmarkExtended undoes markExtended for a message whose extension failed.
func (f *inFlight) unmarkExtended(d *delivery, age time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d.extended = d.extended.Add(-age)
}
