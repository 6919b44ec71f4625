package queuetest

import (
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

func testRoundTrip(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{})
	body := "{\"frame\":\"TT_S01_E01_FRM-00-00-08-12\"}\t\r\n <&>'\"\\ %00 ?ü√漢\U0001F3AC"
	send(t, q, body)
	m := next(t, q, enough)
	if m.Body != body || m.ReceiveCount != 1 || m.ID == "" || m.Receipt == "" || len(m.Attributes) != 0 {
		t.Errorf("received %+v, want the body %q, an ID, a receipt and a receive count of 1", m, body)
	}
	wantNone(t, q, 0)
	remove(t, q, m)
	remove(t, q, m) // once more does no harm
	wantNone(t, q, 0)
}

func testMany(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: time.Minute})
	open := make(map[string]bool)
	for i := range 35 {
		open[strconv.Itoa(i)] = true
	}
	var bodies []string
	for body := range open {
		bodies = append(bodies, body)
	}
	send(t, q, bodies...)
	for len(open) > 0 {
		messages := receive(t, q, queue.MaxBatch, enough)
		if len(messages) == 0 {
			t.Fatalf("not received: %v", open)
		}
		for _, m := range messages {
			if !open[m.Body] {
				t.Errorf("received %q twice", m.Body)
			}
			delete(open, m.Body)
		}
		remove(t, q, messages...)
	}
	wantNone(t, q, 0)
}

func testAttributes(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{})
	want := map[string]string{"reason": "AccessDenied: “no” <&>", "worker": "w-1", "attempts": "5"}
	failed, err := q.SendMessageBatch(t.Context(), []queue.Entry{{Body: "b", Attributes: want}})
	wantDone(t, failed, err)
	if got := next(t, q, enough).Attributes; !maps.Equal(got, want) {
		t.Errorf("attributes %q, want %q", got, want)
	}
}

func testRefusedBodies(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{})
	for _, body := range []string{"bell \a", "nul \x00", "escape \x1b[0m", "not a character \uffff"} {
		batch := []queue.Entry{{Body: "good"}, {Body: body}}
		failed, err := q.SendMessageBatch(t.Context(), batch)
		if err != nil || len(failed) != 1 {
			t.Fatalf("%q: failures %+v, error %v; want one failure", body, failed, err)
		}
		if f := failed[0]; f.Index != 1 || f.Code != "InvalidMessageContents" {
			t.Errorf("%q: failure %+v, want InvalidMessageContents of entry 1", body, f)
		}
		if m := next(t, q, enough); m.Body != "good" {
			t.Errorf("received %q, want the good one of the batch", m.Body)
		}
	}
	wantNone(t, q, 0)
}

func testLimits(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{})
	const empty = "AWS.SimpleQueueService.EmptyBatchRequest"
	const many = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
	const long = "AWS.SimpleQueueService.BatchRequestTooLong"
	half := strings.Repeat("x", queue.MaxBatchBytes/2)
	for _, tc := range []struct {
		name, code string
		entries    []queue.Entry
	}{
		{"no entry", empty, nil},
		{"eleven entries", many, slicesOf(queue.MaxBatch+1, queue.Entry{Body: "x"})},
		{"a byte too many", long, []queue.Entry{{Body: half}, {Body: half + "x"}}},
		{"attributes count", long, []queue.Entry{{Body: half}, {Body: half, Attributes: map[string]string{"a": "b"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := q.SendMessageBatch(t.Context(), tc.entries)
			wantRefusal(t, err, tc.code)
		})
	}
	_, err := q.DeleteMessageBatch(t.Context(), nil)
	wantRefusal(t, err, empty)
	_, err = q.DeleteMessageBatch(t.Context(), slicesOf(queue.MaxBatch+1, "r"))
	wantRefusal(t, err, many)
	_, err = q.ChangeMessageVisibilityBatch(t.Context(), slicesOf(queue.MaxBatch+1, "r"), 0)
	wantRefusal(t, err, many)
	wantNone(t, q, 0)
}

func slicesOf[T any](n int, v T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}

func testLarge(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{})
	body := strings.Repeat("<é>x", queue.MaxBatchBytes/5)
	send(t, q, body)
	if m := next(t, q, enough); m.Body != body {
		t.Errorf("a body of %d bytes came back with %d", len(body), len(m.Body))
	}
}

func testPartialDelete(t *testing.T, s Server) {
	q := newQueue(t, s, queue.Spec{VisibilityTimeout: time.Minute})
	send(t, q, "a", "b")
	a, b := next(t, q, enough), next(t, q, enough)
	failed, err := q.DeleteMessageBatch(t.Context(), []string{a.Receipt, "not a receipt", b.Receipt})
	if err != nil || len(failed) != 1 {
		t.Fatalf("failures %+v, error %v; want one failure", failed, err)
	}
	if f := failed[0]; f.Index != 1 || f.Code != "ReceiptHandleIsInvalid" || f.Message == "" {
		t.Errorf("failure %+v, want ReceiptHandleIsInvalid of entry 1", f)
	}
	left, err := q.GetQueueAttributes(t.Context())
	if err != nil || left.InFlight != 0 {
		t.Errorf("in flight %d, error %v; want 0: the others were deleted", left.InFlight, err)
	}
}
