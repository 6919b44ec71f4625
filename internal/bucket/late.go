package bucket

import (
	"context"
	"fmt"
	"time"
)

// Late is an error when the deadline of a context has passed by the clock: the last look before a write that must not come after it.
// The context's own Err is too slow for that. A process that was stopped and goes on runs where it was, and its timers ring
// a moment later. What is left is the time between this look and the system call that follows it.
func Late(ctx context.Context) error {
	until, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	return LateFor(until)
}

// LateFor is Late for a deadline. Both clocks count: the monotonic one may stand still while a virtual machine is suspended.
func LateFor(until time.Time) error {
	now := time.Now()
	if now.Before(until) && now.Round(0).Before(until.Round(0)) {
		return nil
	}
	return fmt.Errorf("too late for a write by %s: %w", now.Sub(until), context.DeadlineExceeded)
}
