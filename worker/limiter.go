package worker

import (
	"cmp"
	"sync"
	"time"
)

// limiter decides how much the worker asks of the bucket at a time, from nothing but the answers.
//
// The rate of writes is what is limited (pace), because a bucket's limit is one: at 256 requests at a time a small change of
// the latency is a large change of the rate. The number of slots climbs while that brings more (climb), until the bucket has
// refused something; from then on the slots follow the rate.
type limiter struct {
	mu      sync.Mutex
	most    int
	climb   climb
	pace    pace
	latency time.Duration // of the answers, smoothed
	least   time.Duration // the least mean latency of a window
	window  window
	offered float64 // writes and other requests a second in the last window, unless the pace held them up; then 0
}

// answer counts what one request came to, in keys. A request without an answer is the zero value.
type answer struct{ served, refused int }

// window is the time over which the limiter counts before it changes its mind.
type window struct {
	since   time.Time
	answers int
	took    time.Duration // all answers together
	served  int
	refused int
	full    bool // all slots were taken
	turns   int  // of writes
	waited  int  // of them, those that were not at once
}

// paced says that the pace held the worker up, and not only a few that came at the same moment.
func (w window) paced() bool { return 2*w.waited > w.turns }

// touched says that the pace may have held the worker up.
func (w window) touched() bool { return 5*w.waited > w.turns }

const (
	minWindow = 100 * time.Millisecond
	firstStep = 96 // slots to begin with
)

func newLimiter(most int) *limiter {
	return &limiter{most: most, climb: climb{slots: min(firstStep, most), most: most}, pace: newPace()}
}

// slots is how many messages may be asked for or worked on at a time.
func (l *limiter) slots() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.pace.known {
		return l.climb.slots
	}
	return min(slotsFor(l.pace.rate(), l.latency), l.most)
}

// rate is the pace, or 0 while no limit is known.
func (l *limiter) rate() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.pace.known {
		return 0
	}
	return l.pace.rate()
}

// full tells that there was more to do than slots.
func (l *limiter) full() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.window.full = true
}

// ask gives so many writes their place in the row.
func (l *limiter) ask(now time.Time, writes int) (place float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	place = l.pace.ask(now, writes)
	l.window.turns++
	if l.pace.wait(now, place) > 0 {
		l.window.waited++
	}
	return place
}

// wait is the time until the turn of a place, as it seems now; 0: it has come.
func (l *limiter) wait(now time.Time, place float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pace.wait(now, place)
}

// finish learns from the answer to a request that began at begun.
func (l *limiter) finish(now, begun time.Time, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a == (answer{}) {
		return // no answer tells nothing about the bucket's limit
	}
	l.learnLatency(now.Sub(begun))
	l.window.answers++
	l.window.took += now.Sub(begun)
	l.window.served += a.served
	l.window.refused += a.refused
	l.pace.learn(now, begun, a, min(cmp.Or(l.offered, paceCeiling), l.pace.rate()))
	if length := now.Sub(l.window.since); length >= max(minWindow, 3*l.latency) {
		l.turn(now, length)
	}
}

func (l *limiter) learnLatency(d time.Duration) {
	if l.latency == 0 {
		l.latency = d
	}
	l.latency += (d - l.latency) / 16
}

// turn closes the window.
func (l *limiter) turn(now time.Time, length time.Duration) {
	w := l.window
	l.window, l.offered = window{since: now}, 0
	if w.since.IsZero() {
		return // the first answer of all only opens the first window
	}
	if w.paced() || w.turns == 0 && l.pace.behind() { // nobody asks anew while all wait
		l.pace.grow(min(length, time.Second))
	} else {
		l.offered = float64(w.served+w.refused) / length.Seconds()
	}
	took, served := w.took/time.Duration(w.answers), float64(w.served)/length.Seconds()
	if l.least == 0 || took < l.least {
		l.least = took
	}
	switch {
	case !w.full || l.pace.known:
	case w.touched():
		l.climb.atLeast(slotsFor(1.5*served, l.least))
	default:
		l.climb.step(now, served, took)
	}
}

// slotsFor is how many slots a rate of writes takes: by Little's law rate · latency requests are under way; as many again wait for their turn
// or for the queue.
func slotsFor(rate float64, latency time.Duration) int { return 20 + int(2*rate*latency.Seconds()) }

// climb finds the number of slots from which more slots only bring longer latencies. At first it doubles them; a trial for whose slots the
// answers took longer instead of being more is taken back, and the next one is smaller and later. So one bad moment, of this machine or of the network,
// costs a second and not the run. Where neither changes, what limits is this process or the queue; then more slots do no harm, and stay.
type climb struct {
	slots, most int
	// The step below, what it brought and how long its answers took; zero when the present step is not on trial.
	below   int
	brought float64
	took    time.Duration
	failed  int // trials in a row that brought nothing
	small   bool
	rest    time.Time
}

const (
	climbRest     = time.Second // after a failed trial; doubled by each more,
	climbPatience = 3           // so many times
	climbWorth    = 0.3         // of the gain in slots must be gained in requests a second, or be missing in the latency
	smallStep     = 4           // a quarter more
	minStepSize   = 4
)

// atLeast gives the slots for half as many requests again as there are. What they bring is no trial, since the pace is what limits.
func (c *climb) atLeast(slots int) {
	if slots = min(slots, c.most); slots > c.slots {
		c.slots, c.below = slots, 0
	}
}

// step closes a window in which all slots were in use, so many requests a second were served, and an answer took so long.
func (c *climb) step(now time.Time, served float64, took time.Duration) {
	switch {
	case c.below == 0:
	case c.failing(served, took):
		c.slots, c.below, c.small = c.below, 0, true
		c.rest = now.Add(climbRest << c.failed)
		c.failed = min(c.failed+1, climbPatience)
		return
	default:
		c.failed, c.small = 0, false
	}
	if c.slots == c.most || now.Before(c.rest) {
		c.below = 0
		return
	}
	c.below, c.brought, c.took = c.slots, served, took
	if c.small {
		c.slots += max(minStepSize, c.slots/smallStep)
	} else {
		c.slots *= 2
	}
	c.slots = min(c.slots, c.most)
}

// failing says that the step on trial brought longer latencies, and not more requests a second.
func (c *climb) failing(served float64, took time.Duration) bool {
	worth := 1 + climbWorth*(float64(c.slots)/float64(c.below)-1)
	return served < c.brought*worth && float64(took) > float64(c.took)*worth
}
