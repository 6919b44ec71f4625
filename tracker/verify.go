package tracker

import (
	"context"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// ErrNothingToCompare means that no run has left anything to verify.
var ErrNothingToCompare = errors.New("nothing to compare with")

// Verification is what Verify compared.
type Verification struct {
	// Against is what the listing was compared with: "run …" or "version …".
	Against string
	// Frames is the number of images in the datasets.
	Frames int
	// Episodes were compared.
	Episodes int
	// Differences is their number, and First the first state.MaxDifferences of them.
	Differences int
	First       []state.Difference
	// Strays are the keys below ML/ that are no frames of a dataset; nil: there are none.
	Strays *dataset.StrayCount
}

// Verify lists the datasets now, an episode at a time. It compares them with what the newest run
// should have left, or with the latest dataset version when that run had no tasks. It refuses an
// active run, whose tasks are about to change the datasets.
func (t *Tracker) Verify(ctx context.Context) (Verification, error) {
	pointer, err := t.Store.Current(ctx, state.PointerSnapshot{})
	if err != nil {
		return Verification{}, err
	}
	if pointer.State.Active() {
		return Verification{}, fmt.Errorf("run %s is %s: verify when it has ended (shuffle status --watch)", pointer.Run, pointer.State)
	}
	plan, err := readPlan(ctx, t.Store, pointer.Run)
	if err != nil {
		return Verification{}, err
	}
	before, err := version.OpenLatest(ctx, t.Store)
	if err != nil {
		return Verification{}, err
	}
	out := Verification{Against: "run " + plan.Run}
	if plan.Tasks == 0 || pointer.State == state.Review {
		if before == nil {
			return Verification{}, fmt.Errorf("%w: no run has succeeded yet; shuffle plan begins one", ErrNothingToCompare)
		}
		out.Against = fmt.Sprintf("version %d", before.Version.Generation)
		if plan, err = planOf(ctx, before); err != nil {
			return Verification{}, err
		}
	}
	c := t.newChecker(plan, &dataset.Strays{})
	c.before = before
	if c.pairs, err = readPairs(ctx, t.Store, plan); err != nil {
		return Verification{}, err
	}
	all, err := c.findEpisodes(ctx)
	if err != nil {
		return Verification{}, err
	}
	if plan.Run == "" { // an episode that the version lacks should have no images
		for _, e := range all {
			if _, ok := plan.Digests[e]; !ok {
				plan.Digests[e] = dataset.Digest{}.String()
			}
		}
	}
	err = c.listAll(ctx, all, func(_ context.Context, _ dataset.Episode, rows []version.Row, _ string) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		out.Frames += len(rows)
		return nil
	})
	if err != nil {
		return Verification{}, err
	}
	if out.Strays, err = c.dest.CountStrays(ctx, true); err != nil {
		return Verification{}, err
	}
	found := c.allDifferences()
	out.Episodes, out.Differences, out.First = len(plan.Digests), found.count, found.first
	return out, nil
}

// planOf returns a plan that expects the episodes as they are in a version.
func planOf(ctx context.Context, v *version.Contents) (*state.Plan, error) {
	plan := &state.Plan{Settings: v.Version.Settings, Digests: map[dataset.Episode]string{}}
	episodes, err := v.Episodes(ctx)
	for _, e := range episodes {
		plan.Digests[e] = v.Version.Digests[e]
	}
	return plan, err
}
