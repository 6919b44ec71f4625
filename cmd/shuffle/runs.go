package main

import (
	"context"

	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

type runsCmd struct {
	Limit int  `help:"Show this number of runs, newest first; 0 shows all." default:"20"`
	JSON  bool `name:"json" help:"Print one JSON list of statuses."`
}

func (c *runsCmd) run(ctx context.Context, a *app) error {
	store, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	all, err := state.RunStatuses(ctx, store, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(append([]state.Status{}, all...))
	}
	return show.Runs(a.stdout, a.style, all)
}
