package main

import (
	"cmp"
	"context"

	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

type settingsCmd struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

func (c *settingsCmd) run(ctx context.Context, a *app) error {
	store, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	inForce, err := store.Settings(ctx)
	if err != nil {
		return err
	}
	cfg := a.plannerConfig()
	given := cfg.GivenSettings(inForce)
	if c.JSON {
		return a.printJSON(settingsJSON(inForce, given))
	}
	return show.Settings(a.stdout, a.style, inForce, given)
}

// settingsJSON is what settings --json prints (DESIGN 10): settings and since are null before the first published run.
func settingsJSON(f state.InForce, given []state.GivenSetting) map[string]any {
	out := map[string]any{"settings": nil, "since": nil, "given": append([]state.GivenSetting{}, given...)}
	if f.Exists() {
		d := f.Settings
		out["settings"] = map[string]any{
			"seed": d.Seed, "split": d.Split, "group": cmp.Or(d.Group, "0s"), "stratify": d.Stratify, "guard": d.Guard,
			"subsample": max(d.Subsample, 1), "classes": d.Classes, "pinned": append([]string{}, d.Pinned...),
		}
		out["since"] = f.Since.Run
	}
	if f.Rebuilt != "" {
		out["rebuilt_from"] = f.Rebuilt
	}
	return out
}
