package planner

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// header settles the seed and the settings.
func (d *draft) header(ctx context.Context) (*state.Plan, error) {
	inForce, err := d.p.Store.Seed(ctx)
	if err != nil {
		return nil, err
	}
	plan := &state.Plan{
		State: StateDryRun, Problems: d.names.problems, Episodes: []state.EpisodePlan{}, Restores: d.opt.Restore,
		Digests: map[dataset.Episode]string{}, Bases: map[dataset.Episode]string{},
	}
	if d.back != nil {
		plan.Settings, d.assign = d.restoreHeader(inForce)
	} else if plan.Settings, d.assign, err = d.sheetsHeader(inForce); err != nil {
		return nil, err
	} else {
		plan.SeedDrawn = plan.Settings.Seed != inForce.Seed && d.opt.Seed == ""
	}
	d.dest = dataset.Destination{Bucket: &d.lister, Layout: d.p.Config.Layout, Datasets: plan.Settings.Listed, Parallel: d.p.Config.Parallel}
	if d.run != nil {
		plan.Run, plan.Generation, plan.State = d.run.Run, d.run.Generation, d.run.State
	}
	return plan, nil
}

func (d *draft) sheetsHeader(inForce state.Seed) (state.Settings, *Assigner, error) {
	cfg := &d.p.Config
	seed, err := chooseSeed(inForce.Seed, d.opt)
	if err != nil {
		return state.Settings{}, nil, err
	}
	listed := cfg.Split.Datasets()
	for _, name := range inForce.Datasets {
		if !slices.Contains(listed, name) {
			listed = append(listed, name)
		}
	}
	s := state.Settings{
		Seed: seed, Split: cfg.Split.String(), Stratify: cfg.Stratify, Guard: cfg.Guard, Subsample: cfg.Subsample,
		Classes: cfg.Classes, Datasets: cfg.Split.Datasets(), Listed: listed, ImageSize: cfg.ImageSize,
	}
	if cfg.Group > 0 {
		s.Group = cfg.Group.String()
	}
	return s, &Assigner{Split: cfg.Split, Seed: seed, Group: cfg.Group, Guard: cfg.Guard, Subsample: cfg.Subsample}, nil
}

// chooseSeed gives the seed of the plan: the one in force, unless a reshuffle asks for a new one.
func chooseSeed(inForce string, opt Options) (string, error) {
	switch {
	case inForce != "" && !opt.Reshuffle && opt.Seed != "" && opt.Seed != inForce:
		return "", fmt.Errorf("%w: --seed %q (SHUFFLE_SEED): the seed in force is %q; leave it out, or add --reshuffle to move the frames to the new seed's datasets", ErrUsage, opt.Seed, inForce)
	case inForce != "" && !opt.Reshuffle:
		return inForce, nil
	case opt.Seed != "":
		return opt.Seed, nil
	}
	return rand.Text(), nil
}
