package main

import (
	"context"

	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

type cancelCmd struct {
	Run string `arg:"" help:"The active run; see shuffle status."`
}

func (c *cancelCmd) run(ctx context.Context, a *app) error {
	t, err := a.openTrackerWithoutQueues(ctx)
	if err != nil {
		return err
	}
	if _, err := state.ReadStatus(ctx, t.Store, c.Run); err != nil {
		return err // an unknown run is a typing error; Cancel itself accepts an earlier run
	}
	status, err := t.Cancel(ctx, c.Run)
	if err != nil {
		return err
	}
	return show.Status(a.stdout, a.style, status)
}
