package tracker

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// errNotOurs says that a message is of another environment, which shares the queues by mistake. It
// is given back: only its own tracker can count it.
var errNotOurs = errors.New("the message is of another environment")

const (
	// strangerReceives is how often a message of a run that the state does not know is given back.
	// It may be another environment's of the same scope; after that it is kept as unreadable, so
	// that none stays for ever.
	strangerReceives = 10
	// noteEvery is how often it is written down again that other environments use the queues.
	noteEvery = time.Minute
	// lettersRest is how long the dead-letter queue is left alone after it gave nothing but other
	// environments' messages.
	lettersRest = 30 * time.Second

	yieldActive = 200 * time.Millisecond
	yieldIdle   = 2 * time.Second
	yieldMost   = 30 * time.Second
)

// origin is where a message says that it comes from.
type origin struct{ scope, run, queue string }

// runOf is the run that a message is about; errNotOurs for a message of another environment.
func (f *fold) runOf(ctx context.Context, from origin, generation int64, m queue.Message) (*knownRun, error) {
	store := f.runs.store
	if messages.OtherScope(store.Scope, from.scope) {
		return nil, f.meet(from)
	}
	run, err := f.runs.run(ctx, from.run, generation)
	if errors.Is(err, errNoRun) && state.UniqueRun(from.run) && m.ReceiveCount < strangerReceives {
		known, failed := store.HasRun(ctx, from.run)
		if failed != nil {
			return nil, failed
		}
		if !known {
			return nil, f.meet(from)
		}
	}
	return run, err
}

// meet keeps that a message of another environment has come.
func (f *fold) meet(from origin) error {
	scope := cmp.Or(from.scope, "unknown")
	f.others[scope] = state.OtherEnvironment{Scope: scope, Queue: from.queue, Run: clip(from.run, maxCode), Seen: now()}
	return errNotOurs
}

// noteOthers writes down, for status, that other environments use the queues.
func (s *session) noteOthers(ctx context.Context, others map[string]state.OtherEnvironment) {
	if len(others) == 0 || time.Since(s.noted) < noteEvery {
		return
	}
	s.noted = time.Now()
	for _, e := range others {
		e.Generation = s.pointer.Generation
		s.log().Warn("another environment uses these queues: its messages are given back; give each environment queues of its own "+
			"(SHUFFLE_TASKS_QUEUE, SHUFFLE_RESULTS_QUEUE, SHUFFLE_DEAD_LETTER_QUEUE)",
			zap.String("scope", clip(e.Scope, maxCode)), zap.String("run", e.Run), zap.String("queue", e.Queue))
		if err := s.Store.NoteEnvironment(ctx, e); err != nil {
			s.log().Warn("cannot note that another environment uses the queues", zap.Error(err))
		}
	}
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

// yield waits when all that came was other environments', so that their trackers can have it. A run
// of this environment that is active does not wait for long.
func (s *session) yield(ctx context.Context, own, foreign int) {
	if own > 0 || foreign == 0 {
		s.yields = 0
		return
	}
	wait := min(yieldIdle<<min(s.yields, 10), yieldMost)
	if s.pointer.State.Active() || s.Options.UntilDone {
		wait = yieldActive
	}
	s.yields++
	_ = retry.Sleep(ctx, wait)
}

// afterLetters decides when the dead-letter queue is asked again: at once when it has more, and
// after a rest when it gave nothing but other environments' messages.
func (s *session) afterLetters(own, foreign int) {
	switch {
	case own+foreign >= maxGathered && own > 0:
		s.askLetters = time.Time{}
	case own == 0 && foreign > 0:
		s.askLetters = time.Now().Add(lettersRest)
	}
}
