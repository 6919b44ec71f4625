package worker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

func concluded(i int, outcome messages.Outcome) *delivery {
	d := delivered(taskOf(i, messages.Copy))
	d.disposition.outcome = outcome
	return d
}

// One message has the results of one run; the runs of a batch come apart.
func TestReportByRun(t *testing.T) {
	w := newWorld(t)
	batch := []*delivery{concluded(1, messages.Copied), concluded(2, messages.Superseded), concluded(3, messages.Copied)}
	batch[1].task.Run, batch[1].task.Gen = "older", 6
	if failed := New(w.config()).sendResults(t.Context(), batch); len(failed) > 0 {
		t.Errorf("%d not sent", len(failed))
	}
	got := map[string]int{}
	for _, e := range w.results.sent {
		r, err := messages.ParseResults(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		got[fmt.Sprint(r.Run, " ", r.Gen, " ", r.Worker)] += len(r.Results)
	}
	if want := map[string]int{runName + " 7 worker-1": 2, "older 6 worker-1": 1}; !maps.Equal(got, want) {
		t.Errorf("results %v, want %v", got, want)
	}
}

// Results carry the longest wait of their tasks, and what S3 has throttled since the results
// before.
func TestReportLoad(t *testing.T) {
	w := newWorld(t)
	worker := New(w.config())
	batch := []*delivery{concluded(1, messages.Copied), concluded(2, messages.Copied)}
	batch[0].msg.Waited, batch[1].msg.Waited = 90*time.Second, 1500*time.Millisecond
	worker.count.refused()
	worker.count.refused()
	for range 2 {
		worker.sendResults(t.Context(), batch)
		batch = batch[1:]
	}
	var got [][2]int64
	for _, e := range w.results.sent {
		r, err := messages.ParseResults(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, [2]int64{r.Throttled, r.WaitedSeconds})
	}
	if want := [][2]int64{{2, 90}, {0, 1}}; !slices.Equal(got, want) {
		t.Errorf("throttled and waited: %v, want %v", got, want)
	}
}

// refusing refuses whole batches that have one bad message, as a queue refuses a bad character.
type refusing struct{ *memQueue }

func (q refusing) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	for i, e := range entries {
		if strings.Contains(e.Body, "forged") {
			return []queue.Failure{{Index: i, Code: "InvalidMessageContents", SenderFault: true}}, nil
		}
	}
	return q.memQueue.SendMessageBatch(ctx, entries)
}

// A result that the queue refuses for ever (of a forged task) holds up no other.
func TestReportRefused(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.Results = refusing{w.results}
	batch := []*delivery{concluded(1, messages.Copied), concluded(2, messages.Superseded)}
	batch[1].task.Run = "forged"
	if failed := New(cfg).sendResults(t.Context(), batch); len(failed) != 1 || failed[batch[1]] == nil {
		t.Errorf("%d not sent", len(failed))
	}
}

// However long S3's reasons are and whatever is in them, a results message stays within bounds and
// can be sent.
func TestReportBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 2000
		w := newWorld(t, manyTasks(n)...)
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if op == "GetObject" {
				return nil
			}
			return &bucket.Error{Op: op, Code: bucket.CodeAccessDenied, Status: 403, Err: fmt.Errorf("\x00\uFFFE %s", strings.Repeat("<é>", 2000))}
		}
		cfg := w.config()
		cfg.ExitWhenIdle = time.Second
		runWorker(t, cfg).wait(t)
		for _, e := range w.results.sent {
			r, err := messages.ParseResults(e.Body)
			if err != nil || len(e.Body) > queue.MaxBatchBytes || len(r.Results) > maxResults || strings.ContainsRune(e.Body, '\uFFFE') {
				t.Fatalf("message of %d bytes, %d results, %v", len(e.Body), len(r.Results), err)
			}
		}
		if got := len(w.results.results(t)); got != n || len(w.deads.sent) != n {
			t.Errorf("%d results, %d dead letters", got, len(w.deads.sent))
		}
	})
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"as it is":           "as it is",
		"tab\tand\r\nlines":  "tab\tand\r\nlines",
		"nul\x00, \uFFFF, é": "nul ,  , é",
		"bad \xff bytes":     "bad  bytes",
		"ten bytes é and":    "ten bytes ",
	} {
		most := 100
		if strings.HasPrefix(in, "ten") {
			most = 11 // in the middle of é
		}
		if got := plain(in, most); got != want || !utf8.ValidString(got) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if attribute("", 10) == "" {
		t.Error("SQS refuses an empty attribute")
	}
}

// The backoff of a message grows with its receives, up to a minute, in whole seconds.
func TestRetryDelay(t *testing.T) {
	for receives, most := range map[int]time.Duration{1: 2 * time.Second, 3: 8 * time.Second, 6: time.Minute, 5000: time.Minute} {
		var seen time.Duration
		for range 1000 {
			d := retryDelay(receives)
			if d < time.Second || d > most+time.Second || d%time.Second != 0 {
				t.Fatalf("delay %s after %d receives", d, receives)
			}
			seen = max(seen, d)
		}
		if seen < most/2 {
			t.Errorf("never more than %s after %d receives", seen, receives)
		}
	}
}

// Ten acknowledgements are one request, and those that failed are tried again alone.
func TestAcknowledge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, manyTasks(10)...)
		worker := New(w.config())
		failed := false
		w.tasks.fail = func(string) error {
			if !failed {
				failed = true
				return fmt.Errorf("no network")
			}
			return nil
		}
		var batch []*delivery
		for _, m := range w.tasks.take(10) {
			batch = append(batch, &delivery{msg: m})
		}
		batch = append(batch[:9], &delivery{msg: queue.Message{Receipt: "0:99"}}) // no longer good
		worker.acknowledge(t.Context(), batch)
		if left, _ := w.tasks.left(); left != 1 || w.tasks.calls["DeleteMessageBatch"] != 2 {
			t.Errorf("%d left after %d requests", left, w.tasks.calls["DeleteMessageBatch"])
		}
	})
}
