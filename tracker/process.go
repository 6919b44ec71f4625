package tracker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const (
	// retryLimit is how long messages are kept while saving them fails: well below the visibility
	// timeout (60 s). After that they are left to be received again.
	retryLimit = 20 * time.Second
	// saveTime is what saving may take on top of that, also when the tracker is being stopped.
	saveTime = 20 * time.Second
	// requestsAtOnce bounds the acknowledgements in flight.
	requestsAtOnce = 8
)

// process is the life of a message after its receive: it is folded with the others, checkpointed,
// and acknowledged or given back. It returns the fold. The end of ctx does not stop it half-way.
func (s *session) process(ctx context.Context, got received, begun time.Time) (*fold, error) {
	f := &fold{runs: s.runs}
	if s.run.pointer.State.Active() {
		f.awake = s.awake.body
	}
	if got.len() == 0 {
		return f, nil
	}
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), retryLimit+saveTime)
	defer cancel()
	for try := 0; ; try++ {
		err := f.foldAll(work, got)
		if err == nil {
			err = s.checkpoint(work, f)
		}
		if err == nil {
			break
		}
		if ctx.Err() != nil || time.Since(begun) > retryLimit {
			// Not acknowledged, so nothing is lost: the messages will be received again.
			return f, fmt.Errorf("save %d messages: %w", got.len(), err)
		}
		s.log().Warn("saving what was received failed and is tried again", zap.String("run", s.run.pointer.Run), zap.Error(err))
		_ = retry.Sleep(ctx, min(200*time.Millisecond<<try, 5*time.Second))
	}
	if s.Options.OnResults != nil {
		for _, r := range f.results {
			s.Options.OnResults(r)
		}
	}
	// Acknowledge results here and nowhere else: the ledger in the bucket counts them, and a dead
	// task's reason is in the dead list. A tracker that dies before this leaves the message to be
	// received again, and counting it again changes nothing.
	err := s.inBatches(work, f.own.results, s.Results.DeleteMessageBatch)
	// Acknowledge dead letters here and nowhere else: the task is in the dead list and in the
	// ledger, or back on the tasks queue. So an empty dead-letter queue means that the list has
	// every dead task. A message of either queue that no stage can read is kept as unreadable.
	err = errors.Join(err, s.inBatches(work, f.own.deadLetters, s.DeadLetters.DeleteMessageBatch))
	// Give back what belongs to another environment: only its own tracker can count it.
	s.writeOtherEnvironments(work, f.others)
	return f, errors.Join(err, s.giveBack(work, s.Results, f.foreign.results), s.giveBack(work, s.DeadLetters, f.foreign.deadLetters))
}

// checkpoint saves what was folded. It may be called again with the same fold: what it saved before
// overwrites itself, or changes nothing.
func (s *session) checkpoint(ctx context.Context, f *fold) error {
	if err := s.saveUnreadable(ctx, f.unreadable); err != nil {
		return err
	}
	for _, run := range slices.Sorted(maps.Keys(f.deltas)) {
		if err := s.checkpointRun(ctx, f.deltas[run]); err != nil {
			return err
		}
	}
	if err := queue.SendAll(ctx, s.Tasks, f.republish); err != nil {
		return fmt.Errorf("put tasks back on their queue: %w", err)
	}
	return nil
}

// checkpointRun saves what was folded of one run. The ledger comes last: it decides that the run is
// over, and by then the pairs and the dead list must be complete.
func (s *session) checkpointRun(ctx context.Context, d *delta) error {
	if len(d.pairs) > 0 {
		if err := s.Store.AddTaskPairs(ctx, d.run.name, d.part, d.pairs); err != nil {
			return err
		}
	}
	if len(d.dead) > 0 {
		err := s.Store.Update(ctx, state.RunName(d.run.name, state.DeadName), func(old []byte) ([]byte, error) {
			// The ledger, not this list, decides which tasks are dead.
			before, _ := state.GoodLines[state.DeadTask](old)
			return encodeLines(mergeDead(before, d.dead))
		})
		if err != nil {
			return err
		}
	}
	merged, err := updateLedger(ctx, s.Store, d.ledger.Run, d.ledger.Generation, d.ledger.Tasks, func(l *Ledger) bool {
		l.Merge(d.ledger)
		l.Sample(time.Now())
		return true
	})
	if err != nil {
		return err
	}
	if d.run.name == s.run.pointer.Run {
		s.run.ledger, s.run.progressed = merged, time.Now()
	}
	return nil
}

// giveBack makes messages visible again for their owner.
func (s *session) giveBack(ctx context.Context, q Receiver, foreign []queue.Message) error {
	byDelay := map[time.Duration][]queue.Message{}
	for _, m := range foreign {
		delay := queue.OwnerDelay(m.ReceiveCount)
		byDelay[delay] = append(byDelay[delay], m)
	}
	for delay, messages := range byDelay {
		err := s.inBatches(ctx, messages, func(ctx context.Context, receipts []string) ([]queue.Failure, error) {
			return q.ChangeMessageVisibilityBatch(ctx, receipts, delay)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// inBatches makes a request for every ten messages. A request that fails is no error, since its
// messages come again and change nothing, unless the queue does not exist.
func (s *session) inBatches(ctx context.Context, got []queue.Message, request func(context.Context, []string) ([]queue.Failure, error)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for part := range slices.Chunk(got, queue.MaxBatch) {
		receipts := make([]string, len(part))
		for i, m := range part {
			receipts[i] = m.Receipt
		}
		g.Go(func() error {
			failed, err := request(ctx, receipts)
			if errors.Is(err, queue.ErrNotFound) {
				return err
			}
			if err != nil || len(failed) > 0 {
				s.log().Debug("some messages could not be acknowledged or given back", zap.Int("failed", len(failed)), zap.Error(err))
			}
			return nil
		})
	}
	return g.Wait()
}

// close processes what the dead-letter queue still gives. Dead letters that cannot be saved now
// come again.
func (s *session) close(ctx context.Context) {
	if !s.deadLetters.hasWindow() {
		return
	}
	begun := time.Now()
	got, err := s.deadLetters.take()
	_, failed := s.process(ctx, received{deadLetters: got}, begun)
	if err = errors.Join(err, failed); err != nil {
		s.log().Warn("the last dead letters could not be saved; they come again", zap.String("run", s.run.pointer.Run), zap.Error(err))
	}
}
