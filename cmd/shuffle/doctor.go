package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/planner"
)

type doctorCmd struct{}

func (c *doctorCmd) run(ctx context.Context, a *app) error {
	var checks []show.Check
	for _, part := range []func(context.Context) []show.Check{a.checkBucket, a.checkSettings, a.checkQueues, a.checkSheets} {
		checks = append(checks, part(ctx)...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := show.Checks(a.stdout, a.style, checks); err != nil {
		return err
	}
	for _, check := range checks {
		if !check.OK {
			return errOutcome
		}
	}
	return nil
}

func failed(name string, err error, fix string) []show.Check {
	return []show.Check{{Name: name, Detail: err.Error(), Fix: fix}}
}

func (a *app) checkBucket(ctx context.Context) []show.Check {
	store, err := a.openStore(ctx)
	if err != nil {
		return failed("bucket "+a.cfg.Bucket, err, "check --bucket (SHUFFLE_BUCKET) and the credentials of AWS")
	}
	return doctor.Bucket(ctx, a.bucket, store.Layout)
}

func (a *app) checkQueues(ctx context.Context) (checks []show.Check) {
	for _, spec := range a.cfg.QueueSpecs() {
		q, err := a.openQueue(ctx, spec.Name)
		switch {
		case err != nil:
			checks = append(checks, failed("queue "+spec.Name, err, "shuffle setup, or check --queues (SHUFFLE_QUEUES) and the credentials of AWS")...)
		case spec.DeadLetterQueue != "":
			checks = append(checks, doctor.TasksQueue(ctx, q, spec)...)
		default:
			checks = append(checks, doctor.Queue(ctx, q, spec)...)
		}
	}
	return checks
}

func (a *app) checkSheets(ctx context.Context) (checks []show.Check) {
	p, err := a.openPlanner(ctx, false)
	if err != nil {
		return failed("sheets", err, "check --sheets (SHUFFLE_SHEETS) and GOOGLE_DRIVE_CREDENTIALS_FILE")
	}
	episodes, problems, err := p.Inspect(ctx)
	if err != nil {
		return failed("manifests", err, "check --prefix (SHUFFLE_PREFIX), and put a manifest there")
	}
	for _, m := range problems {
		checks = append(checks, show.Check{Name: "manifest", Detail: m.Problem, Fix: "mend the manifest " + m.Manifest})
	}
	for _, e := range episodes {
		checks = append(checks, checkEpisode(e))
	}
	return checks
}

func checkEpisode(e planner.Inspection) show.Check {
	name := "sheet of " + string(e.Episode)
	if e.Err == nil {
		return show.Check{Name: name, OK: true, Detail: fmt.Sprintf("%d frames, %d images, %d problems", e.Frames, e.Images, e.Problems)}
	}
	fix := "mend the sheet " + e.Sheet
	switch {
	case e.Sheet == "":
		fix = "mend the manifest " + e.Manifest
	case errors.Is(e.Err, sheet.ErrPermission):
		fix = "share the sheet with the account that reads it: " + e.Sheet
	case errors.Is(e.Err, sheet.ErrNotFound):
		fix = "mend the address in the manifest " + e.Manifest + ", which leads to " + e.Sheet
	case errors.Is(e.Err, sheet.ErrUnavailable):
		fix = "try again in a minute"
	}
	return show.Check{Name: name, Detail: e.Err.Error(), Fix: fix}
}
