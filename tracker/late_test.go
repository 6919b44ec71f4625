package tracker_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/tracker"
)

// paused is the bucket of a process that is stopped for a while right before its n-th write of an
// object.
type paused struct {
	*memBucket
	name  string
	n     int
	pause time.Duration
	until func() bool            // what must have happened as well; nil is nothing
	when  func(body []byte) bool // stop at this write instead of the n-th

	mu      sync.Mutex
	seen    int
	stopped bool
}

func (b *paused) hasStopped() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped
}

func (b *paused) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	if strings.HasSuffix(key, "/"+b.name) {
		b.mu.Lock()
		b.seen++
		stop := b.seen == b.n || b.when != nil && b.when(body)
		b.stopped = b.stopped || stop
		b.mu.Unlock()
		for stop {
			<-time.After(b.pause)
			stop = b.until != nil && !b.until()
		}
	}
	return b.memBucket.PutObject(context.WithoutCancel(ctx), key, body, cond)
}

func (b *paused) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

// page is a report.html that names its end.
func page(_ context.Context, r *state.Report) ([]byte, error) {
	return fmt.Appendf(nil, "%s %s %v", r.State, r.Reason, r.Finished), nil
}

// follows runs trackers until the run is over for all of them.
func (w *world) follows(trackers ...*tracker.Tracker) {
	w.t.Helper()
	var ends []<-chan state.Status
	for _, tr := range trackers {
		tr.Options.Page = page
		ends = append(ends, w.start(tr))
	}
	for _, end := range ends {
		<-end
	}
}

func (w *world) slow(b *paused) *tracker.Tracker {
	b.memBucket = w.bucket
	tr := w.tracker()
	tr.Store = &state.Store{Bucket: b, Layout: layout}
	return tr
}

// checkEnd holds the files about the end of a run against each other.
func (w *world) checkEnd(run, what string, want state.State) {
	w.t.Helper()
	r, pointer := w.readReport(run), w.pointer()
	if r.State != want || !r.Final || r.Verified != (want == state.Succeeded) || pointer.Run == run && (pointer.State != want || !pointer.Finished.Equal(*r.Finished)) {
		w.t.Errorf("%s: the report is %s, final %t, verified %t, of %v; the pointer %+v", what, r.State, r.Final, r.Verified, r.Finished, pointer)
	}
	html, err := w.store.Read(context.Background(), state.RunName(run, state.PageName))
	w.must(err)
	if wanted, _ := page(context.Background(), r); !strings.HasPrefix(string(html.Body), string(wanted)+"\n") {
		w.t.Errorf("%s: the page is of %q, the report of %q", what, html.Body, wanted)
	}
}

// Two trackers verify one run, of which one is stopped at any of its writes, for less or longer
// than the other's patience.
func TestOneOfTwoTrackersIsSlow(t *testing.T) {
	for _, name := range []string{"report.json", "report.html", "tasks.csv", "current.json", "version.json", "latest.json", "train.csv"} {
		for n := 1; n <= 2; n++ {
			for _, pause := range []time.Duration{3 * time.Second, 7 * time.Second, 20 * time.Second} {
				what := fmt.Sprintf("write %d of %s, %s late", n, name, pause)
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					plan := w.published(runName(1), 1, 12)
					w.work(nil)
					w.follows(w.slow(&paused{name: name, n: n, pause: pause}), w.tracker())
					w.checkEnd(plan.Run, what, state.Succeeded)
					if w.announced() != 1 {
						t.Errorf("%s: announced %d times", what, w.announced())
					}
				})
			}
		}
	}
}

// Both are slow: the one whose change of the pointer wins is not the one whose report was proposed
// last.
func TestBothTrackersAreSlow(t *testing.T) {
	for first := 6; first <= 12; first += 2 {
		for second := 1; second <= 9; second += 2 {
			what := fmt.Sprintf("%d s and %d s late", first, second)
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				plan := w.published(runName(1), 1, 12)
				w.work(nil)
				verifying := func() bool { return w.pointer().State == state.Verifying }
				a := w.start(w.slowEnd(time.Duration(first) * time.Second))
				w.until(verifying)
				w.follows(w.slowEnd(time.Duration(second) * time.Second))
				<-a
				w.checkEnd(plan.Run, what, state.Succeeded)
				if w.announced() != 1 {
					t.Errorf("%s: announced %d times", what, w.announced())
				}
			})
		}
	}
}

// slowEnd is a tracker that is stopped right before it changes the pointer to the end.
func (w *world) slowEnd(pause time.Duration) *tracker.Tracker {
	tr := w.slow(&paused{name: "current.json", n: -1, pause: pause})
	tr.Options.Page = page
	b := tr.Store.Bucket.(*paused)
	b.when = func(body []byte) bool { return strings.Contains(string(body), `"succeeded"`) }
	return tr
}

// A tracker that was stopped while it wrote about one end goes on after a redrive and another end.
func TestLateWriterOfAnEarlierEnd(t *testing.T) {
	for _, name := range []string{"report.json", "report.html", "tasks.csv"} {
		for n := 1; n <= 2; n++ {
			what := fmt.Sprintf("write %d of %s", n, name)
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				plan := w.published(runName(1), 1, 12)
				w.work(onlySeqs(dead("AccessDenied"), 3))
				var redriven atomic.Bool
				stops := &paused{name: name, n: n, pause: 7 * time.Second, until: redriven.Load}
				late := w.slow(stops)
				late.Options.Page = page
				slow := w.start(late)
				w.until(func() bool { return w.pointer().State == state.Failed || stops.hasStopped() })
				w.follows(w.tracker())
				if _, err := w.tracker().Redrive(t.Context(), plan.Run, nil); err != nil {
					t.Fatal(err)
				}
				w.work(func(messages.Task) *messages.Result { return nil })
				w.follows(w.tracker())
				w.checkEnd(plan.Run, what+", before", state.Succeeded)
				redriven.Store(true)
				<-slow
				w.checkEnd(plan.Run, what, state.Succeeded)
				if w.announced() != 2 {
					t.Errorf("%s: announced %d times", what, w.announced())
				}
			})
		}
	}
}
