package state

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

// statusesAtOnce is the number of parallel reads of RunStatuses.
const statusesAtOnce = 16

// RunStatuses reads the status of the newest runs, newest first. It reads at most limit runs, or
// all with limit 0.
func RunStatuses(ctx context.Context, s *Store, limit int) ([]Status, error) {
	runs, err := s.Runs(ctx)
	if err != nil {
		return nil, err
	}
	held, err := s.Current(ctx, Held{})
	if err != nil {
		return nil, err
	}
	if held.Exists() && !slices.Contains(runs, held.Run) {
		runs = append(runs, held.Run) // planning: nothing of it is saved yet
	}
	slices.SortFunc(runs, func(a, b string) int { return CompareRuns(b, a) })
	if limit > 0 {
		runs = runs[:min(limit, len(runs))]
	}
	all := make([]Status, len(runs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(statusesAtOnce)
	for i, run := range runs {
		g.Go(func() (err error) {
			if run == held.Run {
				all[i], err = s.currentStatus(ctx, held)
			} else {
				all[i], err = s.earlierStatus(ctx, run)
			}
			return err
		})
	}
	return all, g.Wait()
}
