package bucket

import (
	"context"
	"fmt"
	"time"
)

// Late returns an error when the deadline of a context has passed by the clock. It is the last
// check before a write that must not happen after the deadline. The context's own Err is too slow
// for that: when a stopped process continues, its timers fire a moment later. The remaining gap is
// the time between this check and the system call after it.
func Late(ctx context.Context) error {
	until, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	return LateFor(until)
}

// LateFor is Late for a deadline. It compares both clocks, because the monotonic one may stop while
// a virtual machine is suspended.
func LateFor(until time.Time) error {
	now := time.Now()
	if now.Before(until) && now.Round(0).Before(until.Round(0)) {
		return nil
	}
	return fmt.Errorf("too late for a write by %s: %w", now.Sub(until), context.DeadlineExceeded)
}
