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
	maxPollers = 16
	// A poller receives ten messages in less time than 16 slots need to copy them.
	requestsPerPoller = 16
	// receiveGrace is how much longer than its wait a receive may take before it is cut off.
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

// receive polls until ctx ends or the worker is idle, and returns when the last long poll has
// returned. Only one poller runs all the time, because empty receives are billed. A receive that is
// more than half full starts another poller, which ends at its first empty receive.
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

// outOfWork returns whether the bucket does not answer while the worker has tasks. Their retries
// find out when the bucket answers again. Until then the worker receives no other tasks.
func (r *receiver) outOfWork() bool {
	return r.inFlight.size() > 0 && (r.outage.any(time.Now()) || r.fence.failing.Load())
}

// idle returns whether the worker has had no message in flight for ExitWhenIdle.
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

// leaveToOwner waits after a receive that brought only tasks of another environment, so that its
// workers can receive them. Each receive here counts against the receives that the queue grants.
// The wait is short while this environment's run has tasks, which may be behind the others in the
// queue. Else it grows.
func (r *receiver) leaveToOwner(ctx context.Context, pauses int) {
	pause := min(pauseIdle<<min(pauses, 10), pauseMost)
	if s, _, err := r.fence.freshSnapshot(ctx, time.Time{}); err == nil && s.pointer.State.Acting() {
		pause = pauseBusy
	}
	if idle := r.cfg.ExitWhenIdle; idle > 0 {
		pause = min(pause, idle)
	}
	_ = retry.Sleep(ctx, pause)
}

// poll receives at most as many messages as there are free slots, and returns their numbers. When
// the receive is more than half full, it starts another poller.
func (r *receiver) poll(ctx context.Context) (own, foreign int, err error) {
	slots := r.inFlight.reserve(ctx, queue.MaxBatch)
	if slots == 0 {
		return 0, 0, nil
	}
	wait := r.cfg.Poll
	if idle := r.cfg.ExitWhenIdle; idle > 0 {
		wait = min(wait, idle)
	}
	// The end of ctx does not cut the long poll off. Messages received by a poll that is cut off
	// are invisible until their timeout ends.
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

// pollMore starts another poller, unless there are enough.
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
		default: // protect has not yet taken the last signal
		}
	}
	for _, d := range batch {
		r.process(d)
	}
	return own
}
