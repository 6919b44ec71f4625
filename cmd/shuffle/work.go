package main

import (
	"context"
	"errors"
	"time"

	"github.com/angel-nft/google-shuffle/worker"
)

type workCmd struct {
	ExitWhenIdle time.Duration `help:"End after this time without a task; 0 never ends." default:"0s"`
}

func (c *workCmd) run(ctx context.Context, a *app) error {
	w, err := a.openWorker(ctx, func(cfg *worker.Config) { cfg.ExitWhenIdle = c.ExitWhenIdle })
	if err == nil {
		defer a.serveLiveness(ctx)()
		err = w.Run(ctx)
	}
	return serviceError(ctx, err)
}

// serviceError is the error that a service returns. A signal is a service's normal end and no
// error: it has finished its messages in flight, or has made them visible again.
func serviceError(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
