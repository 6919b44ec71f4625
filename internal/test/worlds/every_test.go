package worlds

import (
	"cmp"
	"flag"
	"math"
	"slices"
	"sync"
	"testing"
)

var (
	faultsFlag = flag.Int("worlds.faults", 0, "faults that the search of every order tries together, at any step")
	mostFlag   = flag.Int("worlds.most", 150, "schedules that the search of every order plays; 0 is all")
)

// exhaustiveSearch searches all orders in which the world can execute simultaneous calls of its
// processes, with up to a given number of faults at any of them. It plays each schedule from its
// beginning, and stops at a state that another schedule has reached before.
type exhaustiveSearch struct {
	scenario scenario
	faults   int
	most     int // the limit of schedules

	mu   sync.Mutex
	open []schedule
	busy int // schedules being played
	more *sync.Cond
	seen map[uint64]struct{}
	sum  tally
}

// schedule is the beginning of a schedule: its choices up to the last unusual one.
type schedule struct {
	chosen []int
	faults int
}

func newEvery(s scenario, faults, most int) *exhaustiveSearch {
	e := &exhaustiveSearch{scenario: s, faults: faults, most: most, open: []schedule{{}}, seen: map[uint64]struct{}{}}
	e.more = sync.NewCond(&e.mu)
	return e
}

// next waits for a schedule to play. It returns false when there is none and no worker can find
// another.
func (e *exhaustiveSearch) next() (next schedule, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.open) == 0 && e.busy > 0 {
		e.more.Wait()
	}
	if len(e.open) == 0 || e.most == 0 {
		return next, false
	}
	e.most--
	next = e.open[len(e.open)-1]
	e.open = e.open[:len(e.open)-1]
	e.busy++
	return next, true
}

func (e *exhaustiveSearch) done(w *world) {
	e.sum.add(w)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.busy--
	e.more.Broadcast()
}

// known reports whether the state of the world was seen before, and records it.
func (e *exhaustiveSearch) known(at uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, known := e.seen[at]
	e.seen[at] = struct{}{}
	return known
}

func (e *exhaustiveSearch) later(s schedule) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open = append(e.open, s)
	e.more.Signal()
}

// play plays one schedule until it reaches a known state, and adds the schedules that branch off
// from it to the search.
func (e *exhaustiveSearch) play(t *testing.T, s schedule) *world {
	var so []int
	c := &choices{faults: map[fate]int{}}
	c.visit = func(w *world) bool { return len(so) < len(s.chosen) || !e.known(w.trace.sum) }
	c.source = func(n int, d decision) int {
		if i := len(so); i < len(s.chosen) {
			so = append(so, s.chosen[i])
			return s.chosen[i]
		}
		if turn, ok := e.turn(s, d); ok {
			for i := 1; i < n; i++ {
				turn.chosen = append(slices.Clone(so), i)
				e.later(turn)
			}
		}
		so = append(so, 0)
		return 0
	}
	return e.scenario.play(t, c)
}

// turn reports whether the search tries another choice: of an order before the first fault, of a
// fault while the limit of faults is not reached.
func (e *exhaustiveSearch) turn(s schedule, d decision) (schedule, bool) {
	if d == byFate {
		s.faults++
		return s, s.faults <= e.faults
	}
	return s, d == byOrder && s.faults == 0
}

// TestEvery tries every order of the calls in the smallest world. With -worlds.faults=1 it also
// tries each fault at each step of each order.
func TestEvery(t *testing.T) {
	e := newEvery(scenarioOf(t, "smallest"), *faultsFlag, cmp.Or(*mostFlag, math.MaxInt))
	t.Cleanup(func() { t.Logf("%d states, %s; left out: %d", len(e.seen), &e.sum, len(e.open)) })
	parallel(t, func(t *testing.T, _ int) {
		for s, ok := e.next(); ok && !t.Failed(); s, ok = e.next() {
			w := e.play(t, s)
			if e.done(w); w.judge.verdict != nil {
				e.scenario.report(t, w)
			}
		}
	})
}
