package tracker

import (
	"context"

	"go.uber.org/zap"
)

// prune removes old runs when a run has ended. A failure does not make that run worse: the end of
// the next run tries again.
func (t *Tracker) prune(ctx context.Context, ended string) {
	if t.Deleter == nil {
		return
	}
	removed, err := t.Store.Prune(ctx, t.Deleter, ended, t.Options.KeepRuns)
	if err != nil {
		t.log().Warn("old runs could not be removed", zap.Error(err))
	}
	if len(removed) > 0 {
		t.log().Info("removed old runs", zap.Strings("runs", removed))
	}
}
