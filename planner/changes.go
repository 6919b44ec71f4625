package planner

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// settingsEffect counts the frames that move from one dataset to another. They move because the
// plan changes the settings in force, or because an earlier change of settings is not complete yet.
type settingsEffect struct {
	training string
	frames   int
	counts   map[state.ChangedFrames]int // Frames is 0 in the keys
	// heldOut has, for each dataset except the training one, the expected frames.
	heldOut map[string]dataset.FrameSet
}

func newSettingsEffect(s Split) *settingsEffect {
	return &settingsEffect{training: s.training(), counts: map[state.ChangedFrames]int{}, heldOut: map[string]dataset.FrameSet{}}
}

// add counts the frames of one episode. A frame changes its dataset when the plan puts it into a
// dataset that has no copy of it now.
func (c *settingsEffect) add(e dataset.Episode, standing dataset.Standing, expected []state.Expected) {
	for _, x := range expected {
		if name := x.Place.Dataset; name != c.training {
			if c.heldOut[name] == nil {
				c.heldOut[name] = dataset.FrameSet{}
			}
			c.heldOut[name].Add(x.Frame)
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

// result returns nil when no frame changes its dataset under the settings in force. From the kept
// versions it counts how many of the held-out frames have been in the training dataset. It does not
// count when few frames move under unchanged settings, as stratified classes move after a new
// label.
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
	for _, name := range slices.Sorted(maps.Keys(c.heldOut)) {
		of := c.heldOut[name]
		out.Trained = append(out.Trained, state.TrainedFrames{Dataset: name, Frames: of.Len(), Trained: of.Common(trained)})
	}
	return out, nil
}

// trainedFrames returns all frames that were in the training dataset in any kept version. It reads
// a part that several versions share once.
func trainedFrames(ctx context.Context, store *state.Store, training string) (dataset.FrameSet, error) {
	versions, err := store.Versions(ctx)
	if err != nil {
		return nil, err
	}
	trained, seen := dataset.FrameSet{}, map[string]bool{}
	for _, v := range versions {
		if len(v.Counts[training]) == 0 {
			continue
		}
		err := addTrained(ctx, store, v, training, trained, seen)
		// Another process may just be removing the version.
		if err != nil && !errors.Is(err, bucket.ErrNotFound) {
			return nil, err
		}
	}
	return trained, nil
}

func addTrained(ctx context.Context, store *state.Store, v state.Version, training string, trained dataset.FrameSet, seen map[string]bool) error {
	c, err := version.Open(ctx, store, v)
	if err != nil {
		return err
	}
	episodes, err := c.Episodes(ctx)
	if err != nil {
		return err
	}
	for _, e := range episodes {
		if entry, ok := c.Entry(e); ok && (seen[entry.SHA256] || len(entry.Counts[training]) == 0) {
			continue
		}
		p, err := c.Part(ctx, e)
		if err != nil {
			return err
		}
		seen[p.SHA256] = true
		for r, err := range p.ReadDataset(store.Layout, training) {
			if err != nil {
				return err
			}
			trained.Add(r.Frame)
		}
	}
	return nil
}
