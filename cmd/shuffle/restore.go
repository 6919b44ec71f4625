package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/versions"
	"github.com/angel-nft/google-shuffle/planner"
)

type restoreCmd struct {
	Version     string   `arg:"" help:"The version's number; see shuffle versions."`
	Season      string   `help:"Restore the episodes of this season only." placeholder:"S01"`
	Episode     []string `help:"Restore this episode only; repeatable." placeholder:"S01E01"`
	AllowDelete []string `help:"Let this episode delete more than --max-delete; repeatable." placeholder:"S01E01"`
	Supersede   bool     `help:"Take over from a run that is active."`
	DryRun      bool     `help:"Show what it would do and write nothing at all."`
	Review      bool     `help:"Save the plan without publishing it; apply RUN does that."`
	JSON        bool     `name:"json" help:"Print one JSON object."`
}

func (c *restoreCmd) options() (planner.Options, error) {
	opt := planner.Options{Supersede: c.Supersede, DryRun: c.DryRun, Review: c.Review}
	var errs [3]error
	if c.Season != "" {
		opt.Season, errs[0] = dataset.ParseSeason(c.Season)
	}
	opt.Episodes, errs[1] = episodes("episode", c.Episode)
	opt.AllowDelete, errs[2] = episodes("allow-delete", c.AllowDelete)
	return opt, usage(errors.Join(errs[:]...))
}

func (c *restoreCmd) run(ctx context.Context, a *app) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	p, err := a.openPlanner(ctx, !opt.DryRun)
	if err != nil {
		return err
	}
	v, err := versions.Find(ctx, p.Store, c.Version)
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
		return fmt.Errorf("run %s, whose publication another planner had left, was finished first; when it has ended, type shuffle restore %d again", plan.Run, opt.Restore)
	}
	return err
}
