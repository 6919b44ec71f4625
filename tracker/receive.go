package tracker

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
)

const (
	// deadLettersEvery is how often the tracker receives from the dead-letter queue while a run is
	// active: it is seldom that anything is there.
	deadLettersEvery = 3 * time.Second
	// deadLettersRest is how long the dead-letter queue is left alone after it gave nothing but
	// other environments' messages.
	deadLettersRest = 30 * time.Second
	// publishedSoon is how often the pointer is read when every task is accounted for before its
	// planner reports that all are sent.
	publishedSoon = 200 * time.Millisecond
	// fewOpen tasks have their results within about a second of S3's 3,500 writes; nearEndSeconds
	// counts where the run is faster.
	fewOpen        = 5000
	nearEndSeconds = 2
	// drainPatience is how long a drain goes on that brings nothing of the run in force: what
	// others have left on the queues, however much, does not delay a run.
	drainPatience = 2 * time.Second

	yieldActive = 200 * time.Millisecond
	yieldIdle   = 2 * time.Second
	yieldMost   = 30 * time.Second
)

// received is what the queues have given.
type received struct {
	results, deadLetters []queue.Message
}

func (r received) len() int { return len(r.results) + len(r.deadLetters) }

// receive receives for one window: from the results queue, and now and then from the dead-letter
// queue. Results do not wait for the dead-letter queue, whose window is long when it is empty: the
// step in which that window has ended takes its messages. An error does not void what was received.
func (s *session) receive(ctx context.Context) (received, error) {
	begun, active := time.Now(), s.run.pointer.State.Active()
	length := max(s.pollInterval(), idleWait)
	if active || s.Options.UntilDone {
		length = s.pollInterval()
	}
	if !s.deadLetters.hasWindow() && !begun.Before(s.deadLetters.rests) {
		s.deadLetters.rests = begun
		if active {
			s.deadLetters.rests = begun.Add(deadLettersEvery)
		}
		s.deadLetters.begin(ctx, &window{wait: length, until: begun.Add(length), most: maxPolls})
	}
	// While few tasks are open, or none is known, the first and the last results do not wait for
	// more.
	w := &window{wait: length, until: begun.Add(length), most: 1, endsEarly: true}
	if active {
		open := float64(s.run.ledger.Open().GetCardinality())
		w.most, w.endsEarly = maxPolls, open <= fewOpen+nearEndSeconds*s.run.ledger.Progress().Rate()
	}
	s.results.begin(ctx, w)
	var got received
	var err, failed error
	got.results, err = s.results.take()
	quiet := !active && len(got.results) == 0 // both windows end at the same time
	if s.deadLetters.hasWindow() && (quiet || ctx.Err() != nil || s.deadLetters.hasEnded()) {
		got.deadLetters, failed = s.deadLetters.take()
	}
	return got, errors.Join(err, failed)
}

// drainQueues processes what the queues hold until they give nothing, or nothing of the run in
// force for a while: the dead-letter queue, and withResults the results queue too.
func (s *session) drainQueues(ctx context.Context, withResults bool) error {
	useful := time.Now()
	for ctx.Err() == nil {
		begun := time.Now()
		var got received
		var g errgroup.Group
		if withResults {
			g.Go(func() (err error) {
				got.results, err = s.results.drain(ctx, s.pollInterval())
				return err
			})
		}
		var err error
		got.deadLetters, err = s.deadLetters.drain(ctx, s.pollInterval())
		err = errors.Join(err, g.Wait())
		f, failed := s.process(ctx, got, begun)
		if f.deltas[s.run.pointer.Run] != nil {
			useful = time.Now()
		}
		if err = errors.Join(err, failed); err != nil || f.own.len() == 0 || time.Since(useful) > drainPatience {
			return err
		}
	}
	return ctx.Err()
}

// scheduleDeadLetters decides when the dead-letter queue is received from again: at once when it
// has more, and after a rest when it gave nothing but other environments' messages.
func (s *session) scheduleDeadLetters(f *fold) {
	switch own, foreign := len(f.own.deadLetters), len(f.foreign.deadLetters); {
	case own+foreign >= maxReceived && own > 0:
		s.deadLetters.rests = time.Time{}
	case own == 0 && foreign > 0:
		s.deadLetters.rests = time.Now().Add(deadLettersRest)
	}
}

// leaveToOwners waits when all that came was other environments', so that their trackers can
// receive it. An active run of this environment does not wait for long.
func (s *session) leaveToOwners(ctx context.Context, f *fold) {
	if f.own.len() > 0 || f.foreign.len() == 0 {
		s.foreignOnly = 0
		return
	}
	wait := min(yieldIdle<<min(s.foreignOnly, 10), yieldMost)
	if s.run.pointer.State.Active() || s.Options.UntilDone {
		wait = yieldActive
	}
	s.foreignOnly++
	_ = retry.Sleep(ctx, wait)
}
