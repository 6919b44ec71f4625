package worker

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// batcher gathers deliveries for one request. A batch is sent when it is full, or some time after
// its first delivery.
type batcher struct {
	// The deliveries that failed; nil when none did.
	send  func(context.Context, []*delivery) map[*delivery]error
	size  func() int // the largest weight of a batch
	weigh func(*delivery) int
	wait  time.Duration
	free  chan struct{} // holds an element for each batch that is being sent

	mu   sync.Mutex
	open *batch // takes deliveries; nil while there is none
}

type batch struct {
	deliveries []*delivery
	weight     int
	timer      *time.Timer
	failed     map[*delivery]error
	sent       chan struct{}
}

func one(*delivery) int { return 1 }

func always(n int) func() int { return func() int { return n } }

// add puts a delivery into a batch, waits until the batch is sent, and returns the delivery's
// error.
func (b *batcher) add(ctx context.Context, d *delivery) error {
	size, weight := b.size(), b.weigh(d)
	b.mu.Lock()
	if b.open != nil && b.open.weight+weight > size {
		if b.open.timer.Stop() { // else the timer has already fired
			b.open.timer.Reset(0)
		}
		b.open = nil
	}
	mine := b.open
	if mine == nil {
		mine = &batch{sent: make(chan struct{})}
		mine.timer = time.AfterFunc(b.wait, func() { b.flush(ctx, mine) })
		b.open = mine
	}
	mine.deliveries, mine.weight = append(mine.deliveries, d), mine.weight+weight
	full := mine.weight >= size
	if full {
		b.open = nil
	}
	b.mu.Unlock()
	if full && mine.timer.Stop() {
		b.flush(ctx, mine)
	}
	<-mine.sent
	return mine.failed[d]
}

// flush sends a batch. It sorts the deliveries by their receives, because the goroutines arrive in
// random order.
func (b *batcher) flush(ctx context.Context, full *batch) {
	b.mu.Lock()
	if b.open == full {
		b.open = nil
	}
	b.mu.Unlock()
	b.free <- struct{}{}
	slices.SortFunc(full.deliveries, func(x, y *delivery) int { return cmp.Compare(x.number, y.number) })
	full.failed = b.send(ctx, full.deliveries)
	<-b.free
	close(full.sent)
}

// allFailed gives every delivery of a batch the same error.
func allFailed(batch []*delivery, err error) map[*delivery]error {
	failed := make(map[*delivery]error, len(batch))
	for _, d := range batch {
		failed[d] = err
	}
	return failed
}
