package main

import (
	"context"

	"github.com/angel-nft/google-shuffle/internal/pull"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/versions"
)

type pullCmd struct {
	Dir     string   `arg:"" help:"A new or empty folder, or one of an earlier pull."`
	Version string   `help:"The version's number, or latest." default:"latest"`
	Dataset []string `help:"Pull this dataset only; repeatable." placeholder:"train"`
	Delete  bool     `help:"Remove frames from the folder that the version does not have there."`
	JSON    bool     `name:"json" help:"Print one JSON object."`
}

func (c *pullCmd) run(ctx context.Context, a *app) error {
	store, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	v, err := versions.Find(ctx, store, c.Version)
	if err != nil {
		return err
	}
	progress := a.counter("pulling")
	result, err := pull.Pull(ctx, pull.Options{
		Store: store, Bucket: a.bucket, Version: v, Datasets: c.Dataset, Dir: c.Dir, Delete: c.Delete,
		Parallel: a.cfg.Concurrency, Progress: progress.update,
	})
	progress.close()
	if err != nil {
		return err
	}
	print := func() error { return show.Pull(a.stdout, a.style, result) }
	if c.JSON {
		print = func() error { return a.printJSON(result) }
	}
	if err := print(); err != nil {
		return err
	}
	if !result.Whole() {
		return errOutcome
	}
	return nil
}
