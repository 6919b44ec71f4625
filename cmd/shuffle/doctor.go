package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/planner"
)

type doctorCmd struct{}

func (c *doctorCmd) run(ctx context.Context, a *app) error {
	var checks []show.Check
	for _, part := range []func(context.Context) []show.Check{a.checkBucket, a.checkSettings, a.checkState, a.checkQueues, a.checkAlerts, a.checkSheets} {
		checks = append(checks, part(ctx)...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	shortenRepeated(checks)
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

// shortenRepeated shortens the checks that fail for the AWS login, except the first of them.
func shortenRepeated(checks []show.Check) {
	first := map[string]string{}
	for i, check := range checks {
		if check.OK || !doctor.OfLogin(check.Fix) {
			continue
		}
		if name, found := first[check.Fix]; found {
			checks[i].Detail, checks[i].Fix = "for the same reason as: "+name, ""
			continue
		}
		first[check.Fix] = check.Name
	}
}

// failedCheck is the result of a check that could not begin. Advice for the known cause replaces
// the given one.
func failedCheck(name string, err error, fix string) []show.Check {
	if errors.Is(err, open.ErrURL) {
		fix = "fix the setting that the message names"
	}
	return []show.Check{{Name: name, Detail: err.Error(), Fix: cmp.Or(doctor.Advice(err), fix)}}
}

func (a *app) checkBucket(ctx context.Context) []show.Check {
	store, err := a.openStore(ctx)
	if err != nil {
		return failedCheck("bucket "+a.cfg.Bucket, err, "check --bucket (SHUFFLE_BUCKET) and the credentials of AWS")
	}
	checks := doctor.Bucket(ctx, a.bucket, store.Layout)
	inForce, err := store.Settings(ctx)
	if err != nil || !checks[0].OK {
		return checks // checkSettings reports the error
	}
	return append(checks, doctor.Strays(ctx, dataset.Destination{
		Bucket: bucket.AtMost(a.cfg.Listings, a.bucket), Layout: store.Layout, Datasets: append(a.split.Datasets(), inForce.Datasets...), Parallel: a.cfg.Listings,
	}))
}

func (a *app) checkState(ctx context.Context) []show.Check {
	store, err := a.openStore(ctx)
	if err != nil {
		return nil // checkBucket reports it
	}
	return doctor.State(ctx, store)
}

func (a *app) checkQueues(ctx context.Context) (checks []show.Check) {
	var foreign []string
	scope := ""
	store, err := a.openStore(ctx)
	if err == nil { // else checkBucket has reported it
		scope = store.Scope
		if pointer, err := store.Current(ctx, state.PointerSnapshot{}); err == nil {
			// Only those since the newest run began.
			foreign, _ = store.OtherEnvironments(ctx, pointer.Generation)
		}
	}
	specs := a.cfg.QueueSpecs()
	for _, spec := range specs {
		q, err := a.openQueue(ctx, spec.Name)
		if err != nil {
			checks = append(checks, failedCheck("queue "+spec.Name, err, "shuffle setup, or check --queues (SHUFFLE_QUEUES) and the credentials of AWS")...)
			continue
		}
		found, others := doctor.Queue(ctx, q, spec, specs, scope)
		checks, foreign = append(checks, found...), append(foreign, others...)
	}
	return append(checks, doctor.Environments(scope, foreign))
}

// checkAlerts checks the topic that a stack names; without one there is nothing to check.
func (a *app) checkAlerts(ctx context.Context) []show.Check {
	topic := a.cfg.AlertsTopic
	if topic == "" {
		return nil
	}
	all, err := a.opener.Subscriptions(ctx, topic)
	return []show.Check{doctor.Alerts(topic, all, err)}
}

func (a *app) checkSheets(ctx context.Context) (checks []show.Check) {
	p, err := a.openPlanner(ctx, false)
	if err != nil {
		return failedCheck("sheets", err, "check --sheets (SHUFFLE_SHEETS) and GOOGLE_DRIVE_CREDENTIALS_FILE")
	}
	episodes, problems, err := p.Inspect(ctx)
	if errors.Is(err, state.ErrDamaged) {
		return failedCheck("sheets", err, "restore the object that the message names")
	}
	if err != nil {
		return failedCheck("manifests", err, "check --prefix (SHUFFLE_PREFIX), and put a manifest there")
	}
	for _, m := range problems {
		checks = append(checks, show.Check{Name: "manifest", Detail: m.Problem, Fix: "fix the manifest " + m.Manifest})
	}
	for _, e := range episodes {
		checks = append(checks, checkEpisode(e))
	}
	return checks
}

func checkEpisode(e planner.Inspection) show.Check {
	name := "sheet of " + string(e.Episode)
	if e.Err == nil {
		return show.Check{Name: name, OK: true, Detail: fmt.Sprintf("%d frames, %d images, %s", e.Frames, e.Images, show.ProblemsLine(e.Plan))}
	}
	fix := "fix the sheet " + e.Sheet
	switch {
	case e.Sheet == "":
		fix = "fix the manifest " + e.Manifest
	case doctor.Advice(e.Err) != "":
		fix = doctor.Advice(e.Err) + "; the sheet is " + e.Sheet
	case errors.Is(e.Err, sheet.ErrPermission):
		fix = "share the sheet with the account that reads it: " + e.Sheet
	case errors.Is(e.Err, sheet.ErrNotFound):
		fix = "fix the sheet's address in the manifest " + e.Manifest + ": it is " + e.Sheet
	case errors.Is(e.Err, sheet.ErrUnavailable):
		fix = "try again in a minute"
	}
	return show.Check{Name: name, Detail: e.Err.Error(), Fix: fix}
}
