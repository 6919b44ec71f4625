package main

import (
	"context"

	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

type verifyCmd struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

func (c *verifyCmd) run(ctx context.Context, a *app) error {
	t, err := a.bareTracker(ctx)
	if err != nil {
		return err
	}
	differences, v, err := t.Verify(ctx)
	if err != nil {
		return err
	}
	print := func() error {
		return show.Differences(a.stdout, a.style, v.Against, v.Frames, v.Episodes, differences, v.Strays)
	}
	if c.JSON {
		print = func() error {
			o := map[string]any{
				"against": v.Against, "frames": v.Frames, "episodes": v.Episodes,
				"differences": len(differences), "difference_list": append([]state.Difference{}, differences...),
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
	if len(differences) > 0 {
		return errOutcome
	}
	return nil
}
