package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/planner"
	"github.com/angel-nft/google-shuffle/worker"
)

type runCmd struct {
	planFlags
	Resume bool `help:"Carry a run that is active to its end first. After a restore it ends there, since a plan from the sheets would undo it."`
	JSON   bool `name:"json" help:"Print the status of the run's end as one JSON object."`
}

func (c *runCmd) run(ctx context.Context, a *app) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	a.style.Attended = true
	status, err := a.runAll(ctx, opt, c.Resume, func(plan *state.Plan) error {
		if c.JSON {
			return nil
		}
		return show.Plan(a.stdout, a.style, plan)
	})
	if err != nil {
		return err
	}
	return a.showEnd(ctx, status, c.JSON)
}

// runAll plans, works and tracks until the run has ended. planned is told of the plan before its
// tasks are sent. A restore that was resumed is the run; nothing is planned after it.
func (a *app) runAll(ctx context.Context, opt planner.Options, resume bool, planned func(*state.Plan) error) (state.Status, error) {
	p, err := a.openPlanner(ctx, true)
	if err != nil {
		return state.Status{}, err
	}
	if resume {
		if carried, err := a.resume(ctx); err != nil || carried.Restores > 0 {
			return carried, err
		}
	}
	r := newRound(ctx, a)
	p.OnPublish = func(plan *state.Plan) { r.start(plan, planned) }
	plan, err := p.Plan(ctx, opt)
	switch {
	case err != nil:
		return r.abandon(ctx, err)
	case r.started:
		return r.wait(ctx)
	}
	if err := planned(plan); err != nil { // without tasks there was nothing to start for
		return state.Status{}, err
	}
	return state.ReadStatus(ctx, a.store, plan.Run)
}

// resume works and tracks until the run in force, if it is active, has ended. Without one the
// status is empty.
func (a *app) resume(ctx context.Context) (state.Status, error) {
	pointer, err := a.store.Current(ctx, state.PointerSnapshot{})
	if err != nil || pointer.State != state.Running && pointer.State != state.Verifying {
		return state.Status{}, err // a planner sees to the rest
	}
	r := newRound(ctx, a)
	r.start(&state.Plan{Run: pointer.Run}, func(*state.Plan) error { return nil })
	return r.wait(ctx)
}

// round is a worker and the tracker of one run.
type round struct {
	a       *app
	run     string
	started bool
	group   *errgroup.Group
	ctx     context.Context
	stop    context.CancelFunc
	status  state.Status
	rest    context.CancelFunc // ends the worker; nil while there is none. Of start, then of the tracker's goroutine
}

func newRound(ctx context.Context, a *app) *round {
	r := &round{a: a}
	ctx, r.stop = context.WithCancel(ctx)
	r.group, r.ctx = errgroup.WithContext(ctx)
	return r
}

// shortPoll keeps the end of a run from waiting for a long poll.
const shortPoll = time.Second

func (r *round) start(plan *state.Plan, planned func(*state.Plan) error) {
	r.started, r.run = true, plan.Run
	if err := planned(plan); err != nil {
		r.group.Go(func() error { return err })
		return
	}
	r.work()
	r.group.Go(r.track)
}

// work starts a worker.
func (r *round) work() {
	ctx, rest := context.WithCancel(r.ctx)
	r.rest = rest
	r.group.Go(func() error {
		w, err := r.a.openWorker(ctx, func(cfg *worker.Config) { cfg.Poll = shortPoll })
		if err != nil {
			return err
		}
		return w.Run(ctx)
	})
}

// follow has a worker as long as there are tasks. While the run is verified there are none, and the
// last poll of the worker, which is not cut off, comes back meanwhile; a redrive brings tasks
// again.
func (r *round) follow(s state.Status) {
	switch {
	case s.State == state.Verifying && r.rest != nil:
		r.rest()
		r.rest = nil
	case s.State == state.Running && r.rest == nil:
		r.work()
	}
}

// track ends the worker when the run has ended.
func (r *round) track() error {
	defer r.stop()
	t, err := r.a.openTracker(r.ctx)
	if err != nil {
		return err
	}
	p := r.a.progress()
	defer p.close()
	t.Options.UntilDone, t.Options.Progress = true, func(s state.Status) {
		p.update(s)
		r.follow(s)
	}
	r.status, err = t.Run(r.ctx)
	return err
}

// wait is for the end of the run.
func (r *round) wait(ctx context.Context) (state.Status, error) {
	err := r.group.Wait()
	r.stop()
	if ctx.Err() != nil {
		return r.status, r.interrupted(ctx.Err())
	}
	return r.status, err
}

// abandon ends what was started for a run whose publication failed.
func (r *round) abandon(ctx context.Context, err error) (state.Status, error) {
	r.stop()
	own := r.group.Wait()
	switch {
	case !r.started:
		return state.Status{}, err
	case ctx.Err() != nil:
		return state.Status{}, r.interrupted(ctx.Err())
	case errors.Is(own, context.Canceled):
		own = nil // it was stopped just now
	}
	return state.Status{}, errors.Join(err, own)
}

func (r *round) interrupted(cause error) error {
	return &leftError{cause: cause, text: "run " + r.run + " is not finished; shuffle run --resume goes on with it, shuffle cancel " + r.run + " gives it up"}
}

// leftError says what an interrupted command leaves, and how to go on.
type leftError struct {
	cause error
	text  string
}

func (e *leftError) Error() string { return e.text }
func (e *leftError) Unwrap() error { return e.cause }
