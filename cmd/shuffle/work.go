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
	if err == nil {
		defer a.answerAlive(ctx)()
		err = w.Run(ctx)
	}
	return ofService(ctx, err)
}

// ofService is the end of a service's run. A signal is its normal end, as early as it may come: the
// service has finished what it had in hand, or given it back.
func ofService(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
