package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

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

// checkSettings is doctor's check of the settings in force. A different value in this environment
// fails the check too, since plan refuses to run with it.
func (a *app) checkSettings(ctx context.Context) []show.Check {
	const name = "settings in force"
	store, err := a.openStore(ctx)
	if err != nil {
		return nil // checkBucket reports it
	}
	inForce, err := store.Settings(ctx)
	cfg := a.plannerConfig()
	given := cfg.GivenSettings(inForce)
	switch {
	case errors.Is(err, state.ErrSettings):
		return failedCheck(name, err, "restore or delete the object, as the message describes, in the bucket "+a.cfg.Bucket)
	case err != nil:
		return failedCheck(name, err, "try again; if it fails again, check the rights on the bucket "+a.cfg.Bucket)
	case !inForce.Exists():
		return []show.Check{{Name: name, OK: true, Detail: "none yet: the first run records them"}}
	case len(given) > 0:
		g := given[0]
		return failedCheck(name, fmt.Errorf("%s gives %s %s, and %s is in force", g.From, g.Name, g.Given, g.InForce),
			"remove it; shuffle settings shows all differences, and plan --change-settings changes the settings in force")
	}
	return []show.Check{{Name: name, OK: true, Detail: "since run " + inForce.Since.Run}}
}

// settingsJSON is what settings --json prints (DESIGN 10): settings and since are null before the
// first published run.
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
