package worker

import (
	"math"
	"time"
)

// pace limits the rate of writes. It begins low, is at what S3 grants every prefix, 3,500 a second, within a moment, and finds
// out from there: several workers that begin at once would else ask for several times the limit.
//
// A refusal opens a short sample, which tells what share is refused. The rate begins anew at what is left of it, less a little, and
// climbs from there: steadily at first, so that it comes back soon, and the longer nothing is refused the faster, to find out whether the
// limit has grown. The steady part is less than proportional to the rate while the cut is proportional, so that of several workers at
// one limit the slow ones gain on the fast; the other takes seconds to the limit from however low a rate.
type pace struct {
	base    float64       // the rate right after the last cut, writes a second
	known   bool          // the bucket has refused a write
	climbed time.Duration // time spent at the pace since the last cut
	cut     time.Time     // requests that began before it tell nothing new

	// The row: writes that were asked for and granted since the beginning, the latter until the time counted.
	asked, granted float64
	counted        time.Time

	sampled  time.Time // when the sample began; zero: there is none
	requests int       // of the sample
	refusals int       // of them, those that were refused, in part or whole
	sample   answer
}

const (
	paceStart   = 3500 // writes a second
	paceCut     = 0.04 // of what the bucket is taken to serve
	paceClimb   = 50   // writes/s per s, at a base of paceClimbAt; it goes with the root of the base
	paceClimbAt = 875
	paceGrowth  = 3    // writes/s per s⁴
	paceSearch  = 8000 // writes/s per s³, until a limit is known
	paceCredit  = 5 * time.Millisecond
	paceMin     = 10 // writes a second; less would take long to tell that S3 takes writes again
	paceCeiling = 1e6

	// To begin with, the rate doubles.
	rampFirst    = 1500 // writes a second
	rampDoubling = 200 * time.Millisecond

	// A sample ends when enough was refused to tell the share, or not much is. A lump of deletes that meets an empty moment says
	// little alone.
	sampleLeast    = 16 // requests
	sampleShortest = 25 * time.Millisecond
	sampleLongest  = 75 * time.Millisecond
	sampleRefused  = 32  // keys,
	sampleRefusals = 8   // of so many requests
	sampleWorst    = 0.9 // more than this is taken as this
	sampleNoise    = 0.1 // a share of so much is half believed
	// What is refused so soon after a cut is the doing of other workers that have not cut yet, or whose cut has not shown yet.
	cutGuard = 100 * time.Millisecond
)

func newPace() pace { return pace{base: paceStart} }

// rate is the present one in writes a second.
func (p *pace) rate() float64 {
	t := p.climbed.Seconds()
	if p.known {
		return min(p.base+paceClimb*math.Sqrt(p.base/paceClimbAt)*t+paceGrowth*t*t*t*t, paceCeiling)
	}
	ramp := math.Log2(p.base/rampFirst) * rampDoubling.Seconds()
	if t < ramp {
		return rampFirst * math.Exp2(t/rampDoubling.Seconds())
	}
	t -= ramp
	return min(p.base+paceSearch*t*t*t, paceCeiling)
}

// grow climbs for so long, unless a sample is being taken: there is a limit, and what is left of the rate is known in a moment.
func (p *pace) grow(d time.Duration) {
	if p.sampled.IsZero() {
		p.climbed += d
	}
}

// ask gives so many writes their place in the row. Its turn has come when as many have been granted as were asked for before.
func (p *pace) ask(now time.Time, writes int) (place float64) {
	p.grant(now)
	place = p.asked
	p.asked += float64(writes)
	return place
}

// wait is the time until the turn of a place if the rate stays as it is; 0: its turn has come.
func (p *pace) wait(now time.Time, place float64) time.Duration {
	p.grant(now)
	return max(time.Duration((place-p.granted)/p.rate()*float64(time.Second)), 0)
}

// behind says that writes wait for their turn.
func (p *pace) behind() bool { return p.asked > p.granted }

// grant counts the writes whose turn has come. What nobody has asked for is lost, but for a credit that makes up for timers
// that ring late.
func (p *pace) grant(now time.Time) {
	if since := now.Sub(p.counted); since > 0 {
		p.granted = min(p.granted+p.rate()*min(since, time.Second).Seconds(), p.asked+p.rate()*paceCredit.Seconds())
		p.counted = now
	}
}

// learn takes in an answer; offered is the rate of requests, at most the pace's.
func (p *pace) learn(now, begun time.Time, a answer, offered float64) {
	if begun.Before(p.cut) {
		return
	}
	if p.sampled.IsZero() {
		if a.refused > 0 {
			// What opens the sample says that there is a limit, not what share it refuses.
			p.sampled = now
		}
		return
	}
	p.requests++
	if a.refused > 0 {
		p.refusals++
	}
	p.sample.served += a.served
	p.sample.refused += a.refused
	length := now.Sub(p.sampled)
	enough := p.sample.refused >= sampleRefused && p.refusals >= sampleRefusals || length >= sampleLongest
	if !enough || p.requests < sampleLeast || length < sampleShortest {
		return
	}
	p.slow(now, offered)
}

// slow ends the sample: down to below what the bucket serves of the rate offered.
func (p *pace) slow(now time.Time, offered float64) {
	share := float64(p.sample.refused) / float64(p.sample.refused+p.sample.served)
	share = min(share, sampleWorst)
	share *= share / (share + sampleNoise) // the smaller, the more of it is chance; if it was none, the next sample says so again
	p.base, p.climbed, p.known = max(offered*(1-share)*(1-paceCut), paceMin), 0, true
	p.sampled, p.requests, p.refusals, p.sample = time.Time{}, 0, 0, answer{}
	p.cut = now.Add(cutGuard)
}
