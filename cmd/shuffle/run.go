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
	Resume bool `help:"Finish an active run first. When that run is a restore, nothing is planned after it, since a plan from the sheets would undo the restore."`
	JSON   bool `name:"json" help:"Print the final status as one JSON object."`
}

func (c *runCmd) run(ctx context.Context, a *app) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	a.style.ReportFollows = true
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

// runAll plans, applies the tasks and tracks them until the run has ended. It calls planned with
// the plan before the tasks are sent. When it has resumed a restore, it plans nothing after it.
func (a *app) runAll(ctx context.Context, opt planner.Options, resume bool, planned func(*state.Plan) error) (state.Status, error) {
	p, err := a.openPlanner(ctx, true)
	if err != nil {
		return state.Status{}, err
	}
	if resume {
		if resumed, err := a.resume(ctx); err != nil || resumed.Restores > 0 {
			return resumed, err
		}
	}
	r := newLocalRun(ctx, a)
	p.OnPublish = func(plan *state.Plan) { r.start(plan, planned) }
	plan, err := p.Plan(ctx, opt)
	switch {
	case err != nil:
		return r.abandon(ctx, err)
	case r.started:
		return r.wait(ctx)
	}
	if err := planned(plan); err != nil { // a plan without tasks starts no worker
		return state.Status{}, err
	}
	return state.ReadStatus(ctx, a.store, plan.Run)
}

// resume applies and tracks the tasks of an active run until it has ended. Without an active run it
// returns an empty status.
func (a *app) resume(ctx context.Context) (state.Status, error) {
	pointer, err := a.store.Current(ctx, state.PointerSnapshot{})
	if err != nil || pointer.State != state.Running && pointer.State != state.Verifying {
		return state.Status{}, err // the planner handles every other state
	}
	r := newLocalRun(ctx, a)
	r.start(&state.Plan{Run: pointer.Run}, func(*state.Plan) error { return nil })
	return r.wait(ctx)
}

// localRun is one run in this process, with its worker and its tracker.
type localRun struct {
	a       *app
	run     string
	started bool
	group   *errgroup.Group
	ctx     context.Context
	stop    context.CancelFunc
	status  state.Status
	// stopWorker ends the worker; nil while there is none. start sets it first, later only the
	// tracker's goroutine.
	stopWorker context.CancelFunc
}

func newLocalRun(ctx context.Context, a *app) *localRun {
	r := &localRun{a: a}
	ctx, r.stop = context.WithCancel(ctx)
	r.group, r.ctx = errgroup.WithContext(ctx)
	return r
}

// shortPoll is the worker's receive wait: the end of a run must not wait for a longer one.
const shortPoll = time.Second

func (r *localRun) start(plan *state.Plan, planned func(*state.Plan) error) {
	r.started, r.run = true, plan.Run
	if err := planned(plan); err != nil {
		r.group.Go(func() error { return err })
		return
	}
	r.startWorker()
	r.group.Go(r.runTracker)
}

// startWorker starts the worker in its own goroutine.
func (r *localRun) startWorker() {
	ctx, stop := context.WithCancel(r.ctx)
	r.stopWorker = stop
	r.group.Go(func() error {
		w, err := r.a.openWorker(ctx, func(cfg *worker.Config) { cfg.Poll = shortPoll })
		if err != nil {
			return err
		}
		return w.Run(ctx)
	})
}

// adjustWorker stops the worker when verification begins, since there are no more tasks. The
// worker's last receive then ends during the verification. A redrive brings tasks again, and the
// worker is started again.
func (r *localRun) adjustWorker(s state.Status) {
	switch {
	case s.State == state.Verifying && r.stopWorker != nil:
		r.stopWorker()
		r.stopWorker = nil
	case s.State == state.Running && r.stopWorker == nil:
		r.startWorker()
	}
}

// runTracker tracks the run, and stops the worker when the run has ended.
func (r *localRun) runTracker() error {
	defer r.stop()
	t, err := r.a.openTracker(r.ctx)
	if err != nil {
		return err
	}
	p := r.a.newProgress()
	defer p.close()
	t.Options.UntilDone, t.Options.Progress = true, func(s state.Status) {
		p.update(s)
		r.adjustWorker(s)
	}
	r.status, err = t.Run(r.ctx)
	return err
}

// wait returns when worker and tracker have ended.
func (r *localRun) wait(ctx context.Context) (state.Status, error) {
	err := r.group.Wait()
	r.stop()
	if ctx.Err() != nil {
		return r.status, r.interruptedError(ctx.Err())
	}
	return r.status, err
}

// abandon stops worker and tracker of a run whose publication failed.
func (r *localRun) abandon(ctx context.Context, err error) (state.Status, error) {
	r.stop()
	own := r.group.Wait()
	switch {
	case !r.started:
		return state.Status{}, err
	case ctx.Err() != nil:
		return state.Status{}, r.interruptedError(ctx.Err())
	case errors.Is(own, context.Canceled):
		own = nil // r.stop caused it
	}
	return state.Status{}, errors.Join(err, own)
}

func (r *localRun) interruptedError(cause error) error {
	return &unfinishedError{cause: cause, text: "run " + r.run + " is not finished; shuffle run --resume finishes it, shuffle cancel " + r.run + " stops it"}
}

// unfinishedError names the unfinished work of an interrupted command, and how to go on.
type unfinishedError struct {
	cause error
	text  string
}

func (e *unfinishedError) Error() string { return e.text }
func (e *unfinishedError) Unwrap() error { return e.cause }
