package queue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

func TestChanges(t *testing.T) {
	spec := queue.Spec{Name: "tasks", VisibilityTimeout: time.Minute, MaxReceiveCount: 5, DeadLetterQueue: "https://sqs/1/dead"}
	good := queue.Attributes{VisibilityTimeout: time.Minute, MaxReceiveCount: 5, DeadLetterQueue: "dead", Retention: queue.Retention, MaxMessageBytes: queue.MinMessageBytes}
	for _, tc := range []struct {
		name  string
		spoil func(*queue.Attributes)
		want  []string
	}{
		{"as it is to be", func(*queue.Attributes) {}, nil},
		{"in a file", func(a *queue.Attributes) { a.Retention, a.MaxMessageBytes = 0, 0 }, nil},
		{"messages in use", func(a *queue.Attributes) { a.Visible, a.InFlight, a.MaxMessageBytes = 3, 1, queue.MaxBatchBytes }, nil},
		{"visibility", func(a *queue.Attributes) { a.VisibilityTimeout = time.Second }, []string{"visibility timeout 1s → 1m0s"}},
		{"no redrive", func(a *queue.Attributes) { a.DeadLetterQueue, a.MaxReceiveCount = "", 0 }, []string{"no redrive → redrive to https://sqs/1/dead after 5 receives"}},
		{"redrive elsewhere", func(a *queue.Attributes) { a.DeadLetterQueue = "results" }, []string{"redrive to results after 5 receives → redrive to https://sqs/1/dead after 5 receives"}},
		{"delay and more", func(a *queue.Attributes) { a.Delay, a.Retention, a.MaxMessageBytes = 15*time.Minute, time.Minute, 1024 },
			[]string{"delay 15m0s → 0s", "retention 1m0s → 336h0m0s", "largest message 1024 → 262144 bytes"}},
	} {
		a := good
		tc.spoil(&a)
		if got := spec.Changes(a); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestOwnerDelay(t *testing.T) {
	for receives, want := range map[int]time.Duration{0: 0, 1: 0, 2: 4 * time.Second, 3: 8 * time.Second, 5: 32 * time.Second, 6: time.Minute, 1 << 30: time.Minute} {
		if got := queue.OwnerDelay(receives); got != want {
			t.Errorf("after %d receives %s, want %s", receives, got, want)
		}
	}
}
