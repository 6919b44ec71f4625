package tracker

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// errNotOurs means that a message is of another environment, which shares the queues by mistake.
var errNotOurs = errors.New("the message is of another environment")

const (
	// maxUnknownReceives is how often a message of an unknown run is given back. It may belong to
	// another environment of the same scope. After that it is kept as unreadable, so that none
	// stays on the queue for ever.
	maxUnknownReceives = 10
	// environmentsEvery is how often it is written again that other environments use the queues.
	environmentsEvery = time.Minute
)

// origin is where a message comes from, by its own text.
type origin struct{ scope, run, queue string }

// runOf returns the run that a message is about. Its error is errNotOurs for a message of another
// environment.
func (f *fold) runOf(ctx context.Context, from origin, generation int64, m queue.Message) (*knownRun, error) {
	store := f.runs.store
	if messages.OtherScope(store.Scope, from.scope) {
		return nil, f.addOther(from)
	}
	run, err := f.runs.run(ctx, from.run, generation)
	if errors.Is(err, errNoRun) && state.UniqueRun(from.run) && m.ReceiveCount < maxUnknownReceives {
		known, failed := store.HasRun(ctx, from.run)
		if failed != nil {
			return nil, failed
		}
		if !known {
			return nil, f.addOther(from)
		}
	}
	return run, err
}

// addOther records that a message of another environment has come, and returns errNotOurs.
func (f *fold) addOther(from origin) error {
	scope := cmp.Or(from.scope, "unknown")
	f.others[scope] = state.OtherEnvironment{Scope: scope, Queue: from.queue, Run: clip(from.run, maxCode), Seen: now()}
	return errNotOurs
}

// writeOtherEnvironments writes, for status, that other environments use the queues.
func (s *session) writeOtherEnvironments(ctx context.Context, others map[string]state.OtherEnvironment) {
	if len(others) == 0 || time.Since(s.notes.environments) < environmentsEvery {
		return
	}
	s.notes.environments = time.Now()
	for _, e := range others {
		e.Generation = s.run.pointer.Generation
		s.log().Warn("another environment uses these queues: its messages are given back; give each environment queues of its own "+
			"(SHUFFLE_TASKS_QUEUE, SHUFFLE_RESULTS_QUEUE, SHUFFLE_DEAD_LETTER_QUEUE)",
			zap.String("scope", clip(e.Scope, maxCode)), zap.String("run", e.Run), zap.String("queue", e.Queue))
		if err := s.Store.NoteEnvironment(ctx, e); err != nil {
			s.log().Warn("cannot note that another environment uses the queues", zap.Error(err))
		}
	}
}
