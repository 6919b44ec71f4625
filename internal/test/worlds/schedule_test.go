package worlds

import (
	"slices"
	"testing/synctest"
	"time"
)

// run decides about one call after the other until the operator is done, or a guarantee is broken.
func (w *world) run(operator *process) {
	for w.judge.verdict == nil {
		synctest.Wait() // all goroutines wait for an answer or for time to pass
		w.collect()
		w.restartFailed()
		w.restart()
		w.catchUp()
		if w.hasEnded(operator) {
			break
		}
		if len(w.story) > maxSteps {
			w.judge.wrong("no end after %d steps", maxSteps)
			break
		}
		open := w.next()
		if len(open) == 0 {
			w.pass()
			continue
		}
		if !w.calm && w.choices.visit != nil && !w.choices.visit(w) {
			break
		}
		w.decide(open[w.pickCall(len(open))])
	}
	w.end()
}

// maxSteps is far more than any world needs. A process that never stops making calls reaches it.
const maxSteps = 5_000

func (w *world) hasEnded(p *process) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return p.ended
}

// end kills all processes and waits for their goroutines.
func (w *world) end() {
	for _, p := range w.procs {
		p.replaced = true
		w.kill(p)
	}
	for _, p := range w.procs {
		<-p.done
	}
}

// next returns the calls that are ready for a decision, and none when only time can help.
func (w *world) next() (open []*call) {
	var yielding []*call
	now := time.Now()
	for _, c := range slices.Clone(w.pending) {
		switch {
		case c.held.After(now) || c.proc.frozen.After(now):
		case c.ready != nil && !c.ready():
			if c.kind == receive && !c.until.After(now) {
				w.carryOut(c) // the queue is empty: no step, and no choice
				return w.afterEmpty()
			}
		case c.yields:
			yielding = append(yielding, c)
		case c.readsImmutable():
			return []*call{c}
		default:
			open = append(open, c)
		}
	}
	if len(open) == 0 {
		open = yielding
	}
	return open
}

// afterEmpty lets the receiver of an empty answer continue before any other call is considered.
func (w *world) afterEmpty() []*call {
	synctest.Wait()
	w.collect()
	return w.next()
}

// pickCall chooses one of n calls; the first has waited longest.
func (w *world) pickCall(n int) int {
	if w.calm || n == 1 {
		return 0
	}
	return w.choices.choose(n, byOrder)
}

// pass lets time pass until the state may have changed.
func (w *world) pass() {
	t := time.NewTimer(w.quiet())
	defer t.Stop()
	select {
	case <-w.news:
	case <-t.C:
	}
}

// quiet is the time until the next change that does not come from the processes' own timers.
func (w *world) quiet() time.Duration {
	now := time.Now()
	next := now.Add(time.Minute)
	sooner := func(at time.Time) {
		if at.After(now) && at.Before(next) {
			next = at
		}
	}
	for _, c := range w.pending {
		sooner(c.held)
		sooner(c.proc.frozen)
		sooner(c.until)
	}
	for _, q := range []interface{ Next() (time.Time, bool) }{w.tasks, w.results, w.letters} {
		if at, ok := q.Next(); ok {
			sooner(at)
		}
	}
	for _, r := range w.restarts {
		sooner(r.at)
	}
	for _, l := range w.late {
		sooner(l.at)
	}
	return next.Sub(now)
}

// carryOut executes a call and answers it.
func (w *world) carryOut(c *call) {
	c.apply()
	w.reply(c)
}

// reply answers a call with its err and answer.
func (w *world) reply(c *call) {
	w.pending = slices.DeleteFunc(w.pending, func(o *call) bool { return o == c })
	close(c.answered)
}

// late is a write that the bucket still executes after its caller has given up.
type late struct {
	at   time.Time
	call *call
}

// lateBy is the time after the caller's limit in which a write may still be executed.
// state.Fence.Quiet allows for a second.
const lateBy = 900 * time.Millisecond

// overdue handles a call whose caller no longer waits.
func (w *world) overdue(c *call) {
	if c.kind != write || w.calm || c.proc.isKilled() {
		return
	}
	options := []fate{goes, comesLate}
	if f := options[w.choices.befall(c, options)]; f == comesLate {
		w.count(f)
		w.late = append(w.late, late{time.Now().Add(lateBy), c})
		w.trace.addStep(line{at: w.now(), call: c, fate: f})
	}
}

// catchUp executes the late writes that are due.
func (w *world) catchUp() {
	var later []late
	for _, l := range w.late {
		if l.at.After(time.Now()) {
			later = append(later, l)
			continue
		}
		l.call.apply()
		w.story = append(w.story, line{at: w.now(), call: l.call, fate: comesLate})
		w.trace.addStep(w.story[len(w.story)-1])
	}
	w.late = later
}
