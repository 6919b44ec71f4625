package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// answer is the queue's answer to one request: the indexes that fail, or an error.
type answer struct {
	failed      []int
	senderFault bool
	err         error
}

// script is a queue that gives its answers in turn, then accepts everything.
type script struct {
	answers  []answer
	requests [][]string // the bodies of each
	accepted []string
}

func (s *script) SendMessageBatch(_ context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	var a answer
	if n := len(s.requests); n < len(s.answers) {
		a = s.answers[n]
	}
	var bodies []string
	for _, e := range entries {
		bodies = append(bodies, e.Body)
	}
	s.requests = append(s.requests, bodies)
	if a.err != nil {
		return nil, a.err
	}
	var failures []queue.Failure
	for i, body := range bodies {
		if slices.Contains(a.failed, i) {
			failures = append(failures, queue.Failure{Index: i, Code: "Code", Message: "why", SenderFault: a.senderFault})
			continue
		}
		s.accepted = append(s.accepted, body)
	}
	return failures, nil
}

func entries(bodies ...string) (all []queue.Entry) {
	for _, body := range bodies {
		all = append(all, queue.Entry{Body: body})
	}
	return all
}

var errBroken = errors.New("connection reset")

func TestSendAll(t *testing.T) {
	everyTime := slices.Repeat([]answer{{failed: []int{0}}}, 8)
	for _, tc := range []struct {
		name     string
		answers  []answer
		requests string
		is       error
		says     string
	}{
		{name: "accepted", requests: "[[a b c]]"},
		{name: "two fail once", answers: []answer{{failed: []int{0, 2}}}, requests: "[[a b c] [a c]]"},
		{name: "fewer and fewer", answers: []answer{{failed: []int{1, 2}}, {failed: []int{1}}}, requests: "[[a b c] [b c] [c]]"},
		{name: "the answer is lost", answers: []answer{{err: errBroken}}, requests: "[[a b c] [a b c]]"},
		{
			name: "lost, then one fails", answers: []answer{{err: errBroken}, {failed: []int{1}}},
			requests: "[[a b c] [a b c] [b]]",
		},
		{
			name: "refused", answers: []answer{{failed: []int{1}, senderFault: true}},
			requests: "[[a b c]]", says: "Code: why",
		},
		{name: "no such queue", answers: []answer{{err: queue.ErrNotFound}}, requests: "[[a b c]]", is: queue.ErrNotFound},
		{
			name: "one never gets through", answers: everyTime,
			requests: "[[a b c] [a] [a] [a] [a] [a] [a] [a]]", says: "1 of a batch still failing after 8 attempts: Code: why",
		},
		{
			name: "never an answer", answers: slices.Repeat([]answer{{err: errBroken}}, 8),
			requests: fmt.Sprint(slices.Repeat([][]string{{"a", "b", "c"}}, 8)), is: errBroken,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &script{answers: tc.answers}
				err := queue.SendAll(t.Context(), q, entries("a", "b", "c"))
				if got := fmt.Sprint(q.requests); got != tc.requests {
					t.Errorf("requests %s, want %s", got, tc.requests)
				}
				switch failing := tc.is != nil || tc.says != ""; {
				case failing != (err != nil), tc.is != nil && !errors.Is(err, tc.is):
					t.Errorf("error %v, want %v%s", err, tc.is, tc.says)
				case tc.says != "" && !strings.Contains(err.Error(), tc.says):
					t.Errorf("error %v, want one with %q", err, tc.says)
				}
			})
		})
	}
}

// TestSendAllPauses: it waits between attempts, and not for ever.
func TestSendAllPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &script{answers: slices.Repeat([]answer{{failed: []int{0}}}, 7)}
		start := time.Now()
		if err := queue.SendAll(t.Context(), q, entries("a")); err != nil {
			t.Fatal(err)
		}
		// The limits of the seven pauses are 0.1, 0.2, 0.4, 0.8, 1.6, 3.2 and 5 s.
		if took := time.Since(start); took == 0 || took > 11300*time.Millisecond {
			t.Errorf("seven failures took %s, want something up to 11.3s", took)
		}
	})
}

func TestSendAllCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Nanosecond, func() { cancel(errors.New("shutdown")) })
		q := &script{answers: slices.Repeat([]answer{{err: errBroken}}, 8)}
		start := time.Now()
		err := queue.SendAll(ctx, q, entries("a"))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
		if took := time.Since(start); took > time.Nanosecond {
			t.Errorf("it went on for %s", took)
		}
	})
}

// TestSendAllBatches: whatever the sizes, each entry is sent once and in order, and no request is
// over the limits unless a single entry is.
func TestSendAllBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{1, 400, 104_857, 104_858, 524_288, 1 << 20, 1<<20 + 1}), 0, 40).Draw(t, "sizes")
		var all []queue.Entry
		var want []string
		for i, size := range sizes {
			body := fmt.Sprintf("%0*d", size, i%10)
			all = append(all, queue.Entry{Body: body})
			want = append(want, body)
		}
		q := &script{}
		if err := queue.SendAll(t.Context(), q, all); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(q.accepted, want) {
			t.Fatalf("sent %d entries, want %d, or another order", len(q.accepted), len(want))
		}
		for i, request := range q.requests {
			size := len(strings.Join(request, ""))
			if len(request) > queue.MaxBatch || (size > queue.MaxBatchBytes && len(request) > 1) {
				t.Errorf("request %d has %d entries and %d bytes", i, len(request), size)
			}
			if i+1 < len(q.requests) && len(request) < queue.MaxBatch && size+len(q.requests[i+1][0]) <= queue.MaxBatchBytes {
				t.Errorf("request %d has %d entries and %d bytes, and one more would have fitted", i, len(request), size)
			}
		}
	})
}

func TestEntrySize(t *testing.T) {
	e := queue.Entry{Body: "body", Attributes: map[string]string{"reason": "no", "w": ""}}
	if got, want := e.Size(), len("body")+len("reasonStringno")+len("wString"); got != want {
		t.Errorf("size %d, want %d", got, want)
	}
}
