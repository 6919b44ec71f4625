package main

import (
	"context"
	"fmt"
	"path"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
)

type whyCmd struct {
	Frame string `arg:"" help:"A frame's name, such as TT_S01_E01_FRM-00-00-08-12, or a key or path that ends in it."`
	Runs  int    `help:"Search this number of runs for operations on the frame, newest first; 0 searches all." default:"100"`
	JSON  bool   `name:"json" help:"Print one JSON object."`
}

func (c *whyCmd) run(ctx context.Context, a *app) error {
	frame, err := rows.ParseFrame(path.Base(c.Frame))
	if err != nil {
		return usage(fmt.Errorf("%.100q: %w", c.Frame, err))
	}
	x, err := a.explain(ctx, frame, c.Runs)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(x)
	}
	return show.Why(a.stdout, a.style, x)
}

// explain asks the planner where the frame belongs, and the tracker which operations changed it.
func (a *app) explain(ctx context.Context, frame dataset.Frame, runs int) (*why.Explanation, error) {
	p, err := a.openPlanner(ctx, false)
	if err != nil {
		return nil, err
	}
	x, err := p.Explain(ctx, frame)
	if err != nil {
		return nil, err
	}
	t, err := a.openTrackerWithoutQueues(ctx)
	if err != nil {
		return nil, err
	}
	pointer, err := t.Store.Current(ctx, state.PointerSnapshot{})
	if err != nil {
		return nil, err
	}
	x.Current = pointer.Run
	operations, searched, err := t.History(ctx, frame, runs)
	x.Operations, x.Runs = append(x.Operations, operations...), searched
	return x, err
}
