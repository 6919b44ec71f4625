package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
)

// run is one Run: the goroutines and what flows between them. Each channel has room for all that may be in hand, so that no
// step ever waits for the next one.
type run struct {
	*Worker
	began time.Time
	busy  chan struct{} // tells the guard that messages have come
	more  chan struct{} // one token for each poller beyond the first

	work    chan *delivery // received → begin
	deletes chan *delivery // begin → flush
	buries  chan *delivery // dead or unfit
	reports chan *delivery // with a result to send
	acks    chan *delivery // to be deleted from the queue
	returns chan *delivery // to go back to the queue
}

func newRun(w *Worker) *run {
	flow := func() chan *delivery { return make(chan *delivery, w.hand.most) }
	return &run{
		Worker: w, began: time.Now(), busy: make(chan struct{}, 1),
		more: make(chan struct{}, min(max(w.cfg.Concurrency/slotsPerPoller, 1), maxPollers)-1),
		work: flow(), deletes: flow(), buries: flow(), reports: flow(), acks: flow(), returns: flow(),
	}
}

// sendGrace is how much longer than the work the queues may take, to hear about it.
const sendGrace = 3 * time.Second

// run receives until it is told to stop, and then ends one step after the other, from the first to the last.
func (r *run) run(ctx context.Context) {
	work, endWork := lingering(ctx, r.cfg.Drain)
	defer endWork()
	tell, endTell := lingering(ctx, r.cfg.Drain+sendGrace)
	defer endTell()
	upkeep, endUpkeep := context.WithCancel(tell)
	defer endUpkeep()

	kept := start(
		func() { r.apply.gate.keep(upkeep) },
		func() { r.heartbeat(upkeep) },
		func() { r.guard(upkeep) },
	)
	slots := start(slices.Repeat([]func(){func() { r.slot(work) }}, r.cfg.Concurrency)...)
	deletes := start(func() { r.deleteStage(work).run(r.deletes) })
	buries := start(func() { r.buryStage(tell).run(r.buries) })
	reports := start(func() { r.reportStage(tell).run(r.reports) })
	acks := start(
		func() { r.ackStage(tell).run(r.acks) },
		func() { r.returnStage(tell).run(r.returns) },
	)

	r.receive(ctx)
	close(r.work)
	slots.Wait()
	close(r.deletes)
	deletes.Wait()
	close(r.buries)
	buries.Wait()
	close(r.reports)
	reports.Wait()
	close(r.acks)
	close(r.returns)
	acks.Wait()
	endUpkeep() // only now: until the last acknowledgement something is in hand
	kept.Wait()
}

// start runs functions, each in a goroutine of its own.
func start(fns ...func()) *sync.WaitGroup {
	var g sync.WaitGroup
	for _, fn := range fns {
		g.Go(fn)
	}
	return &g
}

// lingering is a context that ends so long after ctx.
func lingering(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		sleep(longer, d, nil)
		cancel()
	})
	return longer, func() { stop(); cancel() }
}

// slot works on one message at a time.
func (r *run) slot(ctx context.Context) {
	for d := range r.work {
		switch {
		case r.stopped():
			r.apply.end(d, errStopping) // not begun yet: whoever gets it next need not wait for its visibility timeout
			r.pass(d)
		case r.apply.begin(ctx, d):
			r.deletes <- d
		default:
			r.pass(d)
		}
		r.hand.release()
	}
}

func (r *run) stopped() bool {
	select {
	case <-r.apply.stopping:
		return true
	default:
		return false
	}
}

// pass hands a delivery that has its ending to the step that comes first.
func (r *run) pass(d *delivery) {
	switch d.ending.how {
	case settled:
		r.reports <- d
	case dead, unfit:
		r.buries <- d
	case returned:
		r.returns <- d
	case ignored:
		r.acks <- d // shuffle doctor has asked for nothing else
	}
}

// deleteStage gathers the deletes of many tasks for one request.
func (r *run) deleteStage(ctx context.Context) stage {
	return stage{
		most: r.deleteSize, wait: 20 * time.Millisecond, weigh: (*delivery).keys, parallel: deleteParallel,
		do: func(batch []*delivery) {
			r.apply.flush(ctx, batch)
			for _, d := range batch {
				r.pass(d)
			}
		},
	}
}

const (
	// Requests at a time, enough even of one key each: were they fewer than what the pace lets through, the deletes of a worker among
	// many would pile up, and be worked off alone at the end. Those that have nothing to do cost nothing.
	deleteParallel = 64
	deleteKeys     = 25
	// deleteLump is how much of the known rate one request may take: each of its keys counts, and those of a lump are refused
	// where single ones are not.
	deleteLump = 3 * time.Millisecond
)

// deleteSize is how many keys one request deletes.
func (r *run) deleteSize() int {
	if rate := r.limits.knownRate(); rate > 0 {
		return min(max(int(rate*deleteLump.Seconds()), 1), bucket.MaxDeleteObjects)
	}
	return deleteKeys
}

func (r *run) buryStage(ctx context.Context) stage {
	return stage{
		most: always(queue.MaxBatch), wait: 50 * time.Millisecond, weigh: one, parallel: 16, // somebody may have sent junk by thousands
		do: func(batch []*delivery) {
			for _, d := range r.settle.bury(ctx, batch) {
				if d.ending.how == dead {
					r.reports <- d // only now: a task that is reported dead is in the dead-letter queue
				} else {
					r.acks <- d // the dead-letter queue has it, and there is no task to report on
				}
			}
		},
	}
}

func (r *run) reportStage(ctx context.Context) stage {
	return stage{
		most: always(maxResultBytes), wait: 100 * time.Millisecond, weigh: resultWeight, parallel: 8,
		do: func(batch []*delivery) {
			for _, d := range r.settle.report(ctx, batch) {
				r.acks <- d // only now: the results queue has what the message was about
			}
		},
	}
}

func (r *run) ackStage(ctx context.Context) stage {
	return stage{
		most: always(queue.MaxBatch), wait: 50 * time.Millisecond, weigh: one, parallel: 16,
		do: func(batch []*delivery) { r.settle.acknowledge(ctx, batch) },
	}
}

func (r *run) returnStage(ctx context.Context) stage {
	return stage{
		most: always(10 * queue.MaxBatch), wait: 50 * time.Millisecond, weigh: one, parallel: 8,
		do: func(batch []*delivery) { r.settle.giveBack(ctx, batch) },
	}
}

// heartbeat extends the visibility of everything in hand at half the timeout. It looks eight times a timeout, so that no
// message is much younger or older than that.
func (r *run) heartbeat(ctx context.Context) {
	tick := time.NewTicker(r.cfg.Visibility / 8)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			r.extendAll(ctx, now)
		}
	}
}

func (r *run) extendAll(ctx context.Context, now time.Time) {
	age := r.cfg.Visibility * 3 / 8 // at the next look they would be older than half
	var under errgroup.Group
	under.SetLimit(8)
	for tens := range slices.Chunk(r.hand.due(now, age), queue.MaxBatch) {
		under.Go(func() error {
			for _, d := range r.settle.extend(ctx, tens, r.cfg.Visibility) {
				r.hand.overdue(d, age)
			}
			return nil
		})
	}
	_ = under.Wait() // what failed is tried at the next look
}
