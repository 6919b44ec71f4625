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

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const (
	// holdLimit is how long messages are held while saving them fails: well below the visibility
	// timeout (60 s). After that they are left to be received again.
	holdLimit = 20 * time.Second
	// saveTime is what saving may take on top of that, also when the tracker is being stopped.
	saveTime = 20 * time.Second
	// requestsAtOnce bounds the acknowledgements in flight.
	requestsAtOnce = 8
)

// save folds what was received, saves it, and acknowledges the messages; those of other
// environments go back. It gives the fold. Stopping the tracker does not stop it half-way.
func (s *session) save(ctx context.Context, g gathered, begun time.Time) (*fold, error) {
	f := newFold(s.runs)
	f.awake = s.awakeMessage()
	if g.len() == 0 {
		return f, nil
	}
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), holdLimit+saveTime)
	defer cancel()
	for try := 0; ; try++ {
		err := s.saveOnce(work, f, g)
		if err == nil {
			break
		}
		if ctx.Err() != nil || time.Since(begun) > holdLimit {
			// Not acknowledged, so nothing is lost: the messages will be received again.
			return f, fmt.Errorf("save %d messages: %w", g.len(), err)
		}
		s.log().Warn("saving what was received failed and is tried again", zap.String("run", s.pointer.Run), zap.Error(err))
		_ = retry.Sleep(ctx, min(200*time.Millisecond<<try, 5*time.Second))
	}
	if s.Options.Heard != nil {
		for _, r := range f.heard {
			s.Options.Heard(r)
		}
	}
	// Acknowledged here and nowhere else: all that the messages told is in the bucket now. Until
	// this moment a tracker that dies leaves them to be received again, and saving them again
	// changes nothing.
	err := errors.Join(s.acknowledge(work, s.Results, f.own.results), s.acknowledge(work, s.DeadLetters, f.own.letters))
	s.noteOthers(work, f.others)
	return f, errors.Join(err, s.giveBack(work, s.Results, f.foreign.results), s.giveBack(work, s.DeadLetters, f.foreign.letters))
}

// saveOnce may be called again with the same fold: what was folded or saved before is then not done
// anew, or overwrites itself.
func (s *session) saveOnce(ctx context.Context, f *fold, g gathered) error {
	if err := f.all(ctx, g); err != nil {
		return err
	}
	if err := s.saveUnreadable(ctx, f.unreadable); err != nil {
		return err
	}
	for _, run := range slices.Sorted(maps.Keys(f.deltas)) {
		if err := s.saveDelta(ctx, f.deltas[run]); err != nil {
			return err
		}
	}
	if err := queue.SendAll(ctx, s.Tasks, f.again); err != nil {
		return fmt.Errorf("put tasks back on their queue: %w", err)
	}
	return nil
}

// saveDelta saves what was learnt of one run. The ledger comes last: it decides that the run is
// over, and by then the pairs and the dead list must be whole.
func (s *session) saveDelta(ctx context.Context, d *delta) error {
	if len(d.pairs) > 0 {
		if err := s.Store.AddTaskPairs(ctx, d.run.name, d.part, d.pairs); err != nil {
			return err
		}
	}
	if err := saveDead(ctx, s.Store, d.run.name, d.dead); err != nil {
		return err
	}
	merged, err := updateLedger(ctx, s.Store, d.ledger.Run, d.ledger.Generation, d.ledger.Tasks, func(l *Ledger) bool {
		l.Merge(d.ledger)
		l.Sample(time.Now())
		return true
	})
	if err != nil {
		return err
	}
	if d.run.name == s.pointer.Run {
		s.ledger, s.progressed = merged, time.Now()
	}
	return nil
}

// acknowledge deletes messages. One whose deletion fails comes again and changes nothing.
func (s *session) acknowledge(ctx context.Context, q Receiver, got []queue.Message) error {
	return s.inBatches(ctx, got, q.DeleteMessageBatch)
}

// inBatches makes a request for every ten messages. That one fails is no error, for its messages
// come again, unless the queue is gone.
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

// readLedger reads a run's ledger; an empty one when there is none yet.
func readLedger(ctx context.Context, store *state.Store, run string, generation int64, tasks int) (*Ledger, error) {
	c, err := store.Read(ctx, state.RunName(run, state.LedgerName))
	if errors.Is(err, bucket.ErrNotFound) {
		return NewLedger(run, generation, tasks), nil
	}
	if err != nil {
		return nil, err
	}
	return parseLedger(c.Body, run, generation, tasks), nil
}

// parseLedger reads ledger.json. A damaged one, or one of another run, counts as none: tasks that
// it knew to be done are open then, are published again after Stall, and turn out to be done.
// Nothing is lost by that but time.
func parseLedger(body []byte, run string, generation int64, tasks int) *Ledger {
	l := NewLedger(run, generation, tasks)
	if body == nil || state.Unseal(body, l) == nil && l.Run == run && l.Generation == generation && l.Tasks == tasks {
		return l
	}
	return NewLedger(run, generation, tasks)
}

// updateLedger changes a run's ledger by a union, on the condition that nobody else does so at the
// same time, and gives it back as saved. change says false to leave it as it is.
func updateLedger(ctx context.Context, store *state.Store, run string, generation int64, tasks int, change func(*Ledger) bool) (*Ledger, error) {
	var l *Ledger
	err := store.Update(ctx, state.RunName(run, state.LedgerName), func(old []byte) ([]byte, error) {
		l = parseLedger(old, run, generation, tasks)
		if !change(l) {
			return nil, nil
		}
		return state.Seal(l)
	})
	return l, err
}
