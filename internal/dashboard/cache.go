package dashboard

import (
	"context"
	"sync"
	"time"
)

const (
	// runTTL is how long a run is cached: all open pages share one read a second.
	runTTL = time.Second
	// endedRunTTL is how long the status of a run that is no longer in force is cached. Only late
	// results change it.
	endedRunTTL = time.Minute
	// maxCacheEntries limits a cache.
	maxCacheEntries = 256
)

// cache keeps values for some time. Several requests for a value that is being read share one read.
type cache[K comparable, V any] struct {
	ttl time.Duration
	max int // entries

	mu  sync.Mutex
	all map[K]*cacheEntry[V]
}

type cacheEntry[V any] struct {
	done  chan struct{}
	at    time.Time // when the read began
	value V
	err   error
}

func newCache[K comparable, V any](fresh time.Duration) *cache[K, V] {
	return &cache[K, V]{ttl: fresh, max: maxCacheEntries, all: map[K]*cacheEntry[V]{}}
}

// get returns the cached value, or calls read. The read continues when the request that began it is
// cancelled, since others may wait for it.
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

// put adds an entry. When the cache is full it first removes old entries, or all of them if none is
// old.
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
