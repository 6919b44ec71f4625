// Package queue has the values that the queue adapters (sqsqueue, sqlitequeue) and the stages
// exchange, in SQS's own terms. It declares no interface for the stages. Each stage declares the
// calls that it makes. The contract of all calls is in queuetest.
package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/retry"
)

// Limits of SQS (Developer Guide, message quotas). The SQLite queue has the same limits.
const (
	MaxBatch      = 10      // entries of one batch request, messages of one receive
	MaxBatchBytes = 1 << 20 // bodies and attributes of one SendMessageBatch
	MaxWait       = 20 * time.Second
	MaxVisibility = 12 * time.Hour
)

// ErrNotFound means that the queue does not exist, or that the caller has no access to it.
var ErrNotFound = errors.New("queue does not exist")

// Message is one received message. Receipt is valid for this receive only.
type Message struct {
	ID           string
	Body         string
	Receipt      string
	ReceiveCount int // ApproximateReceiveCount: 1 at the first receive
	// Waited is how long the message waited for its first receive, by the clocks of the queue and of
	// this machine. It is 0 at later receives, and never negative.
	Waited     time.Duration
	Attributes map[string]string
}

// Entry is one message to send.
type Entry struct {
	Body       string
	Attributes map[string]string
}

// Failure is an entry of a batch that failed, by its index in the request.
type Failure struct {
	Index       int
	Code        string
	Message     string
	SenderFault bool // a retry fails too
}

// Attributes of a queue. The three counts are approximate (SQS: a minute and more after producers
// stop) and so never a completion signal.
type Attributes struct {
	Visible  int // ApproximateNumberOfMessages
	InFlight int // ApproximateNumberOfMessagesNotVisible
	Delayed  int // ApproximateNumberOfMessagesDelayed

	VisibilityTimeout time.Duration
	// MaxReceiveCount and DeadLetterQueue are the redrive policy. They are 0 and "" without one.
	MaxReceiveCount int
	DeadLetterQueue string

	Retention       time.Duration // after which a message is deleted; 0: never
	Delay           time.Duration // before a new message can be received
	MaxMessageBytes int           // of one message; 0: MaxBatchBytes
	FIFO            bool          // the program does not use it, see Spec
	KMSKey          string        // the owner's key for encryption; "": none, or SQS's own
}

// BatchSender is the queue that SendAll needs.
type BatchSender interface {
	SendMessageBatch(ctx context.Context, entries []Entry) ([]Failure, error)
}

// SendAll sends entries, at most MaxBatch and MaxBatchBytes in a request. It retries failed entries
// with backoff and jitter, until all are sent, ctx ends, or an entry fails by the sender's fault. A
// message may be sent twice when an answer was lost.
func SendAll(ctx context.Context, q BatchSender, entries []Entry) error {
	for len(entries) > 0 {
		n := batchLen(entries)
		if err := sendBatch(ctx, q, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// batchLen returns how many of the first entries fit in one request. It is at least one, so that
// the queue itself refuses an entry that is too large.
func batchLen(entries []Entry) int {
	size := 0
	for i, e := range entries {
		size += e.Size()
		if i == MaxBatch || (i > 0 && size > MaxBatchBytes) {
			return i
		}
	}
	return len(entries)
}

// Size is the entry's bytes that count against MaxBatchBytes: body, attribute names, types and
// values.
func (e Entry) Size() int {
	n := len(e.Body)
	for k, v := range e.Attributes {
		n += len(k) + len("String") + len(v)
	}
	return n
}

const sendAttempts = 8

func sendBatch(ctx context.Context, q BatchSender, batch []Entry) error {
	var last error
	for attempt := range sendAttempts {
		if attempt > 0 {
			if err := retry.Sleep(ctx, retry.Backoff(50*time.Millisecond, attempt, 5*time.Second)); err != nil {
				return errors.Join(last, err)
			}
		}
		failed, err := q.SendMessageBatch(ctx, batch)
		switch {
		case err != nil && (ctx.Err() != nil || errors.Is(err, ErrNotFound)):
			return fmt.Errorf("send messages: %w", err)
		case err != nil:
			last = err
			continue
		case len(failed) == 0:
			return nil
		}
		again := make([]Entry, 0, len(failed))
		for _, f := range failed {
			last = fmt.Errorf("%s: %s", f.Code, f.Message)
			if f.SenderFault {
				return fmt.Errorf("send message refused: %w", last)
			}
			again = append(again, batch[f.Index])
		}
		batch = again
	}
	return fmt.Errorf("send messages: %d of a batch still failing after %d attempts: %w", len(batch), sendAttempts, last)
}
