package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/messages"
)

const (
	// heardFor is how long a worker counts as one that reports, and heardWorkers bounds how many
	// are known.
	heardFor     = time.Minute
	heardWorkers = 500
	// freshQueues is how long what the queues hold is kept: all who watch share one question.
	freshQueues = 3 * time.Second
	// mostWaited is the longest retention of a queue, in seconds: no message waits longer.
	mostWaited = 14 * 86400
)

// Workers remembers which workers have sent results lately. The zero value has heard of none. The
// tracker of the same process tells it.
type Workers struct {
	mu  sync.Mutex
	all map[string]*worker
}

// worker is what one worker has sent within heardFor, by second.
type worker struct {
	last    time.Time
	seconds map[int64]tally
}

type tally struct {
	tasks, again, retries, dead int

	throttled int64
	waited    time.Duration
}

// Hear takes in a message of results.
func (w *Workers) Hear(r messages.Results) { w.hear(r, time.Now()) }

func (w *Workers) hear(r messages.Results, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[string]*worker{}
	}
	w.forget(now)
	one := w.all[r.Worker]
	if one == nil {
		if len(w.all) >= heardWorkers {
			return
		}
		one = &worker{seconds: map[int64]tally{}}
		w.all[r.Worker] = one
	}
	one.last = now
	t := one.seconds[now.Unix()]
	for _, result := range r.Results {
		t.tasks++
		if result.Attempts > 1 {
			t.again++
			t.retries += result.Attempts - 1
		}
		if result.Outcome == messages.Dead {
			t.dead++
		}
	}
	t.throttled += max(r.Throttled, 0)
	t.waited = max(t.waited, time.Duration(min(r.WaitedSeconds, mostWaited))*time.Second)
	one.seconds[now.Unix()] = t
}

// forget drops what is older than heardFor.
func (w *Workers) forget(now time.Time) {
	for name, one := range w.all {
		if now.Sub(one.last) >= heardFor {
			delete(w.all, name)
			continue
		}
		for second := range one.seconds {
			if second <= now.Add(-heardFor).Unix() {
				delete(one.seconds, second)
			}
		}
	}
}

// rows are the workers that have reported within heardFor, by name.
func (w *Workers) rows(now time.Time) (rows []page.Worker) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(now)
	for name, one := range w.all {
		row := page.Worker{Name: name, Last: one.last}
		for _, t := range one.seconds {
			row.Tasks, row.Again, row.Retries, row.Dead = row.Tasks+t.tasks, row.Again+t.again, row.Retries+t.retries, row.Dead+t.dead
			row.Throttled += int(t.throttled)
			row.Waited = max(row.Waited, t.waited)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b page.Worker) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

// live is what the workers and the queues do now.
func (d *dashboard) live(ctx context.Context) page.Live {
	l := page.Live{}
	if d.Workers != nil {
		l.Listens, l.Workers = true, d.Workers.rows(time.Now())
	}
	if d.Queues == nil {
		return l
	}
	queues, err := within(ctx, func(ctx context.Context) ([]page.Queue, error) { return d.queues.get(ctx, struct{}{}, d.Queues) })
	if err != nil {
		l.Failed = err.Error()
	}
	l.Queues = queues
	return l
}

// workers is the page of the workers and the queues.
func (d *dashboard) workers(r *http.Request) (page.Page, error) {
	return &page.Workers{Live: d.live(r.Context())}, r.Context().Err()
}
