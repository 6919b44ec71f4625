package main

import (
	"context"
	"errors"
	"time"

	"github.com/angel-nft/google-shuffle/worker"
)

type workCmd struct {
	ExitWhenIdle time.Duration `help:"End when there has been nothing to do for so long; 0 never." default:"0s"`
}

func (c *workCmd) run(ctx context.Context, a *app) error {
	w, err := a.openWorker(ctx, func(cfg *worker.Config) { cfg.ExitWhenIdle = c.ExitWhenIdle })
	if err != nil {
		return err
	}
	// A signal is the normal end of a worker: it has finished what it had in hand, or given it back.
	if err := w.Run(ctx); ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
