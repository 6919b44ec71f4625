package worker

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/angel-nft/google-shuffle/internal/retry"
)

// limiter grants writes in order, at a rate that follows the bucket's refusals (503 SlowDown).
//
// The rate doubles again and again until the first refusal. From then on it is additive increase,
// multiplicative decrease. A refusal opens a sample of the answers; at the sample's end the rate
// falls by the share refused and a little more. Then it climbs: steadily, to use what was left
// over, and with the cube of the time without a refusal, to find out soon that the limit has grown.
// The steady climb goes with the root of the rate and the decrease with the rate itself, so of
// several workers at one limit the slow ones gain on the fast.
type limiter struct {
	mu      sync.Mutex
	base    float64       // writes a second right after the last decrease
	limited bool          // the bucket has refused a write
	calm    time.Duration // time since the last decrease in which writes waited and none was refused

	asked, granted float64   // writes since the beginning; granted runs ahead by a small credit
	counted        time.Time // the time of the last grant

	sampled     time.Time // when the sample began; zero while there is none
	sample      answer
	ignoreUntil time.Time // answers to requests that began earlier change nothing
}

// answer counts the keys that the bucket served and refused in a request. Without an answer both
// are 0.
type answer struct{ served, refused int }

const (
	firstRate  = 1000 // writes a second; low, because several workers may begin at once
	doubling   = 400 * time.Millisecond
	steadyRise = 50 // writes/s per s at a base of steadyBase
	steadyBase = 875
	searchRise = 10 // writes/s per s³
	// A slower worker would notice too late that writes are served again.
	leastRate = 10
	mostRate  = 1e6                  // no bucket takes more
	credit    = 5 * time.Millisecond // compensates for timers that fire late

	sampleTime = 50 * time.Millisecond
	sampleKeys = 16
	extraCut   = 0.04
	// afterCut is how long the decrease of other workers at the same limit may need to take effect.
	afterCut = 150 * time.Millisecond

	// nearTurn is how long a stopping worker still waits for a turn.
	nearTurn = time.Second
	// turnLook is the time after which a waiting write computes its turn again. After many refusals
	// a turn seems to be minutes away, but the rate soon rises.
	turnLook = 250 * time.Millisecond
)

// knownRate is the writes a second that the bucket takes, or 0 before its first refusal.
func (l *limiter) knownRate() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.limited {
		return 0
	}
	return l.rate()
}

func (l *limiter) rate() float64 {
	t := l.calm.Seconds()
	if !l.limited {
		return min(l.base*math.Exp2(t/doubling.Seconds()), mostRate)
	}
	return min(l.base+steadyRise*math.Sqrt(l.base/steadyBase)*t+searchRise*t*t*t, mostRate)
}

// acquire waits until this number of writes may begin. It fails when ctx ends, or when stopping
// ends and the turn is not near.
func (l *limiter) acquire(ctx, stopping context.Context, writes int) error {
	l.mu.Lock()
	l.grant(time.Now())
	place := l.asked // their turn comes when all writes before them are granted
	l.asked += float64(writes)
	l.mu.Unlock()
	for {
		wait, until := l.wait(place), ctx
		if wait > nearTurn {
			until = stopping
		}
		if err := retry.Sleep(until, min(wait, turnLook)); err != nil || wait == 0 {
			return err
		}
	}
}

// wait is the time until a place's turn, at the present rate.
func (l *limiter) wait(place float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grant(time.Now())
	return max(time.Duration((place-l.granted)/l.rate()*float64(time.Second)), 0)
}

// grant grants the writes whose turn has come since the last call. Unused turns are lost, except
// for the credit.
func (l *limiter) grant(now time.Time) {
	passed := min(now.Sub(l.counted), time.Second)
	if passed <= 0 {
		return
	}
	l.counted = now
	l.granted = min(l.granted+l.rate()*passed.Seconds(), l.asked+l.rate()*credit.Seconds())
	if l.granted < l.asked && l.sampled.IsZero() {
		l.calm += passed // the rate climbs only while it is fully used
	}
}

// adjust adjusts the rate to the answer of a request that began at begun.
func (l *limiter) adjust(begun time.Time, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	switch {
	case begun.Before(l.ignoreUntil):
	case !l.sampled.IsZero():
		l.sample.served += a.served
		l.sample.refused += a.refused
		if keys := l.sample.served + l.sample.refused; keys >= sampleKeys && now.Sub(l.sampled) >= sampleTime {
			served := float64(l.sample.served) / float64(keys)
			l.grant(now)
			l.base, l.calm, l.limited = max(l.rate()*served*(1-extraCut), leastRate), 0, true
			l.sampled, l.sample = time.Time{}, answer{}
			l.ignoreUntil = now.Add(afterCut)
		}
	case a.refused > 0:
		l.sampled = now // this answer shows that there is a limit, but not the share refused
	}
}
