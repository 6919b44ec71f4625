package worker

import (
	"sync"
	"time"
)

const (
	// outageTasks is how many different tasks must fail in a row. A single task may fail because of
	// its key.
	outageTasks = 3
	// outageAfter is how long the tasks must fail.
	outageAfter = 500 * time.Millisecond
	// maxHold is how long a worker keeps a task in flight while the bucket does not answer. Then it
	// returns the task, because another worker may reach the bucket.
	maxHold = 10 * time.Minute
	// outagePause is the longest pause between two tries of a task during an outage.
	outagePause = 5 * time.Second
	// outageEnds is how long after the last failure an outage counts as over. By then every waiting
	// task would have tried again.
	outageEnds = 2*outagePause + headTimeout
)

// outage detects that the bucket does not answer any request of a kind: copies may all fail while
// deletes succeed. Then the tasks are not the cause. They stay in flight, with heartbeats, and the
// worker receives no further ones.
type outage struct {
	mu    sync.Mutex
	calls [calls]streak
}

// streak is the failures since the last answer.
type streak struct {
	since, last time.Time // of the first failure and the last
	tasks       map[taskName]struct{}
}

// taskName names a task; its deliveries have the same name.
type taskName struct {
	run string
	seq uint32
}

// record records the result of a request for the deliveries. An error that the request itself
// caused counts as an answer.
func (o *outage) record(now time.Time, kind call, err error, batch ...*delivery) {
	blame := permanent
	if err != nil {
		blame, _ = classify(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	f := &o.calls[kind]
	switch {
	case err != nil && blame == throttling: // the limiter reacts to it
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

// lasts returns whether the bucket answers no request of this kind.
func (o *outage) lasts(now time.Time, kind call) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls[kind].lasts(now)
}

// any returns whether lasts is true for any kind.
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

// holds returns whether the worker keeps a delivery in flight after a failed request, to try it
// again.
func (w *Worker) holds(d *delivery, kind call, err error) bool {
	now := time.Now()
	blame, _ := classify(err)
	return blame == transient && !sourceChanged(err) && w.outage.lasts(now, kind) && now.Sub(d.received) < maxHold
}
