package worker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

const (
	maxOthers = 16 // a sender of forged messages can name any number of scopes
	// writeEvery is how often the worker writes again that others use the queues.
	writeEvery   = time.Minute
	writeTimeout = 5 * time.Second
)

// otherEnvironments are those that use the same queues by mistake. Each is logged once.
type otherEnvironments struct {
	runs  Runs // may be nil
	fence *fence
	log   *zap.Logger

	late atomic.Int32 // tasks of others that only admit detected, since the last receive

	mu      sync.Mutex
	seen    map[string]string // scope → run of its last task, since the last write
	logged  map[string]bool
	written time.Time // when write last wrote
}

// record records the environment of another environment's task, and logs it once.
func (o *otherEnvironments) record(t *messages.Task) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen == nil {
		o.seen, o.logged = map[string]string{}, map[string]bool{}
	}
	if _, again := o.seen[t.Scope]; again || len(o.seen) < maxOthers {
		o.seen[t.Scope] = t.Run
	}
	if !o.logged[t.Scope] && len(o.logged) < maxOthers {
		o.logged[t.Scope] = true
		o.log.Warn("another environment uses these queues: its tasks are given back untouched; give each environment queues of its own "+
			"(SHUFFLE_TASKS_QUEUE, SHUFFLE_RESULTS_QUEUE, SHUFFLE_DEAD_LETTER_QUEUE)",
			zap.String("scope", plain(t.Scope, maxCode)), zap.String("run", plain(t.Run, maxCode)))
	}
}

// write writes the environments seen into the state, for shuffle status. A worker without
// permission to write there leaves it to the tracker.
func (o *otherEnvironments) write(ctx context.Context) {
	o.mu.Lock()
	seen := o.seen
	if o.runs == nil || len(seen) == 0 || time.Since(o.written) < writeEvery {
		o.mu.Unlock()
		return
	}
	o.seen, o.written = map[string]string{}, time.Now()
	o.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	s, _, err := o.fence.freshSnapshot(ctx, time.Time{})
	if err != nil {
		return // the pointer cannot be read now; environments that stay are seen again
	}
	for scope, run := range seen {
		other := state.OtherEnvironment{
			Scope: scope, Queue: "tasks", Run: run, Generation: s.pointer.Generation, Seen: time.Now().UTC().Truncate(time.Second),
		}
		if err := o.runs.NoteEnvironment(ctx, other); err != nil {
			o.log.Debug("cannot write that another environment uses the queues", zap.Error(err))
		}
	}
}
