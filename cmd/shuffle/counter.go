package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// counter shows how far something is that this process does itself: a bar on a terminal, a line now
// and then elsewhere.
type counter struct {
	screen *screen
	verb   string
	tty    bool

	mu     sync.Mutex
	all    *mpb.Progress
	one    *mpb.Bar
	said   time.Time
	newest int
}

func (a *app) counter(verb string) *counter {
	return &counter{screen: a.screen, verb: verb, tty: isTerminal(a.screen.stderr), said: time.Now()}
}

// update may be called from many goroutines, and out of order.
func (c *counter) update(done, total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = max(c.newest, done)
	switch {
	case c.tty && c.one == nil:
		c.all, c.one = newBar(c.screen, total,
			mpb.PrependDecorators(decor.Name(c.verb+" ")), mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d")))
	case c.tty:
		c.one.SetCurrent(int64(c.newest))
	case time.Since(c.said) >= lineEvery:
		c.said = time.Now()
		_, _ = fmt.Fprintf(c.screen, "%s: %d of %d\n", c.verb, c.newest, total) // stderr; there is nobody to tell
	}
}

func (c *counter) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.one == nil {
		return
	}
	closeBar(c.screen, c.all, c.one)
	c.one = nil
}
