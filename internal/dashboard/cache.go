package dashboard

import (
	"context"
	"sync"
	"time"
)

const (
	// runTTL is how old a run may be when it is shown: all who watch it share one reading a
	// second.
	runTTL = time.Second
	// endedRunTTL is how long the status of a run that is no longer in force is kept. Nothing
	// changes it but late results.
	endedRunTTL = time.Minute
	// maxCacheEntries bounds a cache.
	maxCacheEntries = 256
)

// cache keeps what was read for a while. Who asks for what is being read waits for that reading.
type cache[K comparable, V any] struct {
	ttl time.Duration
	max  int // entries

	mu  sync.Mutex
	all map[K]*cacheEntry[V]
}

type cacheEntry[V any] struct {
	done  chan struct{}
	at    time.Time // when it began
	value V
	err   error
}

func newCache[K comparable, V any](fresh time.Duration) *cache[K, V] {
	return &cache[K, V]{ttl: fresh, max: maxCacheEntries, all: map[K]*cacheEntry[V]{}}
}

// get gives the value, which read reads if need be. The reading goes on when the one who asked
// first has left.
func (c *cache[K, V]) get(ctx context.Context, key K, read func(context.Context) (V, error)) (V, error) {
	c.mu.Lock()
	r := c.all[key]
	if r == nil || time.Since(r.at) >= c.ttl {
		r = &cacheEntry[V]{done: make(chan struct{}), at: time.Now()}
		c.put(key, r)
		go func() {
			defer close(r.done)
			r.value, r.err = read(context.WithoutCancel(ctx))
		}()
	}
	c.mu.Unlock()
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// put forgets what is stale, and all when that is not enough.
func (c *cache[K, V]) put(key K, r *cacheEntry[V]) {
	if len(c.all) >= c.max {
		for k, old := range c.all {
			if time.Since(old.at) >= c.ttl {
				delete(c.all, k)
			}
		}
	}
	if len(c.all) >= c.max {
		clear(c.all)
	}
	c.all[key] = r
}
