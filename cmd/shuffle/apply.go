package main

import "context"

type applyCmd struct {
	Run  string `arg:"" help:"The run that was planned with --review."`
	JSON bool   `name:"json" help:"Print the plan as one JSON object."`
}

func (c *applyCmd) run(ctx context.Context, a *app) error {
	p, err := a.openPlanner(ctx, true)
	if err != nil {
		return err
	}
	plan, err := p.Apply(ctx, c.Run)
	if err != nil {
		return err
	}
	return a.showPlan(plan, c.JSON)
}
