package sqlitequeue_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
)

// The tests of this file run on synctest's clock, so times are exact and no test really waits.

func TestReceipts(t *testing.T) {
	const visibility = time.Minute
	const expired, invalid = "AWS.SimpleQueueService.MessageNotInflight", "ReceiptHandleIsInvalid"
	for _, tc := range []struct {
		name           string
		after          time.Duration // from the first receive
		again, removed bool          // it is received again then, or deleted
		deleting       string        // codes of the first receipt's use; "" is done
		changing       string
	}{
		{name: "in flight", after: visibility - time.Millisecond},
		{name: "visible again", after: visibility, changing: expired},
		{name: "received again", after: visibility, again: true, deleting: invalid, changing: invalid},
		{name: "deleted", removed: true, changing: "InvalidParameterValue"},
		{name: "received again and deleted", after: visibility, again: true, removed: true, changing: "InvalidParameterValue"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			prepare := func(t *testing.T) (q *sqlitequeue.Queue, first string, after queue.Attributes) {
				q = openQueue(t, filepath.Join(t.TempDir(), "queues.db"), queue.Spec{Name: "q", VisibilityTimeout: visibility})
				send(t, q, []queue.Entry{{Body: "a"}})
				m := receive(t, q)[0]
				first = m.Receipt
				<-time.After(tc.after)
				if tc.again {
					m = receive(t, q)[0]
				}
				if tc.removed {
					remove(t, q, []string{m.Receipt})
				}
				after, err := q.GetQueueAttributes(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return q, first, after
			}
			synctest.Test(t, func(t *testing.T) {
				q, first, before := prepare(t)
				failed, err := q.ChangeMessageVisibilityBatch(t.Context(), []string{first}, time.Hour)
				wantCode(t, failed, err, tc.changing)
				if after, err := q.GetQueueAttributes(t.Context()); err != nil || after != before {
					t.Errorf("counts %+v, error %v; want %+v as before", after, err, before)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				q, first, before := prepare(t)
				failed, err := q.DeleteMessageBatch(t.Context(), []string{first})
				wantCode(t, failed, err, tc.deleting)
				after, err := q.GetQueueAttributes(t.Context())
				if gone := after.Visible+after.InFlight == 0; err != nil || gone != (tc.deleting == "") {
					t.Errorf("counts %+v after %+v, error %v", after, before, err)
				}
			})
		})
	}
}

// wantCode fails unless there is one failure with the code by the sender's fault, or none where the
// code is "".
func wantCode(t *testing.T, failed []queue.Failure, err error, code string) {
	t.Helper()
	switch {
	case err != nil:
		t.Error(err)
	case code == "" && len(failed) > 0:
		t.Errorf("failures %+v, want none", failed)
	case code != "" && (len(failed) != 1 || failed[0].Code != code || !failed[0].SenderFault || failed[0].Index != 0):
		t.Errorf("failures %+v, want %s by the sender's fault", failed, code)
	}
}

// TestReceiptOfAnotherQueue: a message that has gone to the dead-letter queue is out of reach of
// its old receipts, and those of one queue are nothing to another.
func TestReceiptOfAnotherQueue(t *testing.T) {
	f := openFile(t, filepath.Join(t.TempDir(), "queues.db"), queue.Spec{Name: "dead"},
		queue.Spec{Name: "tasks", MaxReceiveCount: 1, DeadLetterQueue: "dead"})
	q, dead := named(t, f, "tasks"), named(t, f, "dead")
	send(t, q, []queue.Entry{{Body: "a"}})
	old := receive(t, q)[0].Receipt
	failed, err := q.ChangeMessageVisibilityBatch(t.Context(), []string{old}, 0)
	wantCode(t, failed, err, "")
	if messages := receive(t, q); len(messages) > 0 {
		t.Fatalf("received %+v more than once", messages)
	}
	letter := receive(t, dead)[0]
	remove(t, q, []string{old}) // there it is gone, which is no failure
	failed, err = dead.DeleteMessageBatch(t.Context(), []string{old})
	wantCode(t, failed, err, "ReceiptHandleIsInvalid")
	remove(t, dead, []string{letter.Receipt})
}

func named(t *testing.T, f *sqlitequeue.File, name string) *sqlitequeue.Queue {
	t.Helper()
	q, err := f.Queue(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestWakeUp: how long after an event a long poll ends. One message is in flight when it begins.
func TestWakeUp(t *testing.T) {
	const visibility, look, offTick = 4 * time.Second, 25 * time.Millisecond, time.Millisecond
	type event func(t *testing.T, mine, others *sqlitequeue.Queue, receipt string)
	giveBack := func(t *testing.T, q *sqlitequeue.Queue, receipt string) {
		failed, err := q.ChangeMessageVisibilityBatch(t.Context(), []string{receipt}, 0)
		wantCode(t, failed, err, "")
	}
	for _, tc := range []struct {
		name, poll string
		at, within time.Duration
		event      event
	}{
		{"sent by this process", "tasks", 3*time.Second + offTick, 0, func(t *testing.T, mine, _ *sqlitequeue.Queue, _ string) {
			send(t, mine, []queue.Entry{{Body: "a"}})
		}},
		{"sent by another", "tasks", 3*time.Second + offTick, look, func(t *testing.T, _, others *sqlitequeue.Queue, _ string) {
			send(t, others, []queue.Entry{{Body: "a"}})
		}},
		{"given back", "tasks", 3*time.Second + offTick, 0, func(t *testing.T, mine, _ *sqlitequeue.Queue, receipt string) {
			giveBack(t, mine, receipt)
		}},
		{"given back by another", "tasks", 3*time.Second + offTick, look,
			func(t *testing.T, _, others *sqlitequeue.Queue, receipt string) { giveBack(t, others, receipt) }},
		{"moved to the dead-letter queue", "dead", 5*time.Second + offTick, 0,
			func(t *testing.T, mine, _ *sqlitequeue.Queue, _ string) { receive(t, mine) }},
		{"the visibility timeout has ended", "tasks", visibility, look, nil},
		{"nothing", "dead", queue.MaxWait, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "queues.db")
				f := openFile(t, path, queue.Spec{Name: "dead"},
					queue.Spec{Name: "tasks", VisibilityTimeout: visibility, MaxReceiveCount: 1, DeadLetterQueue: "dead"})
				mine, others := named(t, f, "tasks"), named(t, openFile(t, path), "tasks")
				send(t, mine, []queue.Entry{{Body: "in flight"}})
				receipt := receive(t, mine)[0].Receipt
				if tc.poll == "tasks" { // It can be received again.
					setMaxReceiveCount(t, f, 5, visibility)
				}
				start := time.Now()
				polled := make(chan time.Duration, 1)
				go func() {
					if _, err := named(t, f, tc.poll).ReceiveMessage(t.Context(), 1, queue.MaxWait); err != nil {
						t.Error(err)
					}
					polled <- time.Since(start)
				}()
				if tc.event != nil {
					<-time.After(tc.at)
					tc.event(t, mine, others, receipt)
				}
				if took := <-polled; took < tc.at || took > tc.at+tc.within {
					t.Errorf("the long poll took %s, want %s to %s", took, tc.at, tc.at+tc.within)
				}
			})
		})
	}
}

func setMaxReceiveCount(t *testing.T, f *sqlitequeue.File, count int, visibility time.Duration) {
	t.Helper()
	spec := queue.Spec{Name: "tasks", VisibilityTimeout: visibility, MaxReceiveCount: count, DeadLetterQueue: "dead"}
	if err := f.Setup(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
}

// TestExhausted: messages that were all received too often do not stop the one behind them.
func TestExhausted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openFile(t, filepath.Join(t.TempDir(), "queues.db"), queue.Spec{Name: "dead"},
			queue.Spec{Name: "tasks", VisibilityTimeout: time.Second, MaxReceiveCount: 1, DeadLetterQueue: "dead"})
		q := named(t, f, "tasks")
		for range 3 {
			send(t, q, make10("poison"))
			receive(t, q)
		}
		<-time.After(time.Second)
		send(t, q, []queue.Entry{{Body: "good"}})
		if messages := receive(t, q); len(messages) != 1 || messages[0].Body != "good" {
			t.Errorf("received %+v, want the good one", messages)
		}
		a, err := named(t, f, "dead").GetQueueAttributes(t.Context())
		if err != nil || a.Visible != 30 {
			t.Errorf("dead-letter queue: %+v, error %v; want 30 messages", a, err)
		}
	})
}

// TestDeadLettersInOrder: messages that one receive moves are on the dead-letter queue in the order
// in which they were sent, however long each has been visible.
func TestDeadLettersInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openFile(t, filepath.Join(t.TempDir(), "queues.db"), queue.Spec{Name: "dead"},
			queue.Spec{Name: "tasks", VisibilityTimeout: time.Second, MaxReceiveCount: 1, DeadLetterQueue: "dead"})
		q := named(t, f, "tasks")
		send(t, q, []queue.Entry{{Body: "a"}, {Body: "b"}})
		failed, err := q.ChangeMessageVisibilityBatch(t.Context(), []string{receive(t, q)[0].Receipt}, 2*time.Second)
		wantCode(t, failed, err, "")
		<-time.After(2 * time.Second)
		if messages := receive(t, q); len(messages) > 0 {
			t.Fatalf("received %+v more than once", messages)
		}
		letters, err := named(t, f, "dead").ReceiveMessage(t.Context(), 1, 0)
		if err != nil || len(letters) != 1 || letters[0].Body != "a" {
			t.Errorf("first dead letter %+v, error %v; want a", letters, err)
		}
	})
}

func make10(body string) []queue.Entry {
	entries := make([]queue.Entry, queue.MaxBatch)
	for i := range entries {
		entries[i].Body = body
	}
	return entries
}

// TestCancelHidesNothing: a receive that ends with an error has received nothing, whenever its
// context ended.
func TestCancelHidesNothing(t *testing.T) {
	q := openQueue(t, filepath.Join(t.TempDir(), "queues.db"), queue.Spec{Name: "q", VisibilityTimeout: time.Hour})
	const count = 200
	for range count / queue.MaxBatch {
		send(t, q, make10("a"))
	}
	inHand, cancelled := 0, 0
	for i := 0; inHand < count; i++ {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Duration(i%40)*10*time.Microsecond, cancel)
		messages, err := q.ReceiveMessage(ctx, 1, 0)
		cancel()
		switch {
		case errors.Is(err, context.Canceled):
			cancelled++
		case err != nil:
			t.Fatal(err)
		case len(messages) == 0:
			t.Fatalf("%d of %d messages in hand, and the queue has no more: %d receives were cancelled", inHand, count, cancelled)
		}
		inHand += len(messages)
	}
}
