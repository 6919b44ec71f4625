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
	CSV  string `name:"csv" help:"Write all of them to this file, frame by frame; - is stdout." placeholder:"FILE"`
	JSON bool   `name:"json" help:"Print the counts, by episode and cause, and the first of each as one JSON object."`
}

// changesJSON is what changes --json prints.
type changesJSON struct {
	Run      string              `json:"run"`
	State    state.State         `json:"state"`
	Recorded bool                `json:"recorded"` // an earlier release did not record the causes
	Changes  []state.ChangeCount `json:"changes"`
}

func (c *changesCmd) run(ctx context.Context, a *app) error {
	plan, st, err := a.keptPlan(ctx, c.Run)
	if err != nil {
		return err
	}
	if c.CSV != "" {
		return a.writeChanges(ctx, plan, "csv", c.CSV)
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

// keptPlan reads the plan of a run, "" is the newest, and the state that the run is in.
func (a *app) keptPlan(ctx context.Context, run string) (*state.Plan, state.State, error) {
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

// writeChanges writes all changes of a kept plan to a file, an episode at a time.
func (a *app) writeChanges(ctx context.Context, plan *state.Plan, flag, path string) error {
	file, err := newCSVFile(flag, path, a.stdout)
	if err != nil {
		return err
	}
	n, err := copyChanges(ctx, file, a.store, plan)
	if err := file.finish(err); err != nil {
		return err
	}
	a.wrote(path, n, "change")
	return nil
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

// wrote says on stderr what is in a file.
func (a *app) wrote(path string, n int, what string) {
	if path == "-" {
		return
	}
	if n != 1 {
		what += "s"
	}
	_, _ = fmt.Fprintf(a.screen, "%s: %d %s\n", show.Clean(path), n, what) // stderr; there is nobody to tell
}

// dryChanges collects the changes of a dry run, which saves nothing: compressed, as they come in
// any order, and bounded by that.
type dryChanges struct{ episodes map[dataset.Episode][]byte }

func (d *dryChanges) add(e dataset.Episode, changes []state.FrameChange) error {
	body, err := state.EncodeChanges(changes)
	if err == nil {
		d.episodes[e] = body
	}
	return err
}

// write writes them by episode.
func (d *dryChanges) write(to io.Writer) (n int, err error) {
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
