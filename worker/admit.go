package worker

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// admit returns nil for a task that belongs to the run in force and equals the task in the run's
// plan. It runs before any request to the bucket, so a refused task costs no request.
func (w *Worker) admit(ctx context.Context, d *delivery) error {
	if w.stopping.Err() != nil {
		return errStopping // the next worker need not wait for the visibility timeout
	}
	_, err := w.passFence(ctx, d)
	var waited *waitedError
	notInForce := errors.Is(err, errSuperseded) || errors.As(err, &waited) && errors.Is(waited.cause, errNotYet)
	switch {
	case w.cfg.Runs == nil:
	case err == nil:
		// The fence checks the run only. A forged message may have allowed keys that are not the
		// planned ones.
		return w.askState(ctx, d, func() error { return w.plan.check(ctx, &d.task) })
	case notInForce && state.UniqueRun(d.task.Run):
		// The planner writes a run into the state before it sends the first task. So an unknown run
		// belongs to another environment with the same scope, for example two folders of the same
		// name. Only a unique run name proves that.
		unknown := w.askState(ctx, d, func() error {
			known, err := w.cfg.Runs.HasRun(ctx, d.task.Run)
			if err == nil && !known {
				return errNotOurs
			}
			return err
		})
		if errors.Is(unknown, errNotOurs) {
			w.others.late.Add(1)
		}
		return cmp.Or(unknown, err)
	}
	return err
}

// passFence waits until the pointer can be read, and returns until when the task may write. Every
// task waits, because no task may write without the pointer.
func (w *Worker) passFence(ctx context.Context, d *delivery) (until time.Time, err error) {
	for try := 0; ; try++ {
		until, err = w.fence.check(ctx, d)
		switch {
		case err == nil, errors.Is(err, errSuperseded), errors.Is(err, errOutside):
			return until, err
		case errors.Is(err, errNotYet), time.Since(d.received) > maxHold:
			return until, &waitedError{cause: err}
		case retry.Sleep(w.stopping, statePause(try)) != nil:
			return until, errStopping
		}
	}
}

// askState repeats ask until the state answers, for at most maxHold. A worker that may not read the
// state still applies the task, because earlier releases did not need that permission.
func (w *Worker) askState(ctx context.Context, d *delivery, ask func() error) error {
	for try := 0; ; try++ {
		err := ask()
		kind, _ := classify(err)
		switch {
		case err == nil, errors.Is(err, errNotOurs), errors.Is(err, errNotPlanned):
			return err
		case ctx.Err() != nil:
			return errStopping
		case kind == permanent:
			w.planWarn.Do(func() {
				w.log.Warn("cannot read the plans of the runs, so tasks are applied without comparing them; grant s3:GetObject and s3:ListBucket on "+
					w.cfg.Layout.State()+"runs/*", zap.Error(err))
			})
			return nil
		case time.Since(d.received) > maxHold:
			return &waitedError{cause: err}
		case retry.Sleep(w.stopping, statePause(try)) != nil:
			return errStopping
		}
	}
}

func statePause(try int) time.Duration {
	return retry.Backoff(100*time.Millisecond, try, 5*time.Second)
}
