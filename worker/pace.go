package worker

import (
	"math"
	"time"
)

// pace limits the rate of writes, once the bucket has refused one. Without a refusal it lets everything through.
//
// A refusal opens a short sample, which tells what share is refused; what is left of the rate is taken as the bucket's
// limit for this worker, the peak. The rate begins anew a little below it and climbs back on a cubic: fast at first, hardly at
// all near the peak, where it is to stay, and then ever faster, to find out whether the limit has grown. (CUBIC of TCP, RFC 9438,
// with a rate for a window. Its constant is absolute, so that of several workers at one limit the slow ones gain on the fast.)
type pace struct {
	peak    float64       // writes a second; 0: no limit is known
	base    float64       // the rate right after the last cut
	climbed time.Duration // time spent at the pace since then
	cut     time.Time     // requests that began before it tell nothing new
	next    time.Time     // when the next write's turn is

	sampling bool
	sampled  time.Time // its beginning
	sample   answer
}

const (
	paceCut     = 0.05 // of the peak
	paceGrowth  = 100  // writes/s per s³
	paceCredit  = 5 * time.Millisecond
	paceMin     = 1 // writes a second
	sampleSize  = 64
	sampleTime  = 50 * time.Millisecond
	paceSteady  = 0.5 // a sample that refuses more than this share is taken as this share
	paceCeiling = 1e6
)

func (p *pace) on() bool { return p.peak > 0 }

// rate is the present one in writes a second.
func (p *pace) rate() float64 {
	back := math.Cbrt((p.peak - p.base) / paceGrowth) // seconds from base to peak
	d := p.climbed.Seconds() - back
	return min(p.peak+paceGrowth*d*d*d, paceCeiling)
}

func (p *pace) grow(d time.Duration) { p.climbed += d }

// reserve gives so many writes their turn, as the time until then. A turn may be early by the credit, to make up for timers
// that ring late.
func (p *pace) reserve(now time.Time, writes int) time.Duration {
	if !p.on() {
		return 0
	}
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
	if !p.sampling {
		if a.refused == 0 {
			return
		}
		// What opens the sample says that there is a limit, not what share it refuses.
		p.sampling, p.sampled, p.sample = true, now, answer{served: a.served, refused: a.refused - 1}
	} else {
		p.sample.served += a.served
		p.sample.refused += a.refused
	}
	if n := p.sample.served + p.sample.refused; n >= sampleSize || now.Sub(p.sampled) >= sampleTime {
		p.slow(now, offered)
	}
}

// slow ends the sample: down to below what the bucket serves.
func (p *pace) slow(now time.Time, offered float64) {
	share := 0.0
	if n := p.sample.served + p.sample.refused; n > 0 {
		share = min(float64(p.sample.refused)/float64(n), paceSteady)
	}
	p.peak = max(offered*(1-share), paceMin)
	p.base, p.climbed = p.peak*(1-paceCut), 0
	// The turns that are given stay as they are, since to give them twice would be twice the rate: what begins on them
	// still begins at the old rate.
	p.cut, p.sampling = now, false
	if p.next.After(now) {
		p.cut = p.next
	}
}
