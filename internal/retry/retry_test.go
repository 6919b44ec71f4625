package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/retry"
)

func TestBackoff(t *testing.T) {
	for _, test := range []struct {
		base    time.Duration
		attempt int
		most    time.Duration
		limit   time.Duration
	}{
		{50 * time.Millisecond, 0, time.Second, 50 * time.Millisecond},
		{50 * time.Millisecond, 3, time.Second, 400 * time.Millisecond},
		{50 * time.Millisecond, 5, time.Second, time.Second},
		{50 * time.Millisecond, 100, time.Second, time.Second}, // no overflow of the shift
	} {
		var longest time.Duration
		for range 1000 {
			wait := retry.Backoff(test.base, test.attempt, test.most)
			if wait < 0 || wait >= test.limit {
				t.Fatalf("attempt %d: %v, expected at least 0 and less than %v", test.attempt, wait, test.limit)
			}
			longest = max(longest, wait)
		}
		if longest < test.limit/2 {
			t.Errorf("attempt %d: the longest of 1,000 waits is %v, expected up to %v", test.attempt, longest, test.limit)
		}
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := retry.Sleep(t.Context(), time.Minute); err != nil || time.Since(start) != time.Minute {
			t.Errorf("slept %v, %v, expected a minute", time.Since(start), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start = time.Now()
		if err := retry.Sleep(ctx, time.Minute); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("slept %v, %v, expected a second and the end of the context", time.Since(start), err)
		}
		if err := retry.Sleep(ctx, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("no wait in an ended context: %v, expected its error", err)
		}
		if err := retry.Sleep(t.Context(), -1); err != nil {
			t.Errorf("no wait: %v", err)
		}
	})
}
