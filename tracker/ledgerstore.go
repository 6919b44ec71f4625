package tracker

import (
	"context"
	"errors"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// readLedger reads a run's ledger. It returns an empty one when there is none yet.
func readLedger(ctx context.Context, store *state.Store, run string, generation int64, tasks int) (*Ledger, error) {
	c, err := store.Read(ctx, state.RunName(run, state.LedgerName))
	if errors.Is(err, bucket.ErrNotFound) {
		return NewLedger(run, generation, tasks), nil
	}
	if err != nil {
		return nil, err
	}
	return parseLedger(c.Body, run, generation, tasks), nil
}

// parseLedger reads ledger.json. A damaged one, or one of another run, counts as none: tasks that
// it had as done are open then, are published again after Stall, and turn out to be done. That
// costs time only.
func parseLedger(body []byte, run string, generation int64, tasks int) *Ledger {
	l := NewLedger(run, generation, tasks)
	if body == nil || state.Unseal(body, l) == nil && l.Run == run && l.Generation == generation && l.Tasks == tasks {
		return l
	}
	return NewLedger(run, generation, tasks)
}

// updateLedger changes a run's ledger by a union and a conditional write, and returns it as saved.
// change returns false to leave it unchanged. It is called again after a conflict.
func updateLedger(ctx context.Context, store *state.Store, run string, generation int64, tasks int, change func(*Ledger) bool) (*Ledger, error) {
	var l *Ledger
	err := store.Update(ctx, state.RunName(run, state.LedgerName), func(old []byte) ([]byte, error) {
		l = parseLedger(old, run, generation, tasks)
		if !change(l) {
			return nil, nil
		}
		return state.Seal(l)
	})
	return l, err
}
