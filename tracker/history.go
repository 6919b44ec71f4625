package tracker

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

// runsAtOnce bounds the runs whose tasks are searched at a time: a chunk of them takes some 3 MB.
const runsAtOnce = 8

// History finds the tasks that the newest runs had for a frame, newest first, with their outcomes.
// It searches the newest most runs, or all with 0, and returns in looked how many that were.
func (t *Tracker) History(ctx context.Context, f dataset.Frame, most int) (all []why.Operation, looked int, err error) {
	runs, err := t.Store.Runs(ctx)
	if err != nil {
		return nil, 0, err
	}
	slices.Reverse(runs)
	if most > 0 {
		runs = runs[:min(most, len(runs))]
	}
	found := make([][]why.Operation, len(runs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runsAtOnce)
	for i, run := range runs {
		g.Go(func() (err error) {
			found[i], err = t.operations(ctx, run, f)
			return err
		})
	}
	err = g.Wait()
	return slices.Concat(found...), len(runs), err
}

// operations returns the run's tasks for the frame. A plan has one at most.
func (t *Tracker) operations(ctx context.Context, run string, f dataset.Frame) ([]why.Operation, error) {
	plan, err := t.Store.ReadPlan(ctx, run)
	if state.Lost(err) {
		return nil, nil // without a plan there are no tasks
	}
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(plan.Episodes, func(e state.EpisodePlan) bool { return e.Name() == f.Episode() && e.Tasks() > 0 }) {
		return nil, nil
	}
	var all []why.Operation
	for chunk := range state.Chunks(plan.Tasks) {
		tasks, err := t.Store.TasksOf(ctx, run, chunk, f)
		if err != nil {
			return nil, err
		}
		for _, task := range tasks {
			o, err := t.operation(ctx, plan, task)
			if err != nil {
				return nil, err
			}
			all = append(all, o)
		}
	}
	return all, nil
}

func (t *Tracker) operation(ctx context.Context, plan *state.Plan, task messages.Task) (why.Operation, error) {
	o := why.Operation{Run: plan.Run, Generation: plan.Generation, Seq: task.Seq, Op: task.Op, Dst: task.Dst, Del: task.Del, Started: state.StartOf(plan.Run)}
	l, err := readLedger(ctx, t.Store, plan.Run, plan.Generation, plan.Tasks)
	if err != nil {
		return o, err
	}
	o.Outcome = l.Outcome(task.Seq)
	if o.Outcome != messages.Dead {
		return o, nil
	}
	dead, err := deadList(ctx, t.Store, l)
	for _, d := range dead {
		if d.Task.Seq == task.Seq {
			o.Code, o.Reason, o.Attempts = d.Code, d.Reason, d.Attempts
		}
	}
	return o, err
}
