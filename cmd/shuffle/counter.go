package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// counter shows the progress of work that this process does itself: a bar on a terminal, elsewhere
// a line every few seconds.
type counter struct {
	screen *screen
	verb   string
	tty    bool

	mu        sync.Mutex
	container *mpb.Progress
	bar       *mpb.Bar
	lastLine  time.Time
	newest    int
}

func (a *app) newCounter(verb string) *counter {
	return &counter{screen: a.screen, verb: verb, tty: isTerminal(a.screen.stderr), lastLine: time.Now()}
}

// update may be called from many goroutines, and out of order.
func (c *counter) update(done, total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = max(c.newest, done)
	switch {
	case c.tty && c.bar == nil:
		c.container, c.bar = newBar(c.screen, total,
			mpb.PrependDecorators(decor.Name(c.verb+" ")), mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d")))
	case c.tty:
		c.bar.SetCurrent(int64(c.newest))
	case time.Since(c.lastLine) >= lineEvery:
		c.lastLine = time.Now()
		// An error of stderr cannot be reported.
		_, _ = fmt.Fprintf(c.screen, "%s: %d of %d\n", c.verb, c.newest, total)
	}
}

func (c *counter) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar == nil {
		return
	}
	closeBar(c.screen, c.container, c.bar)
	c.bar = nil
}
