package main

import (
	"context"
	"errors"

	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

type versionsCmd struct {
	From  string  `arg:"" optional:"" help:"A version's number or tag, or latest. One version: show what it changed. Two: show what changed between them."`
	To    string  `arg:"" optional:"" help:"The later version."`
	Tag   *string `help:"Give the version this name. A version with a tag is never removed." placeholder:"NAME"`
	Untag *string `help:"Remove this tag." placeholder:"NAME"`
	Force bool    `help:"With --tag: move a tag that names another version."`
	JSON  bool    `name:"json" help:"Print JSON: a list of versions, or one object with the differences or with the tag."`
}

func (c *versionsCmd) run(ctx context.Context, a *app) error {
	if err := c.checkFlags(); err != nil {
		return usage(err)
	}
	store, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	switch {
	case c.Tag != nil || c.Untag != nil:
		return c.changeTag(ctx, a, store)
	case c.From == "":
		return c.list(ctx, a, store)
	}
	from, to, err := c.findPair(ctx, store)
	if err != nil {
		return err
	}
	d, err := version.Between(ctx, store, from, to, func(version.Change) error { return nil })
	if err != nil {
		return err
	}
	if !c.JSON {
		return show.Diff(a.stdout, a.style, d)
	}
	return show.DiffJSON(a.stdout, d, func(each func(version.Change) error) error {
		_, err := version.Between(ctx, store, from, to, each)
		return err
	})
}

// checkFlags returns an error for flags and arguments that cannot be combined.
func (c *versionsCmd) checkFlags() error {
	switch {
	case c.Tag != nil && c.Untag != nil:
		return errors.New("--tag and --untag: expected one of them")
	case c.Tag != nil && (c.From == "" || c.To != ""):
		return errors.New("--tag: expected the one version to tag, as in shuffle versions --tag NAME 3")
	case c.Untag != nil && c.From != "":
		return errors.New("--untag: expected no version, since the tag names it, as in shuffle versions --untag NAME")
	case c.Force && c.Tag == nil:
		return errors.New("--force: expected with --tag, to move a tag that names another version")
	}
	return nil
}

func (c *versionsCmd) changeTag(ctx context.Context, a *app, store *state.Store) error {
	var change version.TagChange
	var err error
	if c.Untag != nil {
		change, err = version.RemoveTag(ctx, store, *c.Untag)
	} else {
		var v state.Version
		if v, err = version.Find(ctx, store, c.From); err != nil {
			return err
		}
		change, err = version.SetTag(ctx, store, *c.Tag, v.Generation, c.Force)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(change)
	}
	return show.Tag(a.stdout, a.style, change)
}

func (c *versionsCmd) list(ctx context.Context, a *app, store *state.Store) error {
	listing, err := version.List(ctx, store)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(listing.Versions)
	}
	return show.Versions(a.stdout, a.style, listing)
}

// findPair finds the versions to compare: the two given ones, or the given one and its parent.
func (c *versionsCmd) findPair(ctx context.Context, store *state.Store) (from, to state.Version, err error) {
	if from, err = version.Find(ctx, store, c.From); err != nil {
		return from, to, err
	}
	if c.To != "" {
		to, err = version.Find(ctx, store, c.To)
		return from, to, err
	}
	to, from = from, state.Version{}
	if to.Parent > 0 {
		from, err = version.FindNumber(ctx, store, to.Parent)
	}
	return from, to, err
}
