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

// One answer that finds the plan or its tasks missing does not end an unfinished publication.
func TestLeftWithItsPlanUnseen(t *testing.T) {
	for _, name := range []string{"plan.json", "tasks-00000.jsonl.zst"} {
		inBubble(t, 3, func(t *testing.T, w *world) {
			plan := w.plan(Options{Review: true})
			w.point(func(p *state.Pointer) { p.State = state.Publishing })
			w.bucket.failing(func(c call, nth int) error {
				if c.op == "GET" && c.key == layout.State()+state.RunName(plan.Run, name) && nth == 1 {
					return &bucket.Error{Op: "GetObject", Key: c.key, Code: bucket.CodeNoSuchKey, Status: 404, Err: errBroken}
				}
				return nil
			})
			if got := w.plan(Options{}); got.Run != plan.Run || got.State != state.Running || len(w.tasks.bodies()) != 3 {
				t.Errorf("%s: %+v, %d sent", name, got, len(w.tasks.bodies()))
			}
		})
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
