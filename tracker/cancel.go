package tracker

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// Cancel stops the run in force. Workers stop applying its tasks within the fence (see package
// state).
func (t *Tracker) Cancel(ctx context.Context, run string) (state.Status, error) {
	for {
		pointer, err := t.Store.Current(ctx, state.PointerSnapshot{})
		if err != nil {
			return state.Status{}, err
		}
		if err := inForce(pointer, run); err != nil {
			return state.Status{}, err
		}
		if !pointer.State.Active() && pointer.State != state.Review {
			return state.Status{}, fmt.Errorf("run %s has ended already: %s", run, pointer.State)
		}
		next := pointer.Pointer
		next.State, next.Reason, next.Finished = state.Cancelled, "stopped by shuffle cancel; shuffle plan begins a new run", now()
		if pointer, err = t.Store.Swap(ctx, pointer, next); errors.Is(err, state.ErrConflict) {
			continue // another process goes on with the run: read the pointer again
		}
		if err != nil {
			return state.Status{}, err
		}
		t.log().Info("run cancelled", zap.String("run", run))
		cancelled, err := readRun(ctx, t.Store, pointer)
		if err == nil {
			err = t.writeEndReport(ctx, pointer.Pointer, cancelled.plan, cancelled.ledger)
		}
		if err != nil && !errors.Is(err, state.ErrConflict) { // a conflict: another run has begun
			return state.Status{}, err
		}
		return state.ReadStatus(ctx, t.Store, run)
	}
}

// inForce refuses a run that is not the one in force.
func inForce(pointer state.PointerSnapshot, run string) error {
	switch {
	case !pointer.Exists():
		return fmt.Errorf("%w: there is no run yet; shuffle plan begins the first", state.ErrNoRun)
	case pointer.Run != run:
		return fmt.Errorf("run %.60s is no longer in force; the newest is %s (%s), and what is still to do comes with it or with shuffle plan", run, pointer.Run, pointer.State)
	}
	return nil
}
