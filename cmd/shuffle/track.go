package main

import (
	"context"
	"errors"

	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

type trackCmd struct {
	httpFlags
	UntilDone bool `help:"Track the newest run to its end, print its report, and exit with its exit code."`
	JSON      bool `name:"json" help:"With --until-done, print the status as one JSON object."`
}

func (c *trackCmd) run(ctx context.Context, a *app) error {
	if c.HTTP == "" {
		return c.track(ctx, a)
	}
	return a.serveDashboard(ctx, c.httpFlags, a.logDashboard, func(ctx context.Context) error { return c.track(ctx, a) })
}

func (c *trackCmd) track(ctx context.Context, a *app) error {
	if c.UntilDone {
		return a.trackToEnd(ctx, c.JSON)
	}
	t, err := a.openTracker(ctx)
	if err == nil {
		defer a.serveLiveness(ctx)()
		t.Awake, err = a.openQueue(ctx, a.cfg.ResultsQueue)
	}
	if err == nil {
		_, err = t.Run(ctx)
	}
	return serviceError(ctx, err)
}

// trackToEnd tracks the newest run to its end and prints its report.
func (a *app) trackToEnd(ctx context.Context, asJSON bool) error {
	t, err := a.openTracker(ctx)
	if err != nil {
		return err
	}
	p := a.newProgress()
	defer p.close()
	t.Options.UntilDone, t.Options.Progress = true, p.update
	status, err := t.Run(ctx)
	p.close()
	if err != nil {
		return err
	}
	return a.showEnd(ctx, status, asJSON)
}

// showEnd prints the report of a run that has ended, or its status as JSON.
func (a *app) showEnd(ctx context.Context, s state.Status, asJSON bool) error {
	if asJSON {
		return errors.Join(a.printJSON(s), a.statusOutcome(ctx, s))
	}
	report, err := a.store.ReadReport(ctx, s.Run)
	if err != nil {
		return err
	}
	if err := show.Report(a.stdout, a.style, report); err != nil {
		return err
	}
	return outcome(s, report.Manifests)
}
