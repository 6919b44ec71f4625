package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

type changesCmd struct {
	Run  string `arg:"" optional:"" help:"The newest run or review by default."`
	CSV  string `name:"csv" help:"Write all changes to this file, a line for each frame; - is stdout." placeholder:"FILE"`
	JSON bool   `name:"json" help:"Print the counts, by episode and cause, and the first of each as one JSON object."`
}

// changesJSON is what changes --json prints.
type changesJSON struct {
	Run      string              `json:"run"`
	State    state.State         `json:"state"`
	Recorded bool                `json:"recorded"` // false for a run of a release that recorded no causes
	Changes  []state.ChangeCount `json:"changes"`
}

func (c *changesCmd) run(ctx context.Context, a *app) error {
	plan, st, err := a.readPlan(ctx, c.Run)
	if err != nil {
		return err
	}
	if c.CSV != "" {
		file, err := newCSVFile("csv", c.CSV, a.stdout)
		if err != nil {
			return err
		}
		n, err := copyChanges(ctx, file, a.store, plan)
		if err := file.finish(err); err != nil {
			return err
		}
		a.reportWritten(c.CSV, n, "change")
		return nil
	}
	counts := plan.Changes
	if !plan.ChangesRecorded() {
		if counts, err = countUnrecorded(ctx, a.store, plan); err != nil {
			return err
		}
	}
	if c.JSON {
		return a.printJSON(changesJSON{plan.Run, st, plan.ChangesRecorded(), append([]state.ChangeCount{}, counts...)})
	}
	return show.Changes(a.stdout, a.style, plan.Run, st, counts)
}

// readPlan reads the plan of a run and the run's state. An empty name means the newest run.
func (a *app) readPlan(ctx context.Context, run string) (*state.Plan, state.State, error) {
	store, err := a.openStore(ctx)
	if err != nil {
		return nil, "", err
	}
	status, err := state.ReadStatus(ctx, store, run)
	if err != nil {
		return nil, "", err
	}
	plan, err := store.ReadPlan(ctx, status.Run)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, "", fmt.Errorf("run %s has no plan: it is %s; see shuffle runs", status.Run, status.State)
	}
	return plan, status.State, err
}

// countUnrecorded counts the changes of a run that an earlier release planned.
func countUnrecorded(ctx context.Context, store *state.Store, plan *state.Plan) ([]state.ChangeCount, error) {
	counts := map[dataset.Episode]state.ChangeCount{}
	for changes, err := range store.RunChanges(ctx, plan) {
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			n := counts[c.Frame.Episode()]
			n.Episode = c.Frame.Episode()
			if n.Count++; len(n.First) < state.FirstChanges {
				n.First = append(n.First, c)
			}
			counts[n.Episode] = n
		}
	}
	return slices.SortedFunc(maps.Values(counts), func(a, b state.ChangeCount) int { return cmp.Compare(a.Episode, b.Episode) }), nil
}

func copyChanges(ctx context.Context, to io.Writer, store *state.Store, plan *state.Plan) (n int, err error) {
	w, err := state.NewChangesWriter(to)
	if err != nil {
		return 0, err
	}
	for changes, err := range store.RunChanges(ctx, plan) {
		if err == nil {
			err = w.Write(changes)
		}
		if err != nil {
			return n, err
		}
		n += len(changes)
	}
	return n, w.Flush()
}

// reportWritten prints on stderr how many lines of which kind a file has.
func (a *app) reportWritten(path string, n int, what string) {
	if path == "-" {
		return
	}
	if n != 1 {
		what += "s"
	}
	// An error of stderr cannot be reported.
	_, _ = fmt.Fprintf(a.screen, "%s: %d %s\n", show.Clean(path), n, what)
}

// dryRunChanges collects the changes of a dry run, which saves no plan. The episodes arrive in any
// order, so they are kept until the end, compressed to need less memory.
type dryRunChanges struct{ episodes map[dataset.Episode][]byte }

func (d *dryRunChanges) add(e dataset.Episode, changes []state.FrameChange) error {
	body, err := state.EncodeChanges(changes)
	if err == nil {
		d.episodes[e] = body
	}
	return err
}

// write writes the changes in the order of the episodes.
func (d *dryRunChanges) write(to io.Writer) (n int, err error) {
	w, err := state.NewChangesWriter(to)
	if err != nil {
		return 0, err
	}
	for _, e := range slices.Sorted(maps.Keys(d.episodes)) {
		changes, err := state.DecodeChanges(d.episodes[e])
		if err == nil {
			err = w.Write(changes)
		}
		if err != nil {
			return n, err
		}
		n += len(changes)
	}
	return n, w.Flush()
}
