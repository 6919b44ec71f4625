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
	"github.com/angel-nft/google-shuffle/messages"
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

// If a planner died while planning, another one takes over when the pointer has not changed for the
// lease. It uses a new generation and waits for workers as usual.
func TestLeftWhilePlanning(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		w.leave(state.Planning)
		w.bucket.failing(nil)
		begun := time.Now()
		plan := w.plan(Options{})
		if plan.Generation != 42 || plan.State != state.Running || w.pointer().Generation != 42 {
			t.Errorf("plan %+v", plan)
		}
		w.checkSent(plan)
		if at := w.firstCall("PUT", pointerKey, begun); at != w.config.Lease {
			t.Errorf("taken over after %v, want %v", at, w.config.Lease)
		}
		if at := w.firstCall("LIST", layout.ML(), begun); at < w.config.Lease+state.DefaultFence.Quiet() {
			t.Errorf("the datasets are listed after %v", at)
		}
		if w.logs.FilterMessageSnippet("waiting to see whether it lives, about 15 s left").Len() != 1 || w.logs.FilterMessage("took over from an earlier run").Len() != 1 {
			t.Error("it did not say what it waited for")
		}
	})
}

// If a planner died while publishing, another one takes over and keeps the generation. It finishes
// the run: no task is lost, and seq has no gap.
func TestLeftWhilePublishing(t *testing.T) {
	inBubble(t, 95, func(t *testing.T, w *world) {
		ctx, die := context.WithCancel(context.Background())
		defer die()
		w.tasks.fail = func(sent int) error {
			if sent >= 40 {
				die()
				return ctx.Err()
			}
			return nil
		}
		_, err := w.planner().Plan(ctx, Options{})
		if err == nil || !strings.Contains(err.Error(), "the next shuffle plan goes on with it") {
			t.Fatalf("error %v", err)
		}
		left := w.pointer()
		if left.State != state.Publishing || len(w.tasks.bodies()) >= 95 {
			t.Fatalf("left %+v, %d sent", left, len(w.tasks.bodies()))
		}
		w.tasks.fail = nil
		w.sheet(e1, nil) // the saved plan counts, not the present sheets
		var plan *state.Plan
		if took := wait(func() { plan = w.plan(Options{}) }); took != w.config.Lease {
			t.Errorf("it took %v, want the lease: there is nothing to list", took)
		}
		if plan.Run != left.Run || plan.Generation != left.Generation || plan.Tasks != 95 || plan.State != state.Running {
			t.Errorf("plan %+v", plan)
		}
		if ptr := w.pointer(); ptr.State != state.Running || ptr.Generation != left.Generation || ptr.Published != 1 {
			t.Errorf("pointer %+v", ptr)
		}
		w.checkEverySeq(plan)
	})
}

// checkEverySeq checks that each saved task was sent at least once.
func (w *world) checkEverySeq(plan *state.Plan) {
	w.t.Helper()
	saved := w.saved(plan)
	checkDense(w.t, plan, saved)
	sent := map[uint32]bool{}
	for _, task := range w.sent() {
		if !task.Same(saved[task.Seq]) {
			w.t.Errorf("sent %+v, saved %+v", task, saved[task.Seq])
		}
		sent[task.Seq] = true
	}
	if len(sent) != plan.Tasks {
		w.t.Errorf("%d of %d tasks were sent", len(sent), plan.Tasks)
	}
}

// The next planner does not send complete chunks again.
func TestLeftBetweenChunks(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, w *world) {
		const gen, tasks = 41, 2*state.ChunkTasks + 1
		w.leave(state.Planning)
		plan := &state.Plan{Run: w.pointer().Run, Generation: gen, Tasks: tasks, Settings: state.Settings{Definition: state.Definition{Seed: "7", Split: "train=1", Classes: classes}, Datasets: []string{"train"}}}
		for chunk := range state.Chunks(tasks) {
			var all []messages.Task
			for seq := chunk * state.ChunkTasks; seq < min((chunk+1)*state.ChunkTasks, tasks); seq++ {
				f := dataset.FrameAt(e1, seq)
				all = append(all, messages.Task{V: 1, Run: plan.Run, Gen: gen, Seq: uint32(seq), Op: messages.Delete, Frame: f, Del: []string{layout.Key(trainCommon, f)}})
			}
			w.must(w.store.WriteTasks(t.Context(), plan.Run, chunk, all))
		}
		w.must(w.store.WritePlan(t.Context(), plan))
		w.point(func(p *state.Pointer) { p.State, p.Tasks, p.Published = state.Publishing, tasks, 1 })
		if got := w.plan(Options{}); got.Run != plan.Run || got.State != state.Running {
			t.Errorf("plan %+v", got)
		}
		sent := w.sent()
		if len(sent) != state.ChunkTasks+1 || sent[0].Seq != state.ChunkTasks || sent[len(sent)-1].Seq != tasks-1 {
			t.Errorf("%d tasks were sent, from %d to %d", len(sent), sent[0].Seq, sent[len(sent)-1].Seq)
		}
		if now, err := w.store.Settings(t.Context()); err != nil || now.Settings.Seed != "7" {
			t.Errorf("settings %+v, %v", now, err)
		}
	})
}

// An unfinished publication whose plan or tasks are gone ends as failed. The next planner starts a
// new run.
func TestLeftWithoutItsPlan(t *testing.T) {
	for _, name := range []string{"plan.json", "tasks-00000.jsonl.zst"} {
		for _, damaged := range []bool{false, true} {
			inBubble(t, 3, func(t *testing.T, w *world) {
				plan := w.plan(Options{Review: true})
				w.point(func(p *state.Pointer) { p.State = state.Publishing })
				key := layout.State() + state.RunName(plan.Run, name)
				if w.remove(key); damaged {
					w.put(key, "{")
				}
				_, err := w.planner().Plan(context.Background(), Options{})
				if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "shuffle plan") {
					t.Errorf("%s, damaged %t: %v", name, damaged, err)
				}
				if p := w.pointer(); p.State != state.Failed || !strings.Contains(p.Reason, name) || len(w.tasks.bodies()) > 0 {
					t.Errorf("%s, damaged %t: %+v", name, damaged, p)
				}
				if again := w.plan(Options{}); again.Tasks != 3 || again.State != state.Running {
					t.Errorf("%s, damaged %t: planned again: %+v", name, damaged, again)
				}
			})
		}
	}
}

// If the planner of a plan without tasks died before the end, the next planner ends the run.
func TestLeftBeforeTheEndOfNothing(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, w *world) {
		w.stand(trainCommon, frames(e1, 3)...)
		p := w.planner()
		p.Finish = func(context.Context, state.PointerSnapshot, *state.Plan) (state.PointerSnapshot, error) {
			return state.PointerSnapshot{}, errBroken
		}
		if _, err := p.Plan(context.Background(), Options{}); !errors.Is(err, errBroken) {
			t.Fatalf("error %v", err)
		}
		plan := w.plan(Options{})
		if plan.Generation != 1 || plan.State != state.Succeeded || len(w.finished) != 1 {
			t.Errorf("plan %+v, finished %v", plan, w.finished)
		}
	})
}

// A planner that is alive writes heartbeats, even if it plans for long. The other planner reports
// this and returns.
func TestLivingPlanner(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		const slow = 3 * time.Minute
		w.sheets.before = func(ctx context.Context, _ string) error { return pause(ctx, slow) }
		var first *state.Plan
		var wg sync.WaitGroup
		wg.Go(func() { first = w.plan(Options{}) })
		synctest.Wait()
		for range 3 {
			var err error
			took := wait(func() { _, err = w.planner().Plan(context.Background(), Options{}) })
			var active *ActiveError
			if !errors.As(err, &active) || active.State != state.Planning || !strings.HasPrefix(active.Run, "20000101T000000Z-1-") {
				t.Fatalf("error %v", err)
			}
			if took > w.config.Lease/2 {
				t.Errorf("it took %v to see that the other one lives", took)
			}
			if err := pause(t.Context(), 40*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		beats := w.pointer().Heartbeat
		wg.Wait()
		if first.Generation != 1 || first.State != state.Running || beats < 20 {
			t.Errorf("the first planner: %+v; %d beats", first, beats)
		}
		w.checkSent(first)
	})
}

// A publisher that is alive writes the pointer too.
func TestLivingPublisher(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		w.leave(state.Publishing)
		var wg sync.WaitGroup
		wg.Go(func() {
			w.must(pause(t.Context(), 14*time.Second))
			w.point(func(p *state.Pointer) { p.Heartbeat++ })
		})
		_, err := w.planner().Plan(context.Background(), Options{})
		wg.Wait()
		var active *ActiveError
		if !errors.As(err, &active) || active.State != state.Publishing {
			t.Errorf("error %v", err)
		}
	})
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

// A planner that has lost the pointer publishes nothing and does not write the pointer.
func TestPlannerLosesThePointer(t *testing.T) {
	superseded := func(p *state.Pointer) { p.Generation, p.Run, p.State = p.Generation+1, "other", state.Running }
	cancelled := func(p *state.Pointer) { p.State, p.Reason = state.Cancelled, "by somebody" }
	for _, test := range []struct {
		name   string
		change func(*state.Pointer)
		slow   time.Duration // the delay of the sheet afterwards
	}{
		{"superseded, seen by the heartbeat", superseded, time.Minute},
		{"superseded, seen at the end", superseded, 0},
		{"cancelled, seen by the heartbeat", cancelled, time.Minute},
		{"cancelled, seen at the end", cancelled, 0},
	} {
		bubble(t, test.name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 3)
			w.sheets.before = func(ctx context.Context, _ string) error {
				w.point(test.change)
				return pause(ctx, test.slow)
			}
			var err error
			took := wait(func() { _, err = w.planner().Plan(context.Background(), Options{}) })
			if !errors.Is(err, state.ErrConflict) {
				t.Errorf("error %v", err)
			}
			if took > w.config.Lease/4 {
				t.Errorf("it took %v to see it", took)
			}
			ptr := w.pointer()
			want := ptr
			test.change(&want)
			want.Generation = ptr.Generation
			if ptr != want || len(w.tasks.bodies()) > 0 {
				t.Errorf("pointer %+v; %d messages", ptr, len(w.tasks.bodies()))
			}
		})
	}
}

// The same holds between the plan and the first message.
func TestPublisherLosesThePointer(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		p := w.planner()
		p.OnPublish = func(*state.Plan) {
			w.point(func(p *state.Pointer) { p.Generation, p.Run, p.State = p.Generation+1, "other", state.Planning })
		}
		_, err := p.Plan(context.Background(), Options{})
		if !errors.Is(err, state.ErrConflict) || !strings.Contains(err.Error(), "see shuffle status") {
			t.Errorf("error %v", err)
		}
		if ptr := w.pointer(); ptr.Run != "other" || ptr.State != state.Planning {
			t.Errorf("pointer %+v", ptr)
		}
	})
}

// Another process, the tracker or a planner, may have finished the publication meanwhile. This is a
// success.
func TestPublicationIsFinishedBySomebodyElse(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		p := w.planner()
		p.OnPublish = func(*state.Plan) {
			w.point(func(p *state.Pointer) { p.State, p.Published = state.Running, 1 })
		}
		plan, err := p.Plan(context.Background(), Options{})
		w.must(err)
		if plan.State != state.Running {
			t.Errorf("plan %+v", plan)
		}
	})
	inBubble(t, 3, func(t *testing.T, w *world) {
		w.stand(trainCommon, frames(e1, 3)...)
		p := w.planner()
		p.Finish = func(ctx context.Context, pointer state.PointerSnapshot, plan *state.Plan) (state.PointerSnapshot, error) {
			if _, err := w.finish(ctx, pointer, plan); err != nil {
				return pointer, err
			}
			return w.finish(ctx, pointer, plan) // with an outdated pointer
		}
		plan, err := p.Plan(context.Background(), Options{})
		w.must(err)
		if plan.State != state.Succeeded {
			t.Errorf("plan %+v", plan)
		}
	})
}

// A planner goes on after a heartbeat whose response is lost and that cannot be read back. No other
// process leaves a run in planning.
func TestHeartbeatWhoseAnswerIsLost(t *testing.T) {
	for name, slow := range map[string]time.Duration{"seen by the next one": time.Minute, "seen at the end": 4 * time.Second} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 30)
			w.sheets.before = func(ctx context.Context, _ string) error {
				w.bucket.failing(func(c call, nth int) error {
					if c.op == "GET" && c.key == pointerKey && nth == 1 {
						return errBroken
					}
					return nil
				})
				w.bucket.losing(pointerKey)
				return pause(ctx, slow)
			}
			plan := w.plan(Options{})
			if plan.Generation != 1 || plan.State != state.Running || w.bucket.lose != "" {
				t.Errorf("plan %+v", plan)
			}
			w.checkSent(plan)
		})
	}
}

// A planner also goes on when a few heartbeats fail.
func TestHeartbeatsThatFail(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		w.sheets.before = func(ctx context.Context, _ string) error {
			w.bucket.failing(func(c call, nth int) error {
				if c.key == pointerKey && nth <= 2 {
					return errBroken
				}
				return nil
			})
			return pause(ctx, time.Minute)
		}
		if plan := w.plan(Options{}); plan.Generation != 1 || plan.State != state.Running {
			t.Errorf("plan %+v", plan)
		}
	})
}

// A lease of 0 counts as a very short lease.
func TestNoLease(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		w.config.Lease = 0
		w.leave(state.Planning)
		if plan := w.plan(Options{}); plan.Generation != 42 || plan.State != state.Running {
			t.Errorf("plan %+v", plan)
		}
	})
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
