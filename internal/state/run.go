package state

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Run is everything that people see of a run. Plan is the zero plan while there is none, as during
// planning. Report is nil until the run has ended.
type Run struct {
	Status Status
	// InForce means that the pointer names the run. A redrive can continue such a run even after
	// its end.
	InForce  bool
	Plan     *Plan
	Progress Progress
	Report   *Report
}

// EpisodeProgress counts the tasks of one episode. Tasks = Done + Dead + Superseded + open ones.
type EpisodeProgress struct{ Tasks, Done, Dead, Superseded int }

// ReadRun reads a run's objects in parallel. An unknown run gives ErrNoRun.
func ReadRun(ctx context.Context, s *Store, run string) (Run, error) {
	if !ValidRun(run) {
		return Run{}, ErrNoRun
	}
	var pointer PointerSnapshot
	r := Run{}
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		pointer, err = s.Current(reading, PointerSnapshot{})
		return err
	})
	g.Go(func() (err error) {
		r.Plan, err = s.planIfAny(reading, run)
		return err
	})
	g.Go(func() error {
		report, err := s.ReadReport(reading, run)
		if err == nil {
			r.Report = report
		}
		if Lost(err) {
			return nil
		}
		return err
	})
	g.Go(func() (err error) {
		r.Progress, err = s.ReadProgress(reading, run, 0)
		return err
	})
	err := g.Wait()
	if err == nil {
		err = s.setStatus(ctx, run, pointer, &r)
	}
	return r, err
}

// setStatus sets the status. It drops a report whose state differs from the run's state.
func (s *Store) setStatus(ctx context.Context, run string, pointer PointerSnapshot, r *Run) (err error) {
	r.InForce = run == pointer.Run
	if r.InForce {
		if r.Report != nil && r.Report.State != pointer.State {
			r.Report = nil
		}
		r.Status = StatusOf(pointer, r.Progress, r.Plan)
		if r.Report != nil {
			r.Status.Differences, r.Status.DeadCodes = r.Report.Differences, r.Report.DeadCodes
		}
	} else if r.Status, err = s.earlierStatus(ctx, run); err != nil {
		return err
	}
	if r.Progress.Tasks == 0 { // no result has come
		r.Progress.Tasks, r.Progress.Open = r.Status.Tasks, r.Status.Tasks
	}
	return nil
}
