package main

import (
	"context"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/version"
)

type restoreCmd struct {
	Version string `arg:"" help:"The version's number or tag, or latest; see shuffle versions."`
	episodeFlags
	DryRun bool `help:"Show the plan, and write nothing at all."`
	Review bool `help:"Save the plan without publishing it; shuffle apply RUN publishes it."`
	JSON   bool `name:"json" help:"Print one JSON object."`
}

func (c *restoreCmd) run(ctx context.Context, a *app) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	opt.DryRun, opt.Review = c.DryRun, c.Review
	p, err := a.openPlanner(ctx, !opt.DryRun)
	if err != nil {
		return err
	}
	v, err := version.Find(ctx, p.Store, c.Version)
	if err != nil {
		return err
	}
	opt.Restore = v.Generation
	plan, err := p.Plan(ctx, opt)
	if err != nil {
		return err
	}
	err = a.showPlan(plan, c.JSON)
	if plan.Restores != opt.Restore {
		return fmt.Errorf("run %s was finished first: another planner had left it half published; when it has ended, type shuffle restore %d again", plan.Run, opt.Restore)
	}
	return err
}
