package worker

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
)

const (
	maxPollers        = 16
	requestsPerPoller = 16 // a poller brings ten messages in less time than this many requests need for them
	// receiveGrace is how much longer than its wait a receive may take. Then its answer counts as
	// lost.
	receiveGrace = 15 * time.Second

	// Pauses after a receive that brought only another environment's messages.
	pauseBusy = 100 * time.Millisecond
	pauseIdle = 2 * time.Second
	pauseMost = 30 * time.Second
)

// receiver polls the tasks queue.
type receiver struct {
	*Worker
	process func(*delivery) // begins to process a message
	pollers sync.WaitGroup
	more    chan struct{} // holds an element for each poller beyond the first
}

// receive polls until ctx ends or the worker is idle, and returns when the last long poll has come
// back. One poller runs all the time, since empty receives are billed. Each receive that comes back
// well filled starts one more, and those end at their first empty one.
func (w *Worker) receive(ctx context.Context, process func(*delivery)) {
	r := &receiver{Worker: w, process: process, more: make(chan struct{}, min(max(w.cfg.Concurrency/requestsPerPoller, 1), maxPollers)-1)}
	defer r.pollers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failures, pauses := 0, 0
	for ctx.Err() == nil {
		if r.outOfWork() {
			_ = retry.Sleep(ctx, retry.Backoff(time.Second, 0, time.Second))
			continue
		}
		own, foreign, err := r.poll(ctx)
		failures = r.afterReceive(ctx, failures, err)
		r.others.write(ctx)
		if late := int(r.others.late.Swap(0)); late > 0 {
			own, foreign = max(own-late, 0), foreign+late
		}
		if foreign > 0 && own == 0 {
			r.leaveToOwner(ctx, pauses)
			pauses++
		} else {
			pauses = 0
		}
		if own == 0 && err == nil && r.idle() {
			r.log.Info("nothing to do", zap.Duration("for", r.cfg.ExitWhenIdle))
			return
		}
	}
}

// outOfWork: the bucket does not answer. As long as the worker has tasks, whose retries find out
// when it answers again, it receives no others.
func (r *receiver) outOfWork() bool {
	return r.inFlight.size() > 0 && (r.outage.any(time.Now()) || r.fence.failing.Load())
}

// idle returns whether no message has been in flight for long enough to end.
func (r *receiver) idle() bool {
	since, idle := r.inFlight.idleSince()
	if since.Before(r.began) {
		since = r.began
	}
	return idle && r.cfg.ExitWhenIdle > 0 && time.Since(since) >= r.cfg.ExitWhenIdle
}

// afterReceive logs the first of a series of failures and its end, and waits between failures. It
// returns the length of the series.
func (r *receiver) afterReceive(ctx context.Context, failures int, err error) int {
	if err == nil {
		if failures > 0 {
			r.log.Info("messages can be received again")
		}
		return 0
	}
	if failures == 0 {
		r.log.Warn("cannot receive messages; trying again", zap.Error(err))
	}
	_ = retry.Sleep(ctx, retry.Backoff(200*time.Millisecond, failures, 10*time.Second))
	return failures + 1
}

// leaveToOwner waits when all that came was another environment's, so that its workers can receive
// it: each receive uses up one of those that a task has. While this environment's run has tasks to
// do, they may be behind the others in the queue, and the wait is short; else it grows.
func (r *receiver) leaveToOwner(ctx context.Context, pauses int) {
	pause := min(pauseIdle<<min(pauses, 10), pauseMost)
	if s, _, err := r.fence.fresh(ctx, time.Time{}); err == nil && s.pointer.State.Acting() {
		pause = pauseBusy
	}
	if idle := r.cfg.ExitWhenIdle; idle > 0 {
		pause = min(pause, idle)
	}
	_ = retry.Sleep(ctx, pause)
}

// poll receives once, into free slots only, and returns the numbers of messages. When there seem to
// be more messages than one poller can bring, it starts another.
func (r *receiver) poll(ctx context.Context) (own, foreign int, err error) {
	slots := r.inFlight.reserve(ctx, queue.MaxBatch)
	if slots == 0 {
		return 0, 0, nil
	}
	wait := r.cfg.Poll
	if idle := r.cfg.ExitWhenIdle; idle > 0 {
		wait = min(wait, idle)
	}
	// Not cut off by the end of ctx: a long poll that is cut off takes messages with it.
	request, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait+receiveGrace)
	defer cancel()
	r.count.request(receiveMessage)
	msgs, err := r.cfg.Tasks.ReceiveMessage(request, slots, wait)
	own = r.accept(msgs, slots)
	if own > slots/2 {
		r.pollMore(ctx)
	}
	return own, len(msgs) - own, err
}

// pollMore starts another poller, if there may be one.
func (r *receiver) pollMore(ctx context.Context) {
	select {
	case r.more <- struct{}{}:
	default:
		return
	}
	r.pollers.Go(func() {
		for !r.outOfWork() {
			if own, _, err := r.poll(ctx); own == 0 || err != nil {
				break // the first poller handles it
			}
		}
		<-r.more
	})
}

// accept begins to process the messages of a receive, and returns how many are this environment's.
func (r *receiver) accept(msgs []queue.Message, slots int) (own int) {
	now := time.Now()
	batch := make([]*delivery, len(msgs))
	for i, m := range msgs {
		batch[i] = &delivery{msg: m, received: now}
		r.parse(batch[i])
		if !batch[i].foreign() {
			own++
		}
	}
	r.inFlight.add(batch, slots)
	r.count.received.Add(int64(own))
	if own > 0 {
		select {
		case r.busy <- struct{}{}:
		default: // protect will see it anyhow
		}
	}
	for _, d := range batch {
		r.process(d)
	}
	return own
}
