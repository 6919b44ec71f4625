package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

func TestSpecValidate(t *testing.T) {
	const url = "https://sqs.us-west-2.amazonaws.com/123456789012/tasks"
	for _, tc := range []struct {
		name string
		spec queue.Spec
		want string // in the error; "" is valid
	}{
		{"a name is enough", queue.Spec{Name: "google-shuffle_1"}, ""},
		{"a URL", queue.Spec{Name: url}, ""},
		{"all of it", queue.Spec{Name: "q", VisibilityTimeout: 12 * time.Hour, MaxReceiveCount: 1000, DeadLetterQueue: "d"}, ""},
		{"no name", queue.Spec{}, "name is empty"},
		{"a name with a dot", queue.Spec{Name: "q.fifo"}, `"q.fifo"`},
		{"a long name", queue.Spec{Name: strings.Repeat("q", 81)}, "1 to 80"},
		{"a bad name of the dead-letter queue", queue.Spec{Name: "q", MaxReceiveCount: 1, DeadLetterQueue: "d d"}, `"d d"`},
		{"half a second", queue.Spec{Name: "q", VisibilityTimeout: 500 * time.Millisecond}, "whole seconds"},
		{"a negative time", queue.Spec{Name: "q", VisibilityTimeout: -time.Second}, "0s to 12h"},
		{"too long", queue.Spec{Name: "q", VisibilityTimeout: 12*time.Hour + time.Second}, "0s to 12h"},
		{"a count alone", queue.Spec{Name: "q", MaxReceiveCount: 3}, "both"},
		{"a dead-letter queue alone", queue.Spec{Name: "q", DeadLetterQueue: "d"}, "both"},
		{"a negative count", queue.Spec{Name: "q", MaxReceiveCount: -1, DeadLetterQueue: "d"}, "1 to 1000"},
		{"too large a count", queue.Spec{Name: "q", MaxReceiveCount: 1001, DeadLetterQueue: "d"}, "1 to 1000"},
		{"its own dead letters", queue.Spec{Name: "q", MaxReceiveCount: 3, DeadLetterQueue: "q"}, "its own"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			switch err := tc.spec.Validate(); {
			case tc.want == "" && err != nil:
				t.Error(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}
