package main

import (
	"context"
	"errors"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/versions"
)

type versionsCmd struct {
	From string `arg:"" optional:"" help:"A version's number, or latest: what it changed, or with a second one what changed between them."`
	To   string `arg:"" optional:"" help:"The later version."`
	JSON bool   `name:"json" help:"Print one JSON list of versions, or the difference as one object."`
}

func (c *versionsCmd) run(ctx context.Context, a *app) error {
	store, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	if c.From == "" {
		return c.list(ctx, a, store)
	}
	from, to, err := c.pair(ctx, store)
	if err != nil {
		return err
	}
	d, err := versions.Between(ctx, store, from, to)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(d)
	}
	return show.Diff(a.stdout, a.style, d)
}

func (c *versionsCmd) list(ctx context.Context, a *app, store *state.Store) error {
	all, err := store.Versions(ctx)
	if err != nil {
		return err
	}
	latest, err := store.LatestVersion(ctx)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return err
	}
	if c.JSON {
		return a.printJSON(append([]state.Version{}, all...))
	}
	return show.Versions(a.stdout, a.style, all, latest.Generation)
}

// pair finds the versions to compare: the named ones, or one and its parent.
func (c *versionsCmd) pair(ctx context.Context, store *state.Store) (from, to state.Version, err error) {
	if from, err = versions.Find(ctx, store, c.From); err != nil {
		return from, to, err
	}
	if c.To != "" {
		to, err = versions.Find(ctx, store, c.To)
		return from, to, err
	}
	to, from = from, state.Version{}
	if to.Parent > 0 {
		from, err = versions.FindNumber(ctx, store, to.Parent)
	}
	return from, to, err
}
