package dashboard

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Simultaneous callers share one read while it is fresh. The first caller may leave.
func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache[string, int](time.Second)
		var readings atomic.Int64
		read := func(ctx context.Context) (int, error) {
			time.Sleep(100 * time.Millisecond) //nolint:forbidigo // Fake time: the duration of a read.
			return int(readings.Add(1)), ctx.Err()
		}
		first, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := c.get(first, "a", read); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who left: %v", err)
			}
		})
		synctest.Wait()
		for range 10 {
			all.Go(func() {
				if n, err := c.get(t.Context(), "a", read); n != 1 || err != nil {
					t.Errorf("reading %d, error %v", n, err)
				}
			})
		}
		leave()
		all.Wait()
		time.Sleep(time.Second) //nolint:forbidigo // Fake time: it is stale now.
		if n, err := c.get(t.Context(), "a", read); n != 2 || err != nil {
			t.Errorf("after a second: reading %d, error %v", n, err)
		}
	})
}

// The cache keeps a limited number of values.
func TestCacheIsBounded(t *testing.T) {
	c := newCache[int, int](time.Hour)
	for key := range 10 * maxCacheEntries {
		if n, err := c.get(t.Context(), key, func(context.Context) (int, error) { return key, nil }); n != key || err != nil {
			t.Fatal(n, err)
		}
	}
	if len(c.all) > maxCacheEntries {
		t.Errorf("%d are kept", len(c.all))
	}
}
