// Package tracker counts how the tasks of a run end, proves the outcome by listing the destination
// again, and publishes the dataset version.
//
// The core is pure: Ledger, the verdict, the comparison. Around it, Run goes in steps. A step reads
// the pointer, receives messages, folds them into the ledger, checkpoints that in the bucket,
// acknowledges the messages, and then does what the run needs next (session.step).
//
// # Why nothing is lost and nothing counted twice
//
// What a message reports is saved in an order in which each object only grows by a union: pairs of
// ETags, then the dead list, then the ledger. Only then the message is deleted (session.process). A
// tracker that dies anywhere in between leaves the message on its queue. The tracker that receives
// it again changes nothing by saving it again. So any number of trackers may run at once. The end
// of a run is a sequence of the same kind: version, report, and last the pointer, whose conditional
// write succeeds for one of them only.
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
	// Awake is the results queue as a sender, by which a tracker that is scaled by the queues'
	// metrics keeps running while a run is active. nil sends nothing.
	Awake   queue.BatchSender
	Deleter state.Remover // removes old dataset versions and runs; nil keeps them all
	Options Options
	Log     *zap.Logger // nil logs nothing
}

// Options of a tracker.
type Options struct {
	// UntilDone makes Run return when the run in force has ended, also when that was before Run.
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
	// Progress is called with the status of the run in force, after each step and when its state
	// changes. It must not block.
	Progress func(state.Status)
	// Page makes the report's page, report.html; nil writes none.
	Page func(ctx context.Context, r *state.Report) ([]byte, error)
	// OnResults is called with each results message that has been counted. It must not block.
	OnResults func(messages.Results)
}

// DefaultStall is the time without results after which open tasks are published again.
const DefaultStall = 10 * time.Minute

// minDead dead tasks never halt a run: in a small one a few are a large share.
const minDead = 20

// idleWait is how long one receive waits while no run is active: SQS bills empty receives. A
// message ends the wait at once. SQS allows 20 s, but a tracker that is stopped waits for its
// receive, since one that is cut off hides messages.
const idleWait = 5 * time.Second

// takeoverDelay is how long the pointer must be unchanged before this tracker takes a step that
// another tracker, or the planner, was about to take.
const takeoverDelay = 5 * time.Second

// maxFailing is how long a tracker tries when every step fails by an error that does not pass by
// itself, such as a missing right. Then Run ends with the error. A service that does not answer is
// tried for ever.
const maxFailing = 5 * time.Minute

func (t *Tracker) log() *zap.Logger {
	if t.Log == nil {
		return zap.NewNop()
	}
	return t.Log
}

func (t *Tracker) stallTime() time.Duration {
	if t.Options.Stall > 0 {
		return t.Options.Stall
	}
	return DefaultStall
}

func (t *Tracker) pollInterval() time.Duration {
	if t.Options.Poll > 0 {
		return t.Options.Poll
	}
	return time.Second
}

// Run follows the run in force, and every later one, until ctx ends. With UntilDone it returns the
// status of the run in force when that has ended. When there is no run it waits for the first. When
// ctx ends it saves and acknowledges what it has received, which takes a second or two, and returns
// ctx's error.
func (t *Tracker) Run(ctx context.Context) (state.Status, error) {
	s := newSession(t)
	defer s.close(ctx)
	var failing time.Time
	for try := 0; ; {
		s.keepAwake(ctx)
		done, err := s.step(ctx)
		switch {
		case done && err == nil && s.final != nil:
			return *s.final, nil
		case done && err == nil:
			return state.ReadStatus(ctx, t.Store, s.run.pointer.Run)
		case ctx.Err() != nil:
			return s.status(), ctx.Err()
		case err == nil, errors.Is(err, state.ErrConflict):
			try, failing = 0, time.Time{} // a conflict: another process took the step
			s.clearNote(ctx)
			continue
		case errors.Is(err, queue.ErrNotFound):
			return s.status(), fmt.Errorf("track: %w; shuffle setup creates the queues", err)
		}
		if failing.IsZero() || isOutage(err) {
			failing = time.Now()
		}
		if time.Since(failing) > maxFailing {
			return s.status(), fmt.Errorf("track: failing for %s: %w; shuffle doctor shows what to fix, and nothing is lost meanwhile", maxFailing, err)
		}
		t.log().Warn("a step failed and is tried again", zap.String("run", s.run.pointer.Run), zap.Error(err))
		s.writeTrouble(ctx, err)
		_ = retry.Sleep(ctx, min(time.Second<<try, 30*time.Second))
		try = min(try+1, 5)
	}
}

// isOutage reports whether an error is of a service that does not answer, or that answers with an
// error of its own.
func isOutage(err error) bool {
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
