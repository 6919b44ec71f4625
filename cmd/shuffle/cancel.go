package main

import (
	"context"

	"github.com/angel-nft/google-shuffle/internal/show"
)

type cancelCmd struct {
	Run string `arg:"" help:"The run in force."`
}

func (c *cancelCmd) run(ctx context.Context, a *app) error {
	t, err := a.bareTracker(ctx)
	if err != nil {
		return err
	}
	status, err := t.Cancel(ctx, c.Run)
	if err != nil {
		return err
	}
	return show.Status(a.stdout, a.style, status)
}
