package tracker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Redrive publishes tasks of the run in force again, in a new round, and returns their number: the
// named ones that are not done, or all that are not done. The run must have failed, or still be
// running. A failed one is set running. When Redrive stops half-way, another call publishes what is
// missing, or else the tracker after Stall.
func (t *Tracker) Redrive(ctx context.Context, run string, seqs []uint32) (int, error) {
	pointer, err := t.Store.Current(ctx, state.PointerSnapshot{})
	if err != nil {
		return 0, err
	}
	if err := redrivable(pointer, run); err != nil {
		return 0, err
	}
	// The pointer's tasks, and not the plan's: a run whose planner died before it published may
	// have a plan, but workers refuse its tasks.
	if pointer.Tasks == 0 {
		return 0, fmt.Errorf("run %s has no tasks to publish; run shuffle plan again", run)
	}
	plan, err := readPlan(ctx, t.Store, run)
	if err != nil {
		return 0, err
	}
	// The round comes before the pointer: a tracker that sees the run running again reads the
	// ledger after that, and knows which dead reports no longer count.
	round, picked, _, err := openRound(ctx, t.Store, plan, func(l *Ledger) *roaring.Bitmap {
		picked := l.all()
		if len(seqs) > 0 {
			picked.And(roaring.BitmapOf(seqs...))
		}
		picked.AndNot(l.Done())
		return picked
	})
	if err != nil {
		return 0, err
	}
	if picked.IsEmpty() {
		return 0, fmt.Errorf("run %s has no such task that is not done; if the destination differs from the plan, run shuffle plan again", run)
	}
	if err := t.setRunning(ctx, pointer, run); err != nil {
		return 0, err
	}
	n := int(picked.GetCardinality())
	t.log().Info("publishing tasks again", zap.String("run", run), zap.Int("tasks", n), zap.Uint32("round", round))
	return n, t.sendRound(ctx, plan, round, picked)
}

// redrivable refuses a run whose tasks cannot be published again.
func redrivable(pointer state.PointerSnapshot, run string) error {
	if err := inForce(pointer, run); err != nil {
		return err
	}
	switch pointer.State {
	case state.Failed, state.Running:
		return nil
	case state.Cancelled:
		return fmt.Errorf("run %s was cancelled: run shuffle plan, which plans what is still to do", run)
	case state.Succeeded:
		return fmt.Errorf("run %s has succeeded: there is nothing to publish again", run)
	}
	return fmt.Errorf("run %s is %s: try again when it is running or has ended (shuffle status --watch)", run, pointer.State)
}

// setRunning sets the run running. The pointer is written also when it is running already, so that
// trackers read the ledger again.
func (t *Tracker) setRunning(ctx context.Context, pointer state.PointerSnapshot, run string) error {
	for {
		next := pointer.Pointer
		next.State, next.Reason, next.Finished = state.Running, "", time.Time{}
		next.Heartbeat++
		_, err := t.Store.Swap(ctx, pointer, next)
		if !errors.Is(err, state.ErrConflict) {
			return err
		}
		for {
			if pointer, err = t.Store.Current(ctx, state.PointerSnapshot{}); err != nil {
				return err
			}
			if pointer.Run != run || pointer.State != state.Verifying {
				break
			}
			// A tracker verifies: it sees the new round, or ends the run.
			_ = retry.Sleep(ctx, time.Second)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if err := redrivable(pointer, run); err != nil {
			return err
		}
	}
}

// openRound records a new round of the tasks that pick chooses from the ledger, and returns the
// ledger as saved. An empty choice records nothing.
func openRound(ctx context.Context, store *state.Store, plan *state.Plan, pick func(*Ledger) *roaring.Bitmap) (round uint32, picked *roaring.Bitmap, l *Ledger, err error) {
	l, err = updateLedger(ctx, store, plan.Run, plan.Generation, plan.Tasks, func(l *Ledger) bool {
		picked = pick(l)
		if picked.IsEmpty() {
			return false
		}
		round = l.Round() + 1
		l.Publish(round, picked)
		return true
	})
	return round, picked, l, err
}

// sendRound publishes tasks from the saved plan.
func (t *Tracker) sendRound(ctx context.Context, plan *state.Plan, round uint32, seqs *roaring.Bitmap) error {
	for chunk := range state.Chunks(plan.Tasks) {
		part := roaring.New()
		part.AddRange(uint64(chunk)*state.ChunkTasks, uint64(chunk+1)*state.ChunkTasks)
		if part.And(seqs); part.IsEmpty() {
			continue
		}
		tasks, err := t.Store.ReadTasks(ctx, plan.Run, chunk)
		if err != nil {
			return err
		}
		tasks = slices.DeleteFunc(tasks, func(task messages.Task) bool { return !part.Contains(task.Seq) })
		for i := range tasks {
			tasks[i].Round = round
		}
		if err := state.SendTasks(ctx, t.Tasks, tasks); err != nil {
			return fmt.Errorf("publish tasks of run %s again: %w; shuffle redrive %s goes on with it", plan.Run, err, plan.Run)
		}
	}
	return nil
}
