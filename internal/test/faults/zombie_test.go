package faults_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// TestZombie: workers are stopped in the middle of moves until a newer planner has taken over and
// listed the datasets. Then they continue where they were. None of their writes comes after the
// listing.
func TestZombie(t *testing.T) {
	t.Parallel()
	must(t, build())
	var g errgroup.Group
	g.SetLimit(4)
	for n := range setting(t, "SHUFFLE_FAULTS_ZOMBIES", 2) {
		g.Go(func() error {
			ctx := context.WithoutCancel(t.Context())
			w, err := newWorld(ctx, server, n, season.Options{Episodes: 1, Frames: 500}, "SHUFFLE_STALL=30s", "SHUFFLE_CONCURRENCY=64")
			if err != nil {
				t.Error(err)
				return nil
			}
			w.serve(services("w1", "w2", "w3", "t1")...)
			if err := zombies(ctx, w, int(n)); err != nil {
				t.Errorf("%v\n%s", err, (&player{world: w}).story())
			}
			if err := w.close(); err != nil {
				t.Error(err)
			}
			return nil
		})
	}
	_ = g.Wait() // each has reported its failure
}

func zombies(ctx context.Context, w *world, nth int) error {
	// So that the workers are busy, and are stopped between any two lines of their code.
	w.front.Latency, w.front.PageSize = 0, 0
	if _, err := w.run(ctx); err != nil {
		return err
	}
	if err := w.relabel(450); err != nil {
		return err
	}
	stopped := make(chan struct{})
	var once, wake sync.Once
	workers := []string{"w1", "w2", "w3"}
	w.front.Add(faults.Rule{Kind: faults.Event, From: "w", Op: "CopyObject", First: 50 + 37*(nth%10), Do: func(faults.Request) {
		once.Do(func() {
			for _, name := range workers {
				w.signal(name, syscall.SIGSTOP)
			}
			close(stopped)
		})
	}})
	w.front.Add(faults.Rule{Kind: faults.Event, From: "plan", Op: "ListObjectsV2", Target: "ML/", First: 1, Times: -1, Do: func(q faults.Request) {
		select {
		case <-stopped:
			wake.Do(func() {
				for _, name := range workers {
					w.signal(name, syscall.SIGCONT)
				}
			})
		default: // the first planner's
		}
	}})
	if plan, err := w.plan(ctx, 0); err != nil || plan.Tasks < 400 {
		return fmt.Errorf("plan of the moves: %d tasks, %w", plan.Tasks, err)
	}
	err := until(ctx, "workers in the middle of the moves", patience, func(context.Context) (bool, error) {
		select {
		case <-stopped:
			return true, nil
		default:
			return false, nil
		}
	})
	if err != nil {
		return err
	}
	if err := w.relabel(450); err != nil {
		return err
	}
	if _, err := w.run(ctx, "--supersede"); err != nil {
		return err
	}
	return errors.Join(w.converge(ctx), w.check(ctx))
}

// TestStaleTasks: after three newer runs, all tasks of the first two are delivered once more.
// Nothing changes.
func TestStaleTasks(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, services("w1", "w2", "t1")), t.Context()
	plans := make([]state.Plan, 5)
	for i := range plans {
		if i > 0 {
			must(t, w.relabel(20))
		}
		var err error
		plans[i], err = w.run(ctx)
		must(t, err)
	}
	before, err := w.list(ctx, w.store.Layout.ML())
	must(t, err)
	var entries []queue.Entry
	for _, plan := range plans[:2] {
		for _, body := range w.audit.Tasks(plan.Generation) {
			entries = append(entries, queue.Entry{Body: body})
		}
	}
	must(t, queue.SendAll(ctx, w.queues[queueNames[0]], entries))
	if code, err := w.command(ctx, nil, "redrive", plans[1].Run); err != nil || code != 1 {
		t.Errorf("redrive of an older run: exit code %d, %v; expected 1", code, err)
	}
	must(t, w.queuesAreEmpty(ctx))
	after, err := w.list(ctx, w.store.Layout.ML())
	must(t, err)
	if len(entries) < 80 || !maps.Equal(before, after) {
		t.Errorf("%d tasks came again, and what stands has changed: %t", len(entries), !maps.Equal(before, after))
	}
	must(t, errors.Join(w.converge(ctx), w.check(ctx)))
}
