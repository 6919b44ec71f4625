package worker

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

const (
	maxPollers     = 16
	slotsPerPoller = 16 // a poller brings ten messages in less time than so many slots take for them
	// receiveGrace is how much longer than its wait a receive may take. Then its answer is given up for lost.
	receiveGrace = 15 * time.Second
)

// receive polls until ctx ends or the worker is idle, and returns when the last long poll has come back. One poller is there
// all the time, since empty receives are billed; each receive that comes back well filled starts one more, and those
// end at their first empty one.
func (r *run) receive(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var pollers sync.WaitGroup
	r.pollAlways(ctx, func() { r.pollMore(ctx, &pollers) })
	cancel()
	pollers.Wait()
}

// pollAlways is the poller that stays.
func (r *run) pollAlways(ctx context.Context, more func()) {
	failures, yields := 0, 0
	for ctx.Err() == nil {
		if r.down() {
			sleep(ctx, jitter(time.Second, 0, time.Second), nil)
			continue
		}
		own, foreign, err := r.poll(ctx, more)
		failures = r.received(ctx, failures, err)
		r.others.note(ctx)
		if late := int(r.others.late.Swap(0)); late > 0 {
			own, foreign = max(own-late, 0), foreign+late
		}
		if foreign > 0 && own == 0 {
			r.yield(ctx, yields)
			yields++
		} else {
			yields = 0
		}
		if own == 0 && err == nil && r.idle() {
			r.log.Info("nothing to do", zap.Duration("for", r.cfg.ExitWhenIdle))
			return
		}
	}
}

// down says that the bucket does not answer. As long as the worker has tasks, whose retries find out when it answers
// again, it receives no others.
func (r *run) down() bool {
	return r.hand.size() > 0 && (r.apply.outage.any(time.Now()) || r.apply.gate.fails())
}

const (
	yieldBusy = 100 * time.Millisecond
	yieldIdle = 2 * time.Second
	yieldMost = 30 * time.Second
)

// yield waits when all that came was another environment's, so that its workers can have it: each receive uses up one
// of those that a task has. While this environment's run has tasks to do, they may stand behind the others', and the
// wait is short; else it grows.
func (r *run) yield(ctx context.Context, yields int) {
	pause := min(yieldIdle<<min(yields, 10), yieldMost)
	if v, _, err := r.apply.gate.fresh(ctx, time.Time{}); err == nil && v.held.State.Acting() {
		pause = yieldBusy
	}
	if idle := r.cfg.ExitWhenIdle; idle > 0 {
		pause = min(pause, idle)
	}
	sleep(ctx, pause, nil)
}

// pollMore starts a poller more, if there may be one.
func (r *run) pollMore(ctx context.Context, pollers *sync.WaitGroup) {
	select {
	case r.more <- struct{}{}:
	default:
		return
	}
	pollers.Go(func() {
		for !r.down() {
			if own, _, err := r.poll(ctx, func() { r.pollMore(ctx, pollers) }); own == 0 || err != nil {
				break // the first poller sees to it
			}
		}
		<-r.more
	})
}

// received logs the first failure of a row and its end, and waits between failures.
func (r *run) received(ctx context.Context, failures int, err error) int {
	switch {
	case err == nil && failures > 0:
		r.log.Info("messages can be received again")
		return 0
	case err == nil:
		return 0
	case failures == 0:
		r.log.Warn("cannot receive messages; trying again", zap.Error(err))
	}
	sleep(ctx, jitter(200*time.Millisecond, failures, 10*time.Second), nil)
	return failures + 1
}

// idle says whether there has been nothing in hand for long enough to end.
func (r *run) idle() bool {
	since, idle := r.hand.idleSince()
	if since.Before(r.began) {
		since = r.began
	}
	return idle && r.cfg.ExitWhenIdle > 0 && time.Since(since) >= r.cfg.ExitWhenIdle
}

// poll receives once, into free slots only, and gives the numbers of messages. more is called when there seems to be
// more than one poller can bring.
func (r *run) poll(ctx context.Context, more func()) (own, foreign int, err error) {
	slots := r.hand.take(ctx, queue.MaxBatch)
	if slots == 0 {
		return 0, 0, nil
	}
	wait := r.cfg.Poll
	if idle := r.cfg.ExitWhenIdle; idle > 0 {
		wait = min(wait, idle)
	}
	// Not cut off by the end of ctx: a long poll that is cut off takes messages with it.
	ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait+receiveGrace)
	defer cancel()
	msgs, err := r.settle.tasks.ReceiveMessage(ask, slots, wait)
	own = r.accept(msgs, slots)
	if own > slots/2 {
		more()
	}
	return own, len(msgs) - own, err
}

// accept puts messages in the hand and begins to work on them. After the end of receiving, the slots give them back.
// It gives the number of messages that are not another environment's.
func (r *run) accept(msgs []queue.Message, slots int) (own int) {
	now := time.Now()
	batch := make([]*delivery, len(msgs))
	for i, m := range msgs {
		batch[i] = &delivery{msg: m, received: now}
	}
	r.hand.receive(batch, slots)
	for _, d := range batch {
		read := r.apply.read(d)
		if !d.foreign {
			own++
		}
		if read {
			r.work <- d
			continue
		}
		r.pass(d)
		r.hand.release()
	}
	if own > 0 {
		r.count.received.Add(int64(own))
		select {
		case r.busy <- struct{}{}:
		default: // told already
		}
	}
	return own
}
