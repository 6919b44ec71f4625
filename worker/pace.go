package worker

import (
	"math"
	"time"
)

// pace limits the rate of writes. It begins at what S3 grants every prefix, 3,500 a second, and finds out from there.
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
	next    time.Time     // when the next write's turn is

	sampled  time.Time // when the sample began; zero: there is none
	requests int       // of the sample
	sample   answer
}

const (
	paceCut     = 0.05 // of the peak
	paceStart   = 3500 // writes a second
	paceGrowth  = 100  // writes/s per s³
	paceSearch  = 500  // the same, until a limit is known
	paceCredit  = 5 * time.Millisecond
	paceMin     = 1   // writes a second
	paceWorst   = 0.9 // a sample in which more was refused is taken as this
	sampleTime  = 50 * time.Millisecond
	sampleLeast = 16 // requests
	paceCeiling = 1e6
)

func newPace() pace { return pace{peak: paceStart, base: paceStart * (1 - paceCut)} }

// rate is the present one in writes a second.
func (p *pace) rate() float64 {
	growth := float64(paceGrowth)
	if !p.known {
		growth = paceSearch
	}
	back := math.Cbrt((p.peak - p.base) / growth) // seconds from base to peak
	d := p.climbed.Seconds() - back
	return min(p.peak+growth*d*d*d, paceCeiling)
}

func (p *pace) grow(d time.Duration) { p.climbed += d }

// reserve gives so many writes their turn, as the time until then. A turn may be early by the credit, to make up for timers
// that ring late.
func (p *pace) reserve(now time.Time, writes int) time.Duration {
	if earliest := now.Add(-paceCredit); p.next.Before(earliest) {
		p.next = earliest
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(float64(writes) / p.rate() * float64(time.Second)))
	return max(wait, 0)
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
	// For some time and some requests: a lump of deletes that meets an empty moment says little alone.
	p.requests++
	p.sample.served += a.served
	p.sample.refused += a.refused
	if p.requests >= sampleLeast && now.Sub(p.sampled) >= sampleTime {
		p.slow(now, offered)
	}
}

// slow ends the sample: down to below what the bucket serves.
func (p *pace) slow(now time.Time, offered float64) {
	share := float64(p.sample.refused) / float64(p.sample.refused+p.sample.served)
	share = min(share, paceWorst)
	p.peak = max(offered*(1-share), paceMin)
	p.base, p.climbed, p.known = p.peak*(1-paceCut), 0, true
	p.sampled, p.requests, p.sample = time.Time{}, 0, answer{}
	// The turns that are given stay as they are, since to give them twice would be twice the rate: what begins on them
	// still begins at the old rate.
	p.cut = now
	if p.next.After(now) {
		p.cut = p.next
	}
}
