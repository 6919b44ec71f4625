package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// seed is seed.json, which earlier releases wrote instead of settings.json.
type seed struct {
	Seed       string   `json:"seed"`
	Run        string   `json:"run"`
	Generation int64    `json:"generation"`
	Datasets   []string `json:"datasets"`
}

// errListed means that an object was missing in a read, and is in a listing after it.
var errListed = errors.New("the bucket lists it, and each read finds it missing: try again, and see shuffle doctor")

// rebuildSettings derives the settings from other objects when settings.json is missing.
//
//	seed.json          | versions, published runs | the settings are
//	-------------------+--------------------------+----------------------------------------------------
//	no                 | none                     | none: the first run chooses them
//	no, or older       | some                     | those of the newest of them
//	of the newest run  | its plan                 | those of the plan
//	of the newest run  | an older version or plan | the same, with the seed of seed.json
//	yes                | none                     | unknown: an error
//
// When the pointer names a published run of which no object exists, the settings are unknown too.
func (s *Store) rebuildSettings(ctx context.Context, latest func(context.Context) (Version, error)) (InForce, error) {
	var names []string
	var pointer PointerSnapshot
	var found published
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() (err error) { names, err = s.Names(reading, ""); return err })
	g.Go(func() (err error) { pointer, err = s.Current(reading, PointerSnapshot{}); return err })
	g.Go(func() (err error) { found, err = s.readPublished(reading, latest); return err })
	if err := g.Wait(); err != nil {
		return InForce{}, err
	}
	if slices.Contains(names, settingsName) {
		return InForce{}, fmt.Errorf("%w: %s%s: %w", ErrSettings, s.Layout.State(), settingsName, errListed)
	}
	var old seed
	if slices.Contains(names, seedName) {
		if _, err := s.ReadJSON(ctx, seedName, &old); err != nil || old.Seed == "" || old.Generation < 1 {
			return InForce{}, errors.Join(s.settingsError("it is missing, and "+seedName+", which it is to be made from, cannot be read: restore the last version of one of them"), err)
		}
	}
	known := old.Generation
	if pointer.State == Running || pointer.State == Verifying || pointer.State == Succeeded || pointer.Published > 0 {
		known = pointer.Generation
	}
	newest, from, err := s.newestPublished(ctx, found, known)
	switch {
	case err != nil:
		return InForce{}, err
	case from.Generation > 0:
	case known > 0:
		return InForce{}, s.settingsError("it is missing, and so are the versions and the plan of run " + cmp.Or(pointer.Run, old.Run) +
			", which was published: restore one of them; or, to draw the datasets anew, delete " + pointerName + " and " + seedName + " beside it too")
	default:
		return InForce{}, nil
	}
	f := InForce{V: settingsVersion, Settings: newest.Definition, Since: from, Datasets: slices.Clone(newest.Datasets), Rebuilt: "run " + from.Run}
	if old.Generation >= from.Generation {
		f.Rebuilt = seedName + " and " + f.Rebuilt
	}
	if old.Generation > from.Generation && f.Settings.Seed != old.Seed {
		// Only the seed is known: the run that drew it has left no other object. The next run
		// records the settings.
		f.Settings.Seed, f.Since = old.Seed, Since{}
	}
	for _, name := range slices.Concat(newest.Listed, old.Datasets) {
		if !slices.Contains(f.Datasets, name) {
			f.Datasets = append(f.Datasets, name)
		}
	}
	// Generation stays 0: the next run that is published records the settings, whatever its own
	// generation is.
	return f, nil
}

// published is what settings can be rebuilt from. Some of the runs were not published.
type published struct {
	version Version // the newest one; empty when there is none
	runs    []string
}

// readPublished reads the newest dataset version with latest, and lists the runs.
func (s *Store) readPublished(ctx context.Context, latest func(context.Context) (Version, error)) (found published, err error) {
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		found.version, err = latest(reading)
		switch {
		case errors.Is(err, ErrDamaged):
			return errors.Join(s.settingsError("it is missing, and the newest dataset version, which it is to be made from, cannot be read: restore the last version of one of them"), err)
		case Lost(err):
			return nil
		}
		return err
	})
	g.Go(func() (err error) { found.runs, err = s.Runs(reading); return err })
	err = g.Wait()
	return found, err
}

// newestPublished returns the settings of the newest dataset version, or of a run that was
// published after it. The caller knows that the run of generation known was published. The zero
// Since means that there is neither.
func (s *Store) newestPublished(ctx context.Context, found published, known int64) (Settings, Since, error) {
	v := found.version
	run, err := s.publishedAfter(ctx, found.runs, v.Generation, known)
	if err != nil || run == "" {
		return v.Settings, Since{Run: v.Run, Generation: v.Generation}, err
	}
	plan, err := s.ReadPlan(ctx, run)
	if err != nil && !Lost(err) {
		return Settings{}, Since{}, err
	}
	if err != nil {
		return Settings{}, Since{}, errors.Join(s.settingsError("it is missing, and the plan of run "+run+", which it is to be made from, cannot be read: restore the last version of one of them"), err)
	}
	return plan.Settings, Since{Run: plan.Run, Generation: plan.Generation}, nil
}

// publishedAfter returns the newest of the runs that was published and has a later generation, or
// "" when there is none.
func (s *Store) publishedAfter(ctx context.Context, runs []string, generation, known int64) (string, error) {
	for _, run := range slices.Backward(runs) {
		if GenerationOf(run) <= generation {
			break
		}
		if GenerationOf(run) == known {
			return run, nil
		}
		if published, err := s.wasPublished(ctx, run); err != nil || published {
			return run, err
		}
	}
	return "", nil
}

// publishedName is written before the first message of a run. Earlier releases did not write it.
const publishedName = "published.json"

// wasPublished reports whether tasks of a run can have been sent. A run that failed during
// planning, or was only reviewed, has no published.json. A run of an earlier release has a ledger
// when results were received. A run without tasks has a report of success.
func (s *Store) wasPublished(ctx context.Context, run string) (bool, error) {
	names, err := s.Names(ctx, RunName(run, ""))
	if err != nil || slices.Contains(names, publishedName) || slices.Contains(names, LedgerName) {
		return err == nil, err
	}
	if !slices.Contains(names, ReportName) {
		return false, nil
	}
	report, err := s.ReadReport(ctx, run)
	return err == nil && report.State == Succeeded, err
}
