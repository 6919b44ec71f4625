// Package retry has the waits between two attempts: exponential backoff with full jitter, and a
// sleep that ends with the context.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Jitter returns a random wait of at least 0 and less than most, which must be more than 0. So
// processes that failed at the same time do not retry at the same time. It is a variable, so that a
// test can replay a schedule. The test must set it before it starts anything.
var Jitter = rand.N[time.Duration]

// Backoff returns the wait before the retry with this index, from 0. It is random, less than base ·
// 2^attempt, and less than most.
func Backoff(base time.Duration, attempt int, most time.Duration) time.Duration {
	limit := most
	if attempt < 32 {
		limit = min(base<<attempt, most)
	}
	return Jitter(limit)
}

// Sleep waits for d. It ends early with the context's error when ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
