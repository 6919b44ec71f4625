package worker

import (
	"math"
	"time"
)

// pace limits the rate of writes. It begins low, is at what S3 grants every prefix, 3,500 a second, within a moment, and finds
// out from there: several workers that begin at once would else ask for several times the limit.
//
// A refusal opens a short sample, which tells what share is refused; what is left of the rate is taken as the bucket's
// limit for this worker, the peak. The rate begins anew a little below it and climbs back on a cubic: fast at first, hardly at
// all near the peak, where it is to stay, and then ever faster, to find out whether the limit has grown. (CUBIC of TCP, RFC 9438,
// with a rate for a window. Its constant is absolute, so that of several workers at one limit the slow ones gain on the fast.)
type pace struct {
	peak    float64       // writes a second
	known   bool          // the bucket has refused a write, so the peak is more than an assumption
	base    float64       // the rate right after the last cut
	climbed time.Duration // time spent at the pace since then
	cut     time.Time     // requests that began before it tell nothing new

	// The row: writes that were asked for and granted since the beginning, the latter until the time counted.
	asked, granted float64
	counted        time.Time

	sampled  time.Time // when the sample began; zero: there is none
	requests int       // of the sample
	sample   answer
}

const (
	paceStart   = 3500 // writes a second
	paceCut     = 0.05 // of the peak
	paceGrowth  = 100  // writes/s per s³
	paceSearch  = 2000 // the same, until a limit is known
	paceMost    = 0.2  // beyond a known peak the rate grows by no more, a second: a bucket's limit grows in minutes
	paceCredit  = 5 * time.Millisecond
	paceMin     = 1 // writes a second
	paceCeiling = 1e6

	// To begin with, the rate doubles.
	rampFirst    = 1500 // writes a second
	rampDoubling = 200 * time.Millisecond

	// A sample ends when enough was refused to tell the share, or not much is. A lump of deletes that meets an empty moment says
	// little alone.
	sampleLeast    = 16 // requests
	sampleShortest = 25 * time.Millisecond
	sampleLongest  = 150 * time.Millisecond
	sampleRefused  = 32
	sampleWorst    = 0.9 // more than this is taken as this
	sampleNoise    = 0.1 // a share of so much is half believed
	// What is refused so soon after a cut is the doing of other workers that have not cut yet.
	cutGuard = 50 * time.Millisecond
)

func newPace() pace { return pace{peak: paceStart, base: paceStart * (1 - paceCut)} }

// rate is the present one in writes a second.
func (p *pace) rate() float64 {
	t, growth := p.climbed, float64(paceGrowth)
	if !p.known {
		growth = paceSearch
		ramp := time.Duration(math.Log2(p.base/rampFirst) * float64(rampDoubling))
		if t < ramp {
			return rampFirst * math.Exp2(float64(t)/float64(rampDoubling))
		}
		t -= ramp
	}
	back := math.Cbrt((p.peak - p.base) / growth) // seconds from base to peak
	d := t.Seconds() - back
	rate := p.peak + growth*d*d*d
	if p.known && d > 0 {
		rate = min(rate, p.peak*math.Exp(paceMost*d))
	}
	return min(rate, paceCeiling)
}

func (p *pace) grow(d time.Duration) { p.climbed += d }

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

// grant counts the writes whose turn has come. What nobody has asked for is lost, but for a credit that makes up for timers
// that ring late.
func (p *pace) grant(now time.Time) {
	if since := now.Sub(p.counted); since > 0 {
		p.granted = min(p.granted+p.rate()*min(since, time.Second).Seconds(), p.asked+p.rate()*paceCredit.Seconds())
		p.counted = now
	}
}

// learn takes in an answer; offered is the present rate of requests.
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
	p.sample.served += a.served
	p.sample.refused += a.refused
	length := now.Sub(p.sampled)
	if p.requests >= sampleLeast && length >= sampleShortest && (p.sample.refused >= sampleRefused || length >= sampleLongest) {
		p.slow(now, offered)
	}
}

// slow ends the sample: down to below what the bucket serves.
func (p *pace) slow(now time.Time, offered float64) {
	share := float64(p.sample.refused) / float64(p.sample.refused+p.sample.served)
	share = min(share, sampleWorst)
	share *= share / (share + sampleNoise) // the smaller, the more of it is chance; if it was none, the next sample says so again
	p.peak = max(offered*(1-share), paceMin)
	p.base, p.climbed, p.known = p.peak*(1-paceCut), 0, true
	p.sampled, p.requests, p.sample = time.Time{}, 0, answer{}
	p.cut = now.Add(cutGuard)
}
