package benchserver

import (
	"testing"
	"time"
)

func TestWriteLimit(t *testing.T) {
	t.Parallel()
	l := &writeLimit{}
	now := time.Now()
	if got := l.take(now, 1e6); got != 1e6 {
		t.Errorf("without a limit %d of 1,000,000 writes are granted", got)
	}
	l.set(1000)
	now = l.filled
	for _, step := range []struct {
		name          string
		after         time.Duration
		wanted, grant int
	}{
		{"the burst", 0, 250, 100},
		{"nothing is left", 0, 1, 0},
		{"10 ms are 10 writes", 10 * time.Millisecond, 20, 10},
		{"some are left over", 10 * time.Millisecond, 4, 4},
		{"and kept", 0, 10, 6},
		{"no more than the burst is saved up", time.Hour, 250, 100},
	} {
		now = now.Add(step.after)
		if got := l.take(now, step.wanted); got != step.grant {
			t.Errorf("%s: %d of %d writes are granted, want %d", step.name, got, step.wanted, step.grant)
		}
	}
}
