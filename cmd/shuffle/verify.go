package main

import (
	"context"

	"github.com/angel-nft/google-shuffle/internal/show"
)

type verifyCmd struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

func (c *verifyCmd) run(ctx context.Context, a *app) error {
	t, err := a.openTrackerWithoutQueues(ctx)
	if err != nil {
		return err
	}
	v, err := t.Verify(ctx)
	if err != nil {
		return err
	}
	print := func() error {
		return show.Differences(a.stdout, a.style, v.Against, v.Frames, v.Episodes, v.Differences, v.First, v.Strays)
	}
	if c.JSON {
		print = func() error {
			o := map[string]any{
				"against": v.Against, "frames": v.Frames, "episodes": v.Episodes,
				"differences": v.Differences, "difference_list": v.First,
			}
			if v.Strays != nil {
				o["strays"] = v.Strays
			}
			return a.printJSON(o)
		}
	}
	if err := print(); err != nil {
		return err
	}
	if v.Differences > 0 {
		return errOutcome
	}
	return nil
}
