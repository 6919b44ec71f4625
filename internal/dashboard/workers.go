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
	// reportWindow is how long a worker is listed after its last results, and maxWorkers limits how
	// many are listed.
	reportWindow = time.Minute
	maxWorkers   = 500
	// queuesTTL is how long the attributes of the queues are cached: all open pages share one read.
	queuesTTL = 3 * time.Second
	// mostWaited is the longest retention of a queue, in seconds: no message waits longer.
	mostWaited = 14 * 86400
)

// Workers keeps which workers have sent results in the last minute. The tracker of the same process
// calls Record. The zero value is empty.
type Workers struct {
	mu  sync.Mutex
	all map[string]*workerReports
}

// workerReports are the results of one worker within reportWindow, by second.
type workerReports struct {
	last    time.Time
	seconds map[int64]tally
}

type tally struct {
	tasks, again, retries, dead int

	throttled int64
	waited    time.Duration
}

// Record counts the results of a message.
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
	t.throttled += max(r.Throttled, 0)
	t.waited = max(t.waited, time.Duration(min(r.WaitedSeconds, mostWaited))*time.Second)
	one.seconds[now.Unix()] = t
}

// dropOld removes results that are older than reportWindow.
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

// recent lists the workers that have sent results within reportWindow, by name.
func (w *Workers) recent(now time.Time) (rows []page.Worker) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropOld(now)
	for name, one := range w.all {
		row := page.Worker{Name: name, Last: one.last}
		for _, t := range one.seconds {
			row.Tasks, row.ReceivedAgain, row.Retries, row.Dead = row.Tasks+t.tasks, row.ReceivedAgain+t.again, row.Retries+t.retries, row.Dead+t.dead
			row.Throttled += int(t.throttled)
			row.Waited = max(row.Waited, t.waited)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b page.Worker) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

// readLive reads the present state of workers and queues.
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
