package state

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// seed is seed.json: what releases before settings.json kept.
type seed struct {
	Seed       string   `json:"seed"`
	Run        string   `json:"run"`
	Generation int64    `json:"generation"`
	Datasets   []string `json:"datasets"`
}

// rebuildSettings makes the settings from what else the bucket has, when settings.json is missing.
//
//	seed.json | versions, published runs | the settings are
//	----------+--------------------------+------------------------------------------------------------
//	no        | none                     | none: the first run chooses them
//	no        | some                     | those of the newest of them
//	yes       | some                     | the same, with the seed of seed.json: an earlier release
//	yes       | none                     | unknown: an error
func (s *Store) rebuildSettings(ctx context.Context) (InForce, error) {
	names, err := s.Names(ctx, "")
	if err != nil {
		return InForce{}, err
	}
	if slices.Contains(names, settingsName) {
		return InForce{}, s.settingsError("the bucket lists it and does not give it: try again, and see shuffle doctor")
	}
	newest, from, err := s.newestPublished(ctx)
	if err != nil {
		return InForce{}, err
	}
	f := InForce{Settings: newest.Definition, Datasets: newest.Datasets, Since: from}
	if slices.Contains(names, seedName) {
		var old seed
		if _, err := s.ReadJSON(ctx, seedName, &old); err != nil || old.Seed == "" || old.Generation < 1 {
			return InForce{}, errors.Join(s.settingsError("it is missing, and "+seedName+", which it is to be made from, cannot be read: restore the last version of one of them"), err)
		}
		if from.Generation == 0 {
			return InForce{}, s.settingsError("it is missing, and so are the versions and the plan that run " + old.Run + " has left: restore one of them")
		}
		if f.Settings.Seed != old.Seed { // a later run has drawn it, and has not succeeded
			f.Settings.Seed, f.Since = old.Seed, Since{Run: old.Run, Generation: GenerationOf(old.Run)}
		}
		f.Datasets = old.Datasets
		f.Rebuilt = seedName + " and "
	}
	if from.Generation == 0 {
		return InForce{}, nil
	}
	for _, name := range newest.Listed {
		if !slices.Contains(f.Datasets, name) {
			f.Datasets = append(f.Datasets, name)
		}
	}
	// Generation stays 0: the next run that is published records the settings, whatever its own generation is.
	f.V, f.Rebuilt = settingsVersion, f.Rebuilt+"run "+from.Run
	return f, nil
}

// newestPublished gives the settings of the newest dataset version, or of a run that was published after it. The zero Since
// says that there is neither.
func (s *Store) newestPublished(ctx context.Context) (Settings, Since, error) {
	v, err := s.LatestVersion(ctx)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return Settings{}, Since{}, err
	}
	runs, err := s.Runs(ctx)
	if err != nil {
		return Settings{}, Since{}, err
	}
	slices.Reverse(runs)
	for _, run := range runs {
		if GenerationOf(run) <= v.Generation {
			break
		}
		published, err := s.wasPublished(ctx, run)
		if err != nil {
			return Settings{}, Since{}, err
		}
		if !published {
			continue
		}
		plan, err := s.ReadPlan(ctx, run)
		if err != nil {
			return Settings{}, Since{}, fmt.Errorf("%w: %s%s is missing, and the plan of run %s, which it is to be made from, cannot be read: restore the last version of one of them: %w",
				ErrSettings, s.Layout.State(), settingsName, run, err)
		}
		return plan.Settings, Since{Run: plan.Run, Generation: plan.Generation}, nil
	}
	return v.Settings, Since{Run: v.Run, Generation: v.Generation}, nil
}

// publishedName is written before the first message of a run. Earlier releases did not write it.
const publishedName = "published.json"

// wasPublished says whether tasks of a run can have been sent. A run that failed while it was planned, or was reviewed
// only, has no published.json. Of an earlier release, a run has a ledger when results came. A run without tasks has the
// report of a success.
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
