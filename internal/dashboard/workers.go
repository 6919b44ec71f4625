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
	// reportWindow is how long a worker counts as one that reports, and heardWorkers bounds how many
	// are known.
	reportWindow     = time.Minute
	maxWorkers = 500
	// queuesTTL is how long what the queues hold is kept: all who watch share one question.
	queuesTTL = 3 * time.Second
)

// Workers remembers which workers have sent results lately. The zero value has heard of none. The
// tracker of the same process tells it.
type Workers struct {
	mu  sync.Mutex
	all map[string]*workerReports
}

// workerReports is what one worker has sent within heardFor, by second.
type workerReports struct {
	last    time.Time
	seconds map[int64]tally
}

type tally struct{ tasks, again, retries, dead int }

// Record takes in a message of results.
func (w *Workers) Record(r messages.Results) { w.record(r, time.Now()) }

func (w *Workers) record(r messages.Results, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[string]*workerReports{}
	}
	w.dropOld(now)
	one := w.all[r.Worker]
	if one == nil {
		if len(w.all) >= maxWorkers {
			return
		}
		one = &workerReports{seconds: map[int64]tally{}}
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
	one.seconds[now.Unix()] = t
}

// dropOld drops what is older than heardFor.
func (w *Workers) dropOld(now time.Time) {
	for name, one := range w.all {
		if now.Sub(one.last) >= reportWindow {
			delete(w.all, name)
			continue
		}
		for second := range one.seconds {
			if second <= now.Add(-reportWindow).Unix() {
				delete(one.seconds, second)
			}
		}
	}
}

// recent are the workers that have reported within heardFor, by name.
func (w *Workers) recent(now time.Time) (rows []page.Worker) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropOld(now)
	for name, one := range w.all {
		row := page.Worker{Name: name, Last: one.last}
		for _, t := range one.seconds {
			row.Tasks, row.ReceivedAgain, row.Retries, row.Dead = row.Tasks+t.tasks, row.ReceivedAgain+t.again, row.Retries+t.retries, row.Dead+t.dead
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b page.Worker) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

// readLive is what the workers and the queues do now.
func (d *dashboard) readLive(ctx context.Context) page.Live {
	l := page.Live{}
	if d.Workers != nil {
		l.ReceivesResults, l.Workers = true, d.Workers.recent(time.Now())
	}
	if d.ReadQueues == nil {
		return l
	}
	queues, err := waitBriefly(ctx, func(ctx context.Context) ([]page.Queue, error) { return d.queues.get(ctx, struct{}{}, d.ReadQueues) })
	if err != nil {
		l.Failed = err.Error()
	}
	l.Queues = queues
	return l
}

// workersPage is the page of the workers and the queues.
func (d *dashboard) workersPage(r *http.Request) (page.Page, error) {
	return &page.Workers{Live: d.readLive(r.Context())}, r.Context().Err()
}
