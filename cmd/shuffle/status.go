package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

type statusCmd struct {
	Run   string `arg:"" optional:"" help:"The newest run by default."`
	JSON  bool   `name:"json" help:"Print one JSON object."`
	Watch bool   `help:"Follow the run to its end."`
}

func (c *statusCmd) run(ctx context.Context, a *app) error {
	store, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	s, err := state.ReadStatus(ctx, store, c.Run)
	if c.Watch && c.Run == "" && errors.Is(err, state.ErrNoRun) {
		s, err = a.waitForFirstRun(ctx)
	}
	if err != nil {
		return err
	}
	if c.Watch {
		if s, err = a.watch(ctx, s); err != nil {
			return err
		}
	}
	s.Expect(a.cfg.Stall)
	if s.State.Active() {
		a.addQueueFaults(ctx, &s)
	}
	print := func() error { return show.Status(a.stdout, a.style, s) }
	if c.JSON {
		print = func() error { return a.printJSON(s) }
	}
	if err := print(); err != nil {
		return err
	}
	return a.statusOutcome(ctx, s)
}

// waitForFirstRun waits for the first run.
func (a *app) waitForFirstRun(ctx context.Context) (state.Status, error) {
	// An error of stderr cannot be reported.
	_, _ = fmt.Fprintln(a.screen, a.style.RewriteCommands("There is no run yet; waiting for the first (shuffle plan)."))
	for {
		if err := retry.Sleep(ctx, time.Second); err != nil {
			return state.Status{}, err
		}
		s, err := state.ReadStatus(ctx, a.store, "")
		if !errors.Is(err, state.ErrNoRun) {
			return s, err
		}
	}
}

// queueCheckTimeout limits the check of the queues: a status must appear even when SQS does not
// answer.
const queueCheckTimeout = 3 * time.Second

// addQueueFaults adds to the status of an active run which queues are missing, and why the queues
// cannot be used.
func (a *app) addQueueFaults(ctx context.Context, s *state.Status) {
	ctx, cancel := context.WithTimeout(ctx, queueCheckTimeout)
	defer cancel()
	var fault error
	if s.MissingQueues, fault = a.opener.MissingQueues(ctx, a.cfg.Queues, a.cfg.QueueSpecs()); fault != nil {
		s.QueueFault = fault.Error()
		if what := doctor.Advice(fault); what != "" {
			s.QueueFault += ": " + what
		}
	}
}

// watch shows the progress of a run until it has ended.
func (a *app) watch(ctx context.Context, s state.Status) (state.Status, error) {
	p := a.newProgress()
	defer p.close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		p.update(s)
		if !s.State.Active() {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-tick.C:
		}
		var err error
		if s, err = state.ReadStatus(ctx, a.store, s.Run); err != nil {
			return s, err
		}
	}
}

// statusOutcome is outcome, with the manifest problems of the run's plan.
func (a *app) statusOutcome(ctx context.Context, s state.Status) error {
	if err := outcome(s, nil); err != nil {
		return err
	}
	plan, err := a.store.ReadPlan(ctx, s.Run)
	if state.Lost(err) {
		return nil // the run is still planned, or it has failed because its plan is lost
	}
	if err != nil {
		return err
	}
	return outcome(s, plan.Problems)
}

// outcome is errOutcome when the run has failed or was stopped, or when it has dead tasks, held
// episodes, unreadable manifests or differences.
func outcome(s state.Status, manifests []state.ManifestProblem) error {
	switch {
	case s.State == state.Failed, s.State == state.Cancelled, s.State == state.Superseded,
		s.Dead > 0, len(s.Held) > 0, s.Differences > 0, len(manifests) > 0:
		return errOutcome
	}
	return nil
}
