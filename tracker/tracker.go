// Package tracker counts how the tasks of a run end, proves the outcome by listing the destination
// again, and publishes the dataset version.
//
// The core is pure: Ledger, the verdict, the comparison. Around it, Run goes in steps: read the
// pointer, take in what has come, save it, acknowledge it, then see what the run needs.
//
// # Why nothing is lost and nothing counted twice
//
// What a message tells is saved in an order in which each object only grows by a union: pairs of
// ETags, then the dead list, then the ledger, and only then the message is deleted. A tracker that
// dies anywhere in between leaves the message on its queue, and whoever receives it again changes
// nothing by saving it again. So any number of trackers may run at once. The end of a run is a
// sequence of the same kind: version, report, and last the pointer, whose compare-and-swap only one
// of them wins.
package tracker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Receiver is what the tracker needs of the results queue and of the dead-letter queue.
type Receiver interface {
	ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error)
	DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error)
	ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error)
}

// Tasks is what the tracker needs of the tasks queue.
type Tasks interface {
	SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error)
	GetQueueAttributes(ctx context.Context) (queue.Attributes, error)
}

// Tracker follows runs. Run needs all ports, Redrive the store and the tasks queue, the other
// methods the store only.
type Tracker struct {
	Store       *state.Store
	Results     Receiver
	DeadLetters Receiver
	Tasks       Tasks
	// Awake is the results queue as a sender, see keepAwake. nil: nothing puts the tracker to
	// sleep.
	Awake   queue.BatchSender
	Deleter state.Remover // removes old dataset versions and runs; nil keeps them all
	Options Options
	Log     *zap.Logger // nil logs nothing
}

// Options of a tracker.
type Options struct {
	// UntilDone makes Run return when the run in force has ended, also when it had ended before.
	UntilDone bool
	// Stall is how long no result may come before open tasks are published again, and how long a
	// planner's pointer may stay unchanged before its run is ended or its publication finished; 0
	// is DefaultStall.
	Stall time.Duration
	// MetricsNamespace is CloudWatch's namespace for the metrics of a run's end; "" is
	// DefaultMetricsNamespace.
	MetricsNamespace string
	// MaxDead is how many dead tasks a run may have, of all its tasks, before it is halted; up to
	// minDead never halt it.
	MaxDead rows.Limit
	// KeepVersions is how many dataset versions stay, the latest among them; 0 keeps all.
	KeepVersions int
	// KeepRuns is how many runs stay at least, besides those that are still needed; 0 keeps all.
	KeepRuns int
	// Poll is how often the pointer is read while a run is active; 0 is a second.
	Poll time.Duration
	// Parallel is the number of listings at once; 0 is 16.
	Parallel int
	// Progress is told where the run in force stands, after each step and when its state changes.
	// It must not block.
	Progress func(state.Status)
	// Page makes the report's page, report.html; nil writes none.
	Page func(ctx context.Context, r *state.Report) ([]byte, error)
	// Heard is told of each message of results of a run. It must not block.
	Heard func(messages.Results)
}

// DefaultStall is the time without results after which open tasks are published again.
const DefaultStall = 10 * time.Minute

// minDead dead tasks never halt a run: in a small one a few are a large share.
const minDead = 20

// idleWait is how long one receive waits while no run is active: SQS bills empty receives. A
// message ends the wait at once. A tracker that is stopped waits for the receive, since one that is
// cut off hides messages; so it is not SQS's longest, 20 s.
const idleWait = 5 * time.Second

// patience is how long another tracker's, or the planner's, last change of the pointer must be past
// before this one takes a step that they were about to take.
const patience = 5 * time.Second

// giveUp is how long a tracker tries when every step fails by something that does not pass by
// itself, such as a missing right. Then Run ends with the error. A service that does not answer has
// no such limit.
const giveUp = 5 * time.Minute

func (t *Tracker) log() *zap.Logger {
	if t.Log == nil {
		return zap.NewNop()
	}
	return t.Log
}

func (t *Tracker) stall() time.Duration {
	if t.Options.Stall > 0 {
		return t.Options.Stall
	}
	return DefaultStall
}

func (t *Tracker) poll() time.Duration {
	if t.Options.Poll > 0 {
		return t.Options.Poll
	}
	return time.Second
}

// Run follows the run in force, and every later one, until ctx ends; with UntilDone, until the run
// in force has ended, whose status it gives back. When there is no run it waits for the first. When
// ctx ends it saves and acknowledges what it has received, which takes a second or two, and gives
// ctx's error back.
func (t *Tracker) Run(ctx context.Context) (state.Status, error) {
	s := newSession(t)
	defer s.close(ctx)
	var failing time.Time
	for try := 0; ; {
		s.keepAwake(ctx)
		done, err := s.step(ctx)
		switch {
		case done && err == nil && s.closed != nil:
			return *s.closed, nil
		case done && err == nil:
			return state.ReadStatus(ctx, t.Store, s.pointer.Run)
		case ctx.Err() != nil:
			return s.status(), ctx.Err()
		case err == nil, errors.Is(err, state.ErrConflict):
			try, failing = 0, time.Time{} // a conflict: another process did it
			s.clearNote(ctx)
			continue
		case errors.Is(err, queue.ErrNotFound):
			return s.status(), fmt.Errorf("track: %w; shuffle setup creates the queues", err)
		}
		if failing.IsZero() || away(err) {
			failing = time.Now()
		}
		if time.Since(failing) > giveUp {
			return s.status(), fmt.Errorf("track: failing for %s: %w; shuffle doctor says what to fix, and nothing is lost meanwhile", giveUp, err)
		}
		t.log().Warn("a step failed and is tried again", zap.String("run", s.pointer.Run), zap.Error(err))
		s.noteTrouble(ctx, err)
		_ = retry.Sleep(ctx, min(time.Second<<try, 30*time.Second))
		try = min(try+1, 5)
	}
}

// away says that an error is of a service that does not answer, or that answers with an error of
// its own.
func away(err error) bool {
	var answer *bucket.Error
	if errors.As(err, &answer) {
		return answer.Status == 0 || answer.Status == http.StatusTooManyRequests || answer.Status >= http.StatusInternalServerError
	}
	var status interface{ HTTPStatusCode() int } // of SQS, by the SDK
	if errors.As(err, &status) && status.HTTPStatusCode() != 0 {
		return status.HTTPStatusCode() >= http.StatusInternalServerError
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded)
}
