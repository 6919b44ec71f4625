// Package queuetest has the contract of every queue adapter: the behaviour of SQS on which the
// stages rely.
//
// SQS does not define the effect of a delete with the receipt of an earlier receive, so the
// contract does not either. A wait of 0 may last a second.
package queuetest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Queue is all that an adapter's queue does. A stage declares the few calls of it that it makes.
type Queue interface {
	SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error)
	ReceiveMessage(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error)
	DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error)
	ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error)
	GetQueueAttributes(ctx context.Context) (queue.Attributes, error)
	PurgeQueue(ctx context.Context) error
}

// Server is where an adapter's queues are: a file, or an account.
type Server interface {
	Setup(ctx context.Context, spec queue.Spec) error
	Queue(ctx context.Context, name string) (Queue, error)
}

// Run runs the contract. Each part creates its own queues, with unique names.
func Run(t *testing.T, open func(t *testing.T) Server) {
	parts := []struct {
		name string
		test func(t *testing.T, s Server)
	}{
		{"a queue that does not exist", testAbsent},
		{"set up, again and otherwise", testSetup},
		{"set up with a dead-letter queue that does not exist", testSetupOrder},
		{"set up by several at once", testSetupAtOnce},
		{"send, receive, delete", testRoundTrip},
		{"many messages", testMany},
		{"attributes", testAttributes},
		{"bodies that no queue takes", testRefusedBodies},
		{"limits of a batch", testLimits},
		{"one large message", testLarge},
		{"deletes that fail in part", testPartialDelete},
		{"what was not deleted comes again", testExpiry},
		{"how long a message waited", testWaited},
		{"visibility 0 gives a message back", testGiveBack},
		{"an extension holds a message", testExtend},
		{"visibility of a message that is gone", testChangeDeleted},
		{"redrive to the dead-letter queue", testRedrive},
		{"consumers never hold the same message", testConsumers},
		{"a long poll ends with the first message", testLongPoll},
		{"a long poll ends without a message", testEmptyPoll},
		{"a cancelled long poll", testCancel},
		{"counts", testCounts},
		{"purge", testPurge},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.test(t, open(t))
		})
	}
}

// enough is the time limit of steps that have no other one.
const enough = 10 * time.Second

// newName is a name that no queue has.
func newName() string { return "shuffle-test-" + rand.Text() }

// newQueue sets up a queue by the spec, under a new name.
func newQueue(t *testing.T, s Server, spec queue.Spec) Queue {
	t.Helper()
	spec.Name = newName()
	if err := s.Setup(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	return openQueue(t, s, spec.Name)
}

func openQueue(t *testing.T, s Server, name string) Queue {
	t.Helper()
	q, err := s.Queue(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// send sends a message of each body.
func send(t *testing.T, q Queue, bodies ...string) {
	t.Helper()
	var entries []queue.Entry
	for _, body := range bodies {
		entries = append(entries, queue.Entry{Body: body})
	}
	if err := queue.SendAll(t.Context(), q, entries); err != nil {
		t.Fatal(err)
	}
}

// next receives one message, waiting for it at most the given time.
func next(t *testing.T, q Queue, wait time.Duration) queue.Message {
	t.Helper()
	messages := receive(t, q, 1, wait)
	if len(messages) != 1 {
		t.Fatalf("received %d messages in %s, want 1", len(messages), wait)
	}
	return messages[0]
}

func receive(t *testing.T, q Queue, limit int, wait time.Duration) []queue.Message {
	t.Helper()
	messages, err := q.ReceiveMessage(t.Context(), limit, wait)
	if err != nil {
		t.Fatal(err)
	}
	if len(messages) > limit {
		t.Fatalf("received %d messages, asked for %d", len(messages), limit)
	}
	return messages
}

// wantNone fails when a message can be received within the wait.
func wantNone(t *testing.T, q Queue, wait time.Duration) {
	t.Helper()
	if messages := receive(t, q, queue.MaxBatch, wait); len(messages) > 0 {
		t.Fatalf("received %+v, want nothing", messages)
	}
}

// remove deletes messages, all of which must be deletable.
func remove(t *testing.T, q Queue, messages ...queue.Message) {
	t.Helper()
	failed, err := q.DeleteMessageBatch(t.Context(), receipts(messages))
	wantDone(t, failed, err)
}

// hide changes the visibility of one message.
func hide(t *testing.T, q Queue, m queue.Message, timeout time.Duration) {
	t.Helper()
	failed, err := q.ChangeMessageVisibilityBatch(t.Context(), []string{m.Receipt}, timeout)
	wantDone(t, failed, err)
}

func receipts(messages []queue.Message) (all []string) {
	for _, m := range messages {
		all = append(all, m.Receipt)
	}
	return all
}

func wantDone(t *testing.T, failed []queue.Failure, err error) {
	t.Helper()
	if err != nil || len(failed) > 0 {
		t.Fatalf("failures %+v, error %v; want none", failed, err)
	}
}

// wantRefusal fails unless err has SQS's code.
func wantRefusal(t *testing.T, err error, code string) {
	t.Helper()
	var coded interface {
		error
		ErrorCode() string
	}
	if !errors.As(err, &coded) || coded.ErrorCode() != code {
		t.Errorf("error %v, want one with the code %s", err, code)
	}
}
