package benchserver

import (
	"sync"
	"time"
)

// burst is the part of a second's writes that may be sent at the same moment.
const burst = 100 * time.Millisecond

// writeLimit limits the writes per second. It is a token bucket with the size of the burst.
type writeLimit struct {
	mu     sync.Mutex
	rate   float64 // per second; 0: no limit
	tokens float64
	filled time.Time
}

func (l *writeLimit) set(perSecond int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate = float64(perSecond)
	l.tokens, l.filled = l.most(), time.Now()
}

func (l *writeLimit) most() float64 { return max(1, l.rate*burst.Seconds()) }

// take returns how many of the wanted writes are granted now.
func (l *writeLimit) take(now time.Time, wanted int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate == 0 {
		return wanted
	}
	if since := now.Sub(l.filled); since > 0 {
		l.tokens, l.filled = min(l.most(), l.tokens+since.Seconds()*l.rate), now
	}
	granted := min(wanted, int(l.tokens))
	l.tokens -= float64(granted)
	return granted
}
