package worlds

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// call is one request of a process to a port. It waits until the world decides its fate.
type call struct {
	proc *process
	op   string        // "PutObject", "SendMessageBatch"
	on   string        // key, prefix or queue
	kind kind          // what may happen to it
	what func() string // details that distinguish the call from similar ones, for the story

	apply  func()              // executes the call at the port; sets answer and err
	partly func() (any, error) // like apply, but the first entry fails; or nil
	broken func(error) error   // the port's error for a request without an answer
	ready  func() bool         // reports whether there is something to answer; nil: always
	until  time.Time           // of a receive: the time when an empty answer is due

	answered chan struct{}
	answer   any
	err      error

	cut    bool      // the caller has given up; guarded by world.mu
	held   time.Time // the call waits at least until then
	yields bool      // the call waits while there are others
}

// kind is the kind of a call. It decides which fates are possible.
type kind uint8

const (
	read    kind = iota // of immutable data, so the order of such reads has no effect
	look                // a read of data that other calls change
	write               // to the bucket, or to a queue
	receive             // of messages
	person              // no call to a port: the operator waits for an event
)

var (
	errKilled = errors.New("the process was killed")
	errLost   = errors.New("connection reset by peer")
)

// ask makes a call and waits until the world answers it.
func ask[T any](ctx context.Context, p *process, c call, apply func() (T, error)) (T, error) {
	var none T
	select {
	case <-p.killed:
		return none, c.broken(errKilled)
	default:
	}
	if ctx.Err() != nil {
		return none, c.broken(ctx.Err())
	}
	c.proc, c.answered = p, make(chan struct{})
	c.apply = func() { c.answer, c.err = apply() }
	p.world.arrive(&c)
	select {
	case <-c.answered:
		if c.answer == nil {
			return none, c.err
		}
		return c.answer.(T), c.err
	case <-p.killed:
		return none, c.broken(errKilled)
	case <-ctx.Done():
		p.world.cutOff(&c)
		return none, c.broken(ctx.Err())
	}
}

// arrive adds a call to the new calls of the world.
func (w *world) arrive(c *call) {
	w.mu.Lock()
	w.arrived = append(w.arrived, c)
	w.mu.Unlock()
	w.wake()
}

// cutOff marks a call whose caller no longer waits.
func (w *world) cutOff(c *call) {
	w.mu.Lock()
	c.cut = true
	w.mu.Unlock()
	w.wake()
}

// wake wakes the world while it lets time pass.
func (w *world) wake() {
	select {
	case w.news <- struct{}{}:
	default: // a signal is already pending
	}
}

// collect collects the new calls, in an order that does not depend on the order of goroutines, and
// the cancelled calls. All processes are blocked meanwhile.
func (w *world) collect() {
	select {
	case <-w.news:
	default:
	}
	w.mu.Lock()
	arrived := w.arrived
	w.arrived = nil
	var cut []*call
	w.pending = slices.DeleteFunc(append(w.pending, sorted(arrived)...), func(c *call) bool {
		if c.cut {
			cut = append(cut, c)
		}
		return c.cut
	})
	w.mu.Unlock()
	for _, c := range cut {
		w.overdue(c)
	}
}

func sorted(calls []*call) []*call {
	slices.SortFunc(calls, func(a, b *call) int {
		order := cmp.Or(cmp.Compare(a.proc.number, b.proc.number), strings.Compare(a.op, b.op), strings.Compare(a.on, b.on))
		if order == 0 && a != b {
			order = strings.Compare(a.what(), b.what())
		}
		return order
	})
	return calls
}

// noDetail is the detail of a call that op and on describe completely.
func noDetail() string { return "" }
