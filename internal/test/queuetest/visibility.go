package queuetest

import (
	"maps"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

func testExpiry(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: 3 * time.Second})
	send(t, q, "a")
	first := next(t, q, enough)
	wantNone(t, q, 0)
	second := next(t, q, enough)
	if second.ID != first.ID || second.ReceiveCount != 2 || second.Receipt == first.Receipt || second.Body != "a" {
		t.Errorf("received %+v, then %+v; want the same message with receive count 2 and a new receipt", first, second)
	}
	remove(t, q, second)
	// SQS may accept the old receipt or not.
	if _, err := q.DeleteMessageBatch(t.Context(), []string{first.Receipt}); err != nil {
		t.Errorf("delete with the receipt of an earlier receive: %v", err)
	}
	wantNone(t, q, 4*time.Second)
}

// A message knows how long it waited for its first receive, and only at that one.
func testWaited(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: time.Hour})
	send(t, q, "a")
	wantNone(t, newQueue(t, s, queue.Spec{}), 1100*time.Millisecond) // it passes the time
	first := next(t, q, enough)
	hide(t, q, first, 0)
	if again := next(t, q, enough); first.Waited < time.Second || first.Waited > time.Minute || again.Waited != 0 {
		t.Errorf("the message waited %s, then %s; expected a second and more, then 0", first.Waited, again.Waited)
	}
}

func testGiveBack(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: time.Hour})
	send(t, q, "a")
	first := next(t, q, enough)
	hide(t, q, first, 0)
	if m := next(t, q, enough); m.ID != first.ID || m.ReceiveCount != 2 {
		t.Errorf("received %+v, want message %s with receive count 2", m, first.ID)
	}
}

func testExtend(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: 2 * time.Second})
	send(t, q, "a")
	held := next(t, q, enough)
	hide(t, q, held, 5*time.Second)
	wantNone(t, q, 3*time.Second)
	if m := next(t, q, enough); m.ID != held.ID {
		t.Errorf("received message %s, want %s", m.ID, held.ID)
	}
}

func testChangeDeleted(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: time.Minute})
	send(t, q, "a", "b")
	gone, held := next(t, q, enough), next(t, q, enough)
	remove(t, q, gone)
	batch := []string{gone.Receipt, held.Receipt, "not a receipt"}
	failed, err := q.ChangeMessageVisibilityBatch(t.Context(), batch, 0)
	if err != nil || len(failed) != 2 || failed[0].Index != 0 || failed[1].Index != 2 {
		t.Fatalf("failures %+v, error %v; want failures of the entries 0 and 2", failed, err)
	}
	if f := failed[1]; f.Code != "ReceiptHandleIsInvalid" {
		t.Errorf("failure %+v, want ReceiptHandleIsInvalid", f)
	}
	if m := next(t, q, enough); m.ID != held.ID {
		t.Errorf("received message %s, want %s", m.ID, held.ID)
	}
}

func testRedrive(t *testing.T, s Server) {
	dead := newName()
	if err := s.Setup(t.Context(), queue.Spec{Name: dead}); err != nil {
		t.Fatal(err)
	}
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: time.Minute, MaxReceiveCount: 2, DeadLetterQueue: dead})
	sent := queue.Entry{Body: "poison", Attributes: map[string]string{"reason": "crash"}}
	failed, err := q.SendMessageBatch(t.Context(), []queue.Entry{sent})
	wantDone(t, failed, err)

	var m queue.Message
	for count := 1; count <= 2; count++ {
		m = next(t, q, enough)
		if m.ReceiveCount != count {
			t.Errorf("receive count %d, want %d", m.ReceiveCount, count)
		}
		wantNone(t, openQueue(t, s, dead), 0)
		hide(t, q, m, 0)
	}
	send(t, q, "good")
	if good := next(t, q, enough); good.Body != "good" {
		t.Errorf("received %+v, want the message behind the one that was received too often", good)
	}
	letter := next(t, openQueue(t, s, dead), enough)
	if letter.ID != m.ID || letter.Body != sent.Body || !maps.Equal(letter.Attributes, sent.Attributes) {
		t.Errorf("dead letter %+v, want message %s as it was sent: %+v", letter, m.ID, sent)
	}
	if letter.ReceiveCount != 3 {
		t.Errorf("receive count of the dead letter %d, want 3: it counts the receives from all queues", letter.ReceiveCount)
	}
}
