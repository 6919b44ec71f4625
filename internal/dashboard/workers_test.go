package dashboard

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// A worker is listed for a minute after its last results, with its results of that minute.
func TestWorkersHear(t *testing.T) {
	var w Workers
	start := time.Unix(1_795_000_000, 0)
	results := func(worker string, all ...messages.Result) messages.Results {
		return messages.Results{Worker: worker, Results: all}
	}
	w.record(results("a", messages.Result{Attempts: 1}, messages.Result{Attempts: 3}), start)
	b := results("b", messages.Result{Outcome: messages.Dead, Attempts: 1})
	b.Throttled, b.WaitedSeconds = 4, 7
	w.record(b, start)
	b.Throttled, b.WaitedSeconds = -9, 2 // no version of this program sends it
	w.record(b, start)
	w.record(results("a", messages.Result{Attempts: 1}), start.Add(30*time.Second))
	want := []page.Worker{
		{Name: "a", Last: start.Add(30 * time.Second), Tasks: 3, ReceivedAgain: 1, Retries: 2},
		{Name: "b", Last: start, Tasks: 2, Dead: 2, Throttled: 4, Waited: 7 * time.Second},
	}
	if diff := cmp.Diff(want, w.recent(start.Add(31*time.Second))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want = []page.Worker{{Name: "a", Last: start.Add(30 * time.Second), Tasks: 1}}
	if diff := cmp.Diff(want, w.recent(start.Add(61*time.Second))); diff != "" {
		t.Errorf("after a minute, -want +got:\n%s", diff)
	}
	if rows := w.recent(start.Add(2 * time.Minute)); rows != nil {
		t.Errorf("after two minutes: %+v", rows)
	}
	for i := range 2 * maxWorkers {
		w.record(results(string(rune('0'+i))), start)
	}
	if n := len(w.all); n != maxWorkers {
		t.Errorf("%d workers are known", n)
	}
}

func TestWorkers(t *testing.T) {
	w := newWorld(t, 3)
	w.expect(w.get("/workers"), http.StatusOK, "Another process receives the results", `data-events="/workers/events"`)
	w.options.Workers = &Workers{}
	w.options.ReadQueues = func(context.Context) ([]page.Queue, error) {
		return []page.Queue{{Name: "tasks-of-ours", Content: "tasks", Attributes: queue.Attributes{Visible: 1234, InFlight: 40}}}, nil
	}
	w.handler = New(w.options)
	w.expect(w.get("/workers"), http.StatusOK, "No worker has sent a result", "shuffle work", "tasks-of-ours", "1,234", ">40<")
	w.options.Workers.Record(messages.Results{Worker: "vm-1", Results: make([]messages.Result, 7)})
	w.expect(w.get("/workers"), http.StatusOK, "vm-1", ">7<", "0 s ago", "no retry")
	w.expect(w.get("/runs/latest"), http.StatusOK, "1 worker reported in the last minute</a>")
	w.options.Workers.Record(messages.Results{Worker: "vm-2", Results: []messages.Result{{Attempts: 4}, {Attempts: 2}, {Attempts: 1}}})
	w.expect(w.get("/workers"), http.StatusOK, "vm-2", `<strong id="retries">4 retries</strong>`, `<td class="n">2</td><td class="n">4</td>`)
	w.handler = New(w.options)
	w.options.Workers.Record(messages.Results{Worker: "vm-2", Results: []messages.Result{{Attempts: 1}}, Throttled: 1, WaitedSeconds: 95})
	w.expect(w.get("/workers"), http.StatusOK, `<strong id="throttled">1 request</strong>`, `<strong id="oldest">`+figure.Duration(95)+`</strong>`)
	w.handler = New(w.options)
	w.expect(w.get("/runs/latest"), http.StatusOK, "2 workers reported in the last minute, with 4 retries, 1 throttled request", "1,234 tasks wait, 40 are in flight")
	w.options.ReadQueues = func(context.Context) ([]page.Queue, error) {
		return nil, errors.New("no such queue; shuffle setup creates it")
	}
	w.handler = New(w.options)
	w.expect(w.get("/workers"), http.StatusOK, "could not be read: no such queue")
}
