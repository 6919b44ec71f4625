package planner

import (
	"context"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// sink takes the episodes' changes in whatever order they come, numbers the tasks and saves them in chunks.
type sink struct {
	d    *draft
	plan *state.Plan

	turn    chan struct{} // holds one while somebody adds. It is no mutex, for its holder waits for the bucket, and who waits for it may be told to stop
	pending []messages.Task
	chunk   int
	sum     *summary
}

func newSink(d *draft, plan *state.Plan) *sink {
	return &sink{d: d, plan: plan, turn: make(chan struct{}, 1), sum: newSummary()}
}

// add counts in the plan of one episode.
func (s *sink) add(ctx context.Context, e dataset.Episode, url string, in EpisodeInput, out EpisodeChanges) error {
	row := state.EpisodePlan{Season: e.Season(), Episode: e.Code(), State: state.EpisodePlanned, Sheet: url, Totals: out.Totals, Reason: out.Held, Cause: out.Cause}
	row.Problems, row.MoreProblems = bounded(out.Problems)
	if out.Held != "" {
		row.State = state.EpisodeHeld
	}
	digest := in.Standing.Digest().String()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	row.FirstSeq = s.plan.Tasks
	s.plan.Episodes = append(s.plan.Episodes, row)
	if out.Held != "" {
		return nil
	}
	s.plan.Totals = s.plan.Totals.Add(out.Totals)
	s.plan.Digests[e] = digest
	if in.Sheet.Base != "" {
		s.plan.Bases[e] = in.Sheet.Base
	}
	s.sum.add(in.Standing, out.Expected, in.Assign)
	if len(out.Tasks) == 0 {
		return nil
	}
	if s.d.run != nil {
		if err := s.d.p.Store.WriteExpected(ctx, s.d.run.Run, e, out.Expected); err != nil {
			return err
		}
	}
	for _, t := range out.Tasks {
		if err := s.task(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// task numbers a task and saves the chunk that it fills.
func (s *sink) task(ctx context.Context, t messages.Task) error {
	t.Run, t.Gen, t.Seq = s.plan.Run, s.plan.Generation, uint32(s.plan.Tasks)
	s.plan.Tasks++
	if s.d.onTask != nil {
		s.d.onTask(t)
	}
	if s.d.run == nil {
		return nil
	}
	s.pending = append(s.pending, t)
	if len(s.pending) < state.ChunkTasks {
		return nil
	}
	return s.flush(ctx)
}

func (s *sink) flush(ctx context.Context) error {
	err := s.d.p.Store.WriteTasks(ctx, s.plan.Run, s.chunk, s.pending)
	s.chunk++
	s.pending = s.pending[:0]
	return err
}

// finish completes the plan's report.
func (s *sink) finish(ctx context.Context, lists int64) error {
	if len(s.pending) > 0 {
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	slices.SortFunc(s.plan.Episodes, func(a, b state.EpisodePlan) int { return strings.Compare(string(a.Name()), string(b.Name())) })
	s.plan.Balance = s.sum.balance(s.plan.Settings)
	s.plan.MissingClasses = missing(s.plan.Balance, s.d.split())
	s.plan.Leakage, s.plan.LeakageGrouped = s.sum.leak.share(), s.sum.grouped.share()
	s.plan.CostUSD, s.plan.Seconds = estimate(s.plan, lists)
	return nil
}

// bounded keeps the first MaxProblems, errors before warnings, in the order of the sheet's rows.
func bounded(problems []state.Problem) ([]state.Problem, int) {
	slices.SortStableFunc(problems, func(a, b state.Problem) int {
		if a.Warning != b.Warning {
			if b.Warning {
				return -1
			}
			return 1
		}
		return a.Row - b.Row
	})
	more := max(len(problems)-state.MaxProblems, 0)
	return append([]state.Problem{}, problems[:len(problems)-more]...), more
}
