package planner

import (
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// header returns a plan without episodes. It has the run and the settings.
func (in inputs) header(split Split, run state.Pointer) *state.Plan {
	plan := &state.Plan{
		State: state.DryRun, Problems: in.names.problems, Episodes: []state.EpisodePlan{}, Restores: in.opt.Restore,
		Digests: map[dataset.Episode]string{}, Bases: map[dataset.Episode]string{}, Given: in.chosen.given,
		Settings: state.Settings{Definition: in.chosen.Definition, Datasets: split.Datasets(), ImageSize: in.p.Config.ImageSize},
	}
	plan.Settings.Listed = slices.Clone(plan.Settings.Datasets)
	for _, name := range slices.Concat(in.chosen.inForce.Datasets, in.restoredDatasets()) {
		if !slices.Contains(plan.Settings.Listed, name) {
			plan.Settings.Listed = append(plan.Settings.Listed, name)
		}
	}
	if in.back != nil && in.fixed == nil {
		plan.RestoredSettings = in.chosen.ChangesTo(in.back.version.Definition)
	}
	if in.chosen.changed() {
		plan.InForce = &in.chosen.inForce.Settings
	} else {
		plan.SettingsSince = in.chosen.inForce.Since
	}
	plan.SeedDrawn = in.opt.Restore == 0 && in.opt.Seed == "" && plan.Settings.Seed != in.chosen.inForce.Settings.Seed
	if run.Run != "" {
		plan.Run, plan.Generation, plan.State = run.Run, run.Generation, run.State
	}
	return plan
}
