// Package retry has the waits between two attempts: exponential backoff with full jitter, and a sleep that the context ends.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Jitter draws a random wait of at least 0 and less than most, which must be more than 0. Many processes that failed together do
// not try again together. It is a variable so that a test can replay a schedule: the test sets it before anything runs.
var Jitter = rand.N[time.Duration]

// Backoff is the wait before the attempt with this index, from 0: random, less than base · 2^attempt, and less than most.
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
