package worker

import (
	"context"
	"time"

	"github.com/angel-nft/google-shuffle/internal/retry"
)

// jitter is a random pause of up to base · 2^try, at most most.
func jitter(base time.Duration, try int, most time.Duration) time.Duration {
	return 1 + retry.Backoff(base, try, most)
}

// sleep waits, and says whether it could do so to the end. ends may be nil.
func sleep(ctx context.Context, d time.Duration, ends <-chan struct{}) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ends:
	case <-ctx.Done():
	}
	return false
}
