package main

import (
	"context"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

type deadCmd struct {
	Run  string `arg:"" optional:"" help:"The newest run by default."`
	JSON bool   `name:"json" help:"Print one JSON list."`
}

func (c *deadCmd) run(ctx context.Context, a *app) error {
	t, err := a.openTrackerWithoutQueues(ctx)
	if err != nil {
		return err
	}
	status, err := state.ReadStatus(ctx, t.Store, c.Run)
	if err != nil {
		return err
	}
	dead, err := t.DeadList(ctx, status.Run)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(append([]state.DeadTask{}, dead...))
	}
	return show.Dead(a.stdout, a.style, status, dead)
}

type redriveCmd struct {
	Run string   `arg:"" help:"The newest run; see shuffle status."`
	Seq []uint32 `help:"Publish only the task of this number; repeatable." placeholder:"N"`
}

func (c *redriveCmd) run(ctx context.Context, a *app) error {
	t, err := a.openTracker(ctx)
	if err != nil {
		return err
	}
	if _, err := state.ReadStatus(ctx, t.Store, c.Run); err != nil {
		return err
	}
	n, err := t.Redrive(ctx, c.Run, c.Seq)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "run %s: tasks published again: %d; %s\n", c.Run, n, a.style.RewriteCommands("shuffle status "+c.Run+" --watch"))
	return err
}
