package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// pruneAge is how long ago the next run must have ended before a run may be removed. By then no
// message of the run exists. SQS keeps a task for at most 14 days, and a result that a worker sends
// on the last day for 14 more.
const pruneAge = 30 * 24 * time.Hour

// pruneMost is the largest number of runs that one call removes, because the end of a run waits for
// it.
const pruneMost = 20

// Remover is the part of a bucket that removing old runs needs.
type Remover interface {
	DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error)
}

// Prune removes old runs and returns their names, oldest first. With keep 0 it removes none. It
// keeps these runs:
//
//	the newest keep runs                        people look at them, and the next generation follows the last
//	the run in force                            it may be redriven
//	the run that recorded the settings          settings.json is compared with its plan
//	the runs of dataset versions                their reports say how each version came about
//	runs with tasks since the latest version    the next plan reads their pairs of ETags
//	failed runs since the latest version        where settings.json is lost, it is made again from one of them
//	runs whose next run ended within 30 days    their messages may still be on a queue
//
// The plan is removed first and the report last. So a partly removed run looks like a run that has
// ended, and the next call removes the rest. Several processes may prune at once.
func (s *Store) Prune(ctx context.Context, d Remover, inForce string, keep int) (removed []string, err error) {
	if keep < 1 {
		return nil, nil
	}
	runs, err := s.Runs(ctx)
	if err != nil || len(runs) <= keep {
		return nil, err
	}
	needed, err := s.neededRuns(ctx, inForce)
	if err != nil {
		return nil, err
	}
	for i, run := range runs[:len(runs)-keep] {
		old, err := s.endedBefore(ctx, runs[i+1], pruneAge)
		if err != nil || !old || len(removed) == pruneMost {
			return removed, err // the runs are in order, so the rest are younger
		}
		stays, err := needed.has(ctx, s, run)
		if err == nil && !stays {
			err = s.removeRun(ctx, d, run)
		}
		if err != nil {
			return removed, fmt.Errorf("remove run %s: %w", run, err)
		}
		if !stays {
			removed = append(removed, run)
		}
	}
	return removed, nil
}

// neededRuns are the runs that something refers to.
type neededRuns struct {
	names       []string
	generations []int64 // of dataset versions
	latest      int64   // generation of the latest version; 0 without one
}

func (s *Store) neededRuns(ctx context.Context, inForce string) (n neededRuns, err error) {
	settings, _, err := s.readSettings(ctx)
	if err != nil {
		return n, err
	}
	latest, err := s.LatestVersion(ctx)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return n, err
	}
	n = neededRuns{names: []string{inForce, settings.Since.Run}, latest: latest.Generation}
	versions, err := s.Names(ctx, "versions/")
	for _, name := range versions {
		if generation, err := strconv.ParseInt(strings.TrimSuffix(name, "/"), 10, 64); err == nil {
			n.generations = append(n.generations, generation)
		}
	}
	return n, err
}

func (n neededRuns) has(ctx context.Context, s *Store, run string) (bool, error) {
	generation := GenerationOf(run)
	if slices.Contains(n.names, run) || slices.Contains(n.generations, generation) {
		return true, nil
	}
	if generation <= n.latest {
		return false, nil
	}
	report, err := s.ReadReport(ctx, run)
	if Lost(err) {
		return true, nil
	}
	return err == nil && (report.State != Succeeded || report.Tasks > 0), err
}

// endedBefore reports whether the newest object of a run is at least this old, by the bucket's
// clock.
func (s *Store) endedBefore(ctx context.Context, run string, age time.Duration) (bool, error) {
	for _, name := range []string{ReportName, "plan.json"} {
		c, err := s.Read(ctx, RunName(run, name))
		if !errors.Is(err, bucket.ErrNotFound) {
			return c.Age >= age, err
		}
	}
	names, err := s.Names(ctx, RunName(run, ""))
	if err != nil || len(names) == 0 {
		return false, err // another process has just removed it
	}
	c, err := s.Read(ctx, RunName(run, names[0]))
	if errors.Is(err, bucket.ErrNotFound) {
		return false, nil
	}
	return c.Age >= age, err
}

func (s *Store) removeRun(ctx context.Context, d Remover, run string) error {
	prefix := s.Layout.State() + RunName(run, "")
	var first, rest, last []string
	for page, err := range bucket.Pages(ctx, s.Bucket, bucket.ListInput{Prefix: prefix}) {
		if err != nil {
			return err
		}
		for _, o := range page.Objects {
			switch o.Key {
			case prefix + "plan.json":
				first = append(first, o.Key)
			case prefix + ReportName:
				last = append(last, o.Key)
			default:
				rest = append(rest, o.Key)
			}
		}
	}
	for _, step := range [][]string{first, rest, last} {
		for keys := range slices.Chunk(step, bucket.MaxDeleteObjects) {
			failures, err := d.DeleteObjects(ctx, keys)
			if err != nil {
				return err
			}
			if len(failures) > 0 {
				return failures[0]
			}
		}
	}
	return nil
}
