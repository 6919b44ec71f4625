package worker

import (
	"sync"
	"time"
)

const (
	// outageTasks different tasks, and none that succeeds, are more than what one key can be to blame for.
	outageTasks = 3
	// outageAfter is how long that goes on before it counts as an outage.
	outageAfter = 500 * time.Millisecond
	// maxHold is how long a worker holds a task while the bucket does not answer. After that another worker may have
	// it, whose way to the bucket may be open.
	maxHold = 10 * time.Minute
	// outagePause is the longest pause between two tries of a task that is held.
	outagePause = 5 * time.Second
	// outageEnds is how long after the last failure an outage counts as over: tasks that are held would have tried again.
	outageEnds = 2*outagePause + headTimeout
)

// outage knows whether the bucket has stopped answering a kind of request as a whole: copies may all fail while deletes
// succeed. Then nothing is wrong with the tasks that fail: they are held, by their heartbeats, and no further ones are
// received.
type outage struct {
	mu    sync.Mutex
	calls [calls]streak
}

// streak is what has failed since the last answer.
type streak struct {
	since, last time.Time // of the first failure and the last
	tasks       map[taskName]struct{}
}

// taskName is the same for all deliveries of a task.
type taskName struct {
	run string
	seq uint32
}

// note takes in what a request of the deliveries came to. A refusal for a reason of the request's own is an answer too.
func (o *outage) note(now time.Time, kind call, err error, batch ...*delivery) {
	blame := permanent
	if err != nil {
		blame, _ = classify(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	f := &o.calls[kind]
	switch {
	case err != nil && blame == throttling: // the limiter's business
	case err != nil && blame == transient && !sourceChanged(err):
		if now.Sub(f.last) > outageEnds {
			f.tasks = nil
		}
		if f.tasks == nil {
			f.tasks = make(map[taskName]struct{})
		}
		if len(f.tasks) == 0 {
			f.since = now
		}
		f.last = now
		for _, d := range batch {
			f.tasks[taskName{d.task.Run, d.task.Seq}] = struct{}{}
		}
	case len(f.tasks) > 0:
		clear(f.tasks)
	}
}

// lasts says that requests of a kind are not answered.
func (o *outage) lasts(now time.Time, kind call) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls[kind].lasts(now)
}

// any says that requests of some kind are not answered.
func (o *outage) any(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.calls {
		if o.calls[i].lasts(now) {
			return true
		}
	}
	return false
}

func (f *streak) lasts(now time.Time) bool {
	return len(f.tasks) >= outageTasks && now.Sub(f.since) >= outageAfter && now.Sub(f.last) <= outageEnds
}

// holds returns whether a delivery whose request has failed stays in flight, to be tried again.
func (w *Worker) holds(d *delivery, kind call, err error) bool {
	now := time.Now()
	blame, _ := classify(err)
	return blame == transient && !sourceChanged(err) && w.outage.lasts(now, kind) && now.Sub(d.received) < maxHold
}
