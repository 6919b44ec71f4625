package tracker

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// stallCheck is what a session remembers of a run without results.
type stallCheck struct {
	asked  time.Time // when the tasks queue was last asked whether it is empty
	warned time.Time // the last progress before the last warning
}

// republishStalled publishes the open tasks again when no result has come for Stall and the tasks
// queue shows nothing left. The queue's counts are approximate and may be wrong for a minute. A
// task that was only late is then applied twice, which changes nothing.
func (s *session) republishStalled(ctx context.Context) error {
	if time.Since(s.run.progressed) < s.stallTime() || time.Since(s.stall.asked) < s.stallTime()/20 {
		return nil
	}
	s.stall.asked = time.Now()
	left, err := s.Tasks.GetQueueAttributes(ctx)
	if err != nil {
		return err
	}
	if left.Visible+left.InFlight+left.Delayed > 0 {
		s.warnOfStall(left)
		return nil
	}
	// A task that has left the queue without a result is in the dead-letter queue, which is
	// received from now and then only.
	last := s.run.progressed
	if err := s.drainQueues(ctx, false); err != nil || !s.run.progressed.Equal(last) {
		return err
	}
	known := s.run.ledger.Round()
	round, open, ledger, err := openRound(ctx, s.Store, s.run.plan, func(l *Ledger) *roaring.Bitmap {
		if l.Round() != known {
			return roaring.New() // another tracker has just opened a round
		}
		return l.Open()
	})
	if err != nil {
		return err
	}
	s.run.ledger, s.run.progressed = ledger, time.Now()
	if open.IsEmpty() {
		return nil
	}
	s.log().Warn("no result has come for long and the queue is empty: publishing the open tasks again", zap.String("run", s.run.pointer.Run),
		zap.Uint64("tasks", open.GetCardinality()), zap.Uint32("round", round), zap.Duration("stall", s.stallTime()))
	err = s.sendRound(ctx, s.run.plan, round, open)
	if state.Lost(err) {
		// A chunk of tasks is missing or damaged. The next step tries again at once, because
		// advanceRun ends the run after two such steps in a row.
		s.run.progressed, s.stall.asked = last, time.Time{}
	}
	return err
}

// warnOfStall logs, once for each time that results stop coming, that the queue still holds tasks.
func (s *session) warnOfStall(left queue.Attributes) {
	if s.stall.warned.Equal(s.run.progressed) {
		return
	}
	s.stall.warned = s.run.progressed
	s.log().Warn("no result has come for long, and the queue holds tasks: no worker takes them (shuffle work), or they fail again and again (see the workers' logs, and shuffle doctor)",
		zap.String("run", s.run.pointer.Run), zap.Int("waiting", left.Visible+left.Delayed), zap.Int("in_flight", left.InFlight), zap.Duration("stall", s.stallTime()))
}
