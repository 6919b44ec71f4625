package planner

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// settingsEffect counts the frames that stand in a dataset and will stand in another: what other settings than those in
// force do, or what a change of settings has left to do.
type settingsEffect struct {
	training string
	frames   int
	counts   map[state.ChangedFrames]int // Frames is 0 in the keys
	// heldOut are the frames that will stand in a dataset beside the training one.
	heldOut map[dataset.Frame]string
}

func newSettingsEffect(s Split) *settingsEffect {
	return &settingsEffect{training: s.training(), counts: map[state.ChangedFrames]int{}, heldOut: map[dataset.Frame]string{}}
}

// add takes in what stands of an episode and what will. A frame changes its dataset when it will stand in one in which it
// has no copy now.
func (c *settingsEffect) add(e dataset.Episode, standing dataset.Standing, expected []state.Expected) {
	for _, x := range expected {
		if x.Place.Dataset != c.training {
			c.heldOut[x.Frame] = x.Place.Dataset
		}
		copies := standing[x.Frame]
		if len(copies) == 0 {
			continue
		}
		c.frames++
		if !slices.ContainsFunc(copies, func(s dataset.Copy) bool { return s.Place.Dataset == x.Place.Dataset }) {
			c.counts[state.ChangedFrames{Episode: string(e), Class: x.Place.Class}]++
		}
	}
}

// result is nil when no frame changes its dataset under the settings in force. It adds, from the kept versions, which of the
// frames that are held out have been trained on; not for a few frames, as stratified classes move with a label.
func (c *settingsEffect) result(ctx context.Context, store *state.Store, changed bool) (*state.DatasetChanges, error) {
	out := &state.DatasetChanges{Of: c.frames, Counts: []state.ChangedFrames{}}
	for key, n := range c.counts {
		key.Frames = n
		out.Frames += n
		out.Counts = append(out.Counts, key)
	}
	slices.SortFunc(out.Counts, func(a, b state.ChangedFrames) int {
		return cmp.Or(cmp.Compare(a.Episode, b.Episode), cmp.Compare(a.Class, b.Class))
	})
	if out.Frames == 0 && !changed {
		return nil, nil
	}
	if 100*out.Frames <= out.Of && !changed {
		return out, nil
	}
	trained, err := trainedFrames(ctx, store, c.training)
	if err != nil {
		return nil, err
	}
	counts := map[string]*state.TrainedFrames{}
	for f, name := range c.heldOut {
		if counts[name] == nil {
			counts[name] = &state.TrainedFrames{Dataset: name}
		}
		counts[name].Frames++
		if trained[f] {
			counts[name].Trained++
		}
	}
	for _, n := range counts {
		out.Trained = append(out.Trained, *n)
	}
	slices.SortFunc(out.Trained, func(a, b state.TrainedFrames) int { return cmp.Compare(a.Dataset, b.Dataset) })
	return out, nil
}

// trainedFrames are all that stood in the training dataset in any kept version.
func trainedFrames(ctx context.Context, store *state.Store, training string) (map[dataset.Frame]bool, error) {
	versions, err := store.Versions(ctx)
	if err != nil {
		return nil, err
	}
	trained := map[dataset.Frame]bool{}
	for _, v := range versions {
		if len(v.Counts[training]) == 0 {
			continue
		}
		rows, err := version.ReadRows(ctx, store, v.Generation, training)
		if errors.Is(err, bucket.ErrNotFound) {
			continue // it is just being removed
		}
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			trained[r.Frame] = true
		}
	}
	return trained, nil
}
