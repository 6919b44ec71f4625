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
		s, err = a.awaitRun(ctx)
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
		a.lookAtQueues(ctx, &s)
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

// awaitRun waits for the first run.
func (a *app) awaitRun(ctx context.Context) (state.Status, error) {
	_, _ = fmt.Fprintln(a.screen, a.style.Commands("There is no run yet; waiting for the first (shuffle plan).")) // stderr; there is nobody to tell
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

// queueLook bounds the look for missing queues: a status must come, also where SQS does not answer.
const queueLook = 3 * time.Second

// lookAtQueues puts into the status of an active run which of its queues somebody has deleted, and
// whether they can be used.
func (a *app) lookAtQueues(ctx context.Context, s *state.Status) {
	ctx, cancel := context.WithTimeout(ctx, queueLook)
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
	p := a.progress()
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

// statusOutcome is outcome, with the problems of the run's plan.
func (a *app) statusOutcome(ctx context.Context, s state.Status) error {
	if err := outcome(s, nil); err != nil {
		return err
	}
	plan, err := a.store.ReadPlan(ctx, s.Run)
	if state.Lost(err) {
		return nil // it is being planned, or the run has failed for want of it
	}
	if err != nil {
		return err
	}
	return outcome(s, plan.Problems)
}

// outcome is errOutcome when the run has failed or was stopped, has dead tasks, held episodes,
// manifests that could not be read, or differences.
func outcome(s state.Status, manifests []state.ManifestProblem) error {
	switch {
	case s.State == state.Failed, s.State == state.Cancelled, s.State == state.Superseded,
		s.Dead > 0, len(s.Held) > 0, s.Differences > 0, len(manifests) > 0:
		return errOutcome
	}
	return nil
}
