package main

import (
	"context"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/planner"
)

// explainFrame adds to a frame's page how the split of the newest plan places it.
func (a *app) explainFrame(ctx context.Context, p *page.Frame) error {
	held, err := a.store.Current(ctx, state.Held{})
	if err != nil {
		return err
	}
	plan, err := a.store.ReadPlan(ctx, held.Run)
	if err != nil {
		return err
	}
	p.Place, err = placeOf(p, plan.Settings)
	return err
}

// placeOf is nil for a stratified split, in which a unit's place depends on those of its whole class.
func placeOf(p *page.Frame, s state.Settings) (*page.FramePlace, error) {
	if s.Stratify {
		return nil, nil
	}
	split, err := planner.ParseSplit(s.Split)
	if err != nil {
		return nil, err
	}
	group := time.Duration(0)
	if s.Group != "" {
		if group, err = time.ParseDuration(s.Group); err != nil {
			return nil, fmt.Errorf("read the plan's group: %w", err)
		}
	}
	unit := planner.Unit(p.Frame, group)
	place := &page.FramePlace{Unit: unit, Seed: s.Seed, Split: s.Split, Position: planner.Position(s.Seed, unit)}
	place.Dataset = split.At(place.Position)
	end := 0.0
	for _, share := range split {
		place.Shares = append(place.Shares, page.FrameShare{Dataset: share.Dataset, From: end, To: end + share.Ratio})
		end += share.Ratio
	}
	return place, nil
}
