package planner

import (
	"context"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// header begins the plan with its settings.
func (d *draft) header(ctx context.Context) (*state.Plan, error) {
	var err error
	if d.run != nil || d.chosen.Seed == "" { // once the pointer is taken, nobody else changes what is in force
		if d.chosen, err = d.settings(ctx); err != nil {
			return nil, err
		}
	}
	d.known = newKnownPairs(d.p.Store, d.last)
	if d.assign, err = newAssigner(d.chosen.Definition); err != nil {
		return nil, err
	}
	plan := &state.Plan{
		State: StateDryRun, Problems: d.names.problems, Episodes: []state.EpisodePlan{}, Restores: d.opt.Restore,
		Digests: map[dataset.Episode]string{}, Bases: map[dataset.Episode]string{}, Given: d.chosen.given,
		Settings: state.Settings{Definition: d.chosen.Definition, Datasets: d.assign.Split.Datasets(), ImageSize: d.p.Config.ImageSize},
	}
	plan.Settings.Listed = slices.Clone(plan.Settings.Datasets)
	for _, name := range slices.Concat(d.chosen.inForce.Datasets, d.restoredDatasets()) {
		if !slices.Contains(plan.Settings.Listed, name) {
			plan.Settings.Listed = append(plan.Settings.Listed, name)
		}
	}
	if d.back != nil && d.fixed == nil {
		plan.RestoredSettings = d.chosen.ChangesTo(d.back.version.Definition)
	}
	if d.chosen.changed() {
		plan.InForce = &d.chosen.inForce.Settings
	} else {
		plan.SettingsSince = d.chosen.inForce.Since
	}
	plan.SeedDrawn = d.opt.Restore == 0 && d.opt.Seed == "" && plan.Settings.Seed != d.chosen.inForce.Settings.Seed
	d.dest = dataset.Destination{Bucket: &d.lister, Layout: d.p.Config.Layout, Datasets: plan.Settings.Listed, Parallel: d.p.Config.Parallel}
	if d.run != nil {
		plan.Run, plan.Generation, plan.State = d.run.Run, d.run.Generation, d.run.State
	}
	return plan, nil
}
