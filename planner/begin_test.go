package planner

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// inBubble runs a test in a synctest bubble, with a world of one episode of n frames. The datasets
// have no copies of them.
func inBubble(t *testing.T, n int, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		w.episode(e1, n)
		test(t, w)
	})
}

const pointerKey = "tuttle_twins/shuffle/current.json"

// leave writes a pointer whose run another process has left in this state.
func (w *world) leave(s state.State) {
	w.t.Helper()
	w.point(func(p *state.Pointer) {
		*p = state.Pointer{Generation: 41, Run: "20000101T000000Z-41", State: s, Fence: state.DefaultFence, Tasks: 3, Started: time.Now()}
	})
	if s == state.Planning || s == state.Publishing {
		return
	}
	// A run that has or had workers has recorded its settings.
	plan := &state.Plan{Run: "20000101T000000Z-41", Generation: 41, Tasks: 3, Settings: state.Settings{
		Definition: state.Definition{Seed: "7", Split: w.config.Split.String(), Classes: classes}, Datasets: w.config.Split.Datasets()}}
	w.must(w.store.WritePlan(w.t.Context(), plan))
	w.must(w.store.EnsureSettings(w.t.Context(), plan))
}

// wait returns how long a call takes, by the clock of the bubble.
func wait(call func()) time.Duration {
	begun := time.Now()
	call()
	return time.Since(begun)
}

// firstCall returns when the bucket first received such a request, from a moment on.
func (w *world) firstCall(op, prefix string, from time.Time) time.Duration {
	w.t.Helper()
	for _, c := range w.bucket.noted() {
		if c.op == op && strings.HasPrefix(c.key, prefix) {
			return c.at.Sub(from)
		}
	}
	w.t.Fatalf("no %s of %s", op, prefix)
	return 0
}

// pause waits, as in the reading of a slow sheet.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// The planner does not change a run that workers have.
func TestActiveRun(t *testing.T) {
	for _, s := range []state.State{state.Running, state.Verifying} {
		bubble(t, string(s), func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 3)
			w.leave(s)
			before := w.listing("")
			_, err := w.planner().Plan(context.Background(), Options{})
			var active *ActiveError
			if !errors.As(err, &active) || active.Run != "20000101T000000Z-41" || active.State != s {
				t.Fatalf("error %v", err)
			}
			for _, want := range []string{"is active (" + string(s) + ")", "shuffle cancel 20000101T000000Z-41", "--supersede"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in %q", want, err)
				}
			}
			same(t, before, w.listing(""))
		})
	}
}

// A planner replaces an ended run, and a run that waits for its review.
func TestEndedRunGivesWay(t *testing.T) {
	for _, s := range []state.State{state.Succeeded, state.Failed, state.Cancelled, state.Superseded, state.Review} {
		bubble(t, string(s), func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 3)
			w.leave(s)
			if plan := w.plan(Options{}); plan.Generation != 42 || plan.Tasks != 3 || !strings.Contains(plan.Run, "Z-42-") {
				t.Errorf("plan %+v", plan)
			}
		})
	}
}

// If the pointer was deleted, the generation follows those of the existing runs and dataset
// versions. The planner waits for the workers of the last run as usual.
func TestDeletedPointer(t *testing.T) {
	for _, left := range []string{"runs/20000101T000000Z-41/plan.json", "versions/41/version.json"} {
		bubble(t, left, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 3)
			w.put(layout.State()+left, "{}")
			w.put(layout.State()+"versions/latest.json", "{}")
			begun := time.Now()
			if plan := w.plan(Options{}); plan.Generation != 42 || plan.Tasks != 3 {
				t.Errorf("plan %+v", plan)
			}
			if at := w.firstCall("LIST", layout.ML(), begun); at < state.DefaultFence.Quiet() {
				t.Errorf("the datasets are listed after %s", at)
			}
		})
	}
}

// A planner stops waiting for a run when the run ends.
func TestRunEndsWhileWaiting(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		w.leave(state.Planning)
		var wg sync.WaitGroup
		wg.Go(func() {
			w.must(pause(t.Context(), 2*time.Second))
			w.point(func(p *state.Pointer) { p.State = state.Cancelled })
		})
		w.bucket.failing(nil)
		begun := time.Now()
		plan := w.plan(Options{})
		wg.Wait()
		if plan.Generation != 42 || w.firstCall("PUT", pointerKey, begun) != 2*time.Second {
			t.Errorf("plan %+v", plan)
		}
	})
}

func TestCancelledWhileWaiting(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		w.leave(state.Planning)
		before := w.listing("")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := w.planner().Plan(ctx, Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		same(t, before, w.listing(""))
	})
}

// If two planners start at once, one plans. The other sees that the first is alive.
func TestTwoPlannersAtOnce(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		w.sheets.before = func(ctx context.Context, _ string) error { return pause(ctx, 5*time.Second) }
		plans, errs := make([]*state.Plan, 4), make([]error, 4)
		var wg sync.WaitGroup
		for i := range plans {
			wg.Go(func() { plans[i], errs[i] = w.planner().Plan(context.Background(), Options{}) })
		}
		wg.Wait()
		won := 0
		for i, err := range errs {
			var active *ActiveError
			switch {
			case err == nil:
				won++
				w.checkSent(plans[i])
			case !errors.As(err, &active):
				t.Errorf("error %v", err)
			}
		}
		if won != 1 || w.pointer().Generation != 1 {
			t.Errorf("%d of them have planned; pointer %+v", won, w.pointer())
		}
	})
}

// Supersede raises the generation first and reads sheets and images meanwhile. It lists the
// datasets only when no worker can act on the old run.
func TestSupersede(t *testing.T) {
	for _, s := range []state.State{state.Planning, state.Publishing, state.Running, state.Verifying} {
		bubble(t, string(s), func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.stand(dataset.Place{Dataset: "train", Class: "Rare"}, w.episode(e1, 30)...)
			w.leave(s)
			// The fence of the old run counts.
			w.point(func(p *state.Pointer) { p.Fence = state.Fence{CacheMS: 3000, AttemptMS: 20_000} })
			// Workers may still act on an old pointer.
			w.must(pause(t.Context(), time.Hour))
			w.bucket.failing(nil)
			begun := time.Now()
			plan := w.plan(Options{Supersede: true})
			if plan.Generation != 42 || plan.Totals.Move != 30 || w.pointer().Fence != state.DefaultFence {
				t.Errorf("plan %+v, pointer %+v", plan, w.pointer())
			}
			w.checkSent(plan)
			const quiet = 24 * time.Second
			for _, c := range w.bucket.noted() {
				if at := c.at.Sub(begun); strings.HasPrefix(c.key, layout.ML()) && at < quiet {
					t.Errorf("%s %s after %v", c.op, c.key, at)
				}
			}
			if at := w.firstCall("PUT", pointerKey, begun); at != 0 {
				t.Errorf("the generation is raised after %v", at)
			}
			if at := w.firstCall("LIST", imageKey(dataset.FrameAt(e1, 0))[:30], begun); at != 0 {
				t.Errorf("the images are listed after %v", at)
			}
			if took := time.Since(begun); took != quiet {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// The planner does not wait again for the time since the end of the run before. After a run without
// tasks it does not wait at all.
func TestQuietAfterAnEndedRun(t *testing.T) {
	for _, test := range []struct {
		name  string
		state state.State
		tasks int
		since time.Duration
		want  time.Duration
	}{
		{"just ended", state.Succeeded, 3, 0, 7 * time.Second},
		{"a while ago", state.Succeeded, 3, 3 * time.Second, 4 * time.Second},
		{"long ago", state.Succeeded, 3, time.Hour, 0},
		{"failed just now", state.Failed, 3, 0, 7 * time.Second},
		{"cancelled a while ago", state.Cancelled, 3, 3 * time.Second, 4 * time.Second},
		{"without tasks", state.Succeeded, 0, 0, 0},
		// The failed run may have superseded another one just before.
		{"failed without tasks", state.Failed, 0, 0, 7 * time.Second},
	} {
		bubble(t, test.name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 3)
			w.leave(test.state)
			w.point(func(p *state.Pointer) { p.Tasks = test.tasks })
			w.must(pause(t.Context(), test.since))
			if took := wait(func() { w.plan(Options{}) }); took != test.want {
				t.Errorf("the plan took %v, want %v", took, test.want)
			}
		})
	}
}

// If the tracker of a run seems to be gone, the planner sends a message that wakes one, and then
// returns the error. It sends none for a run that goes on.
func TestWakesTracker(t *testing.T) {
	for _, test := range []struct {
		name  string
		state state.State
		after time.Duration
		fails error
		woken int
		says  string
	}{
		{"verifying for long", state.Verifying, 10 * time.Minute, nil, 1, "nothing was saved for 10m0s: a message to the results queue wakes one"},
		{"running for long", state.Running, 10 * time.Minute, nil, 1, "wakes one"},
		{"it cannot be woken", state.Verifying, 10 * time.Minute, errBroken, 1, "could not be woken: " + errBroken.Error()},
		{"just verifying", state.Verifying, time.Minute, nil, 0, ""},
		{"publishing", state.Publishing, time.Second, nil, 0, ""},
	} {
		bubble(t, test.name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 3)
			w.leave(test.state)
			w.point(func(ptr *state.Pointer) { ptr.Note = "the tracker cannot verify" })
			now := time.Now()
			<-time.After(test.after)
			p, woken := w.planner(), 0
			p.Store = aged(w, time.Since(now))
			p.WakeTracker = func(context.Context) error { woken++; return test.fails }
			if test.state == state.Publishing {
				go func() { <-time.After(2 * time.Second); w.point(func(ptr *state.Pointer) { ptr.Heartbeat++ }) }()
			}
			_, err := p.Plan(context.Background(), Options{})
			var active *ActiveError
			if !errors.As(err, &active) || woken != test.woken || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "the tracker cannot verify") {
				t.Errorf("woken %d times: %v", woken, err)
			}
		})
	}
}

// agedBucket gives every object this age.
type agedBucket struct {
	*tap
	age time.Duration
}

func aged(w *world, age time.Duration) *state.Store {
	return &state.Store{Bucket: agedBucket{w.bucket, age}, Layout: layout}
}

func (b agedBucket) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	c, err := b.tap.GetObject(ctx, key, ifNoneMatch)
	c.Age = b.age
	return c, err
}
