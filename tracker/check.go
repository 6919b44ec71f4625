package tracker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// checked is a listing of the whole destination, compared with what should stand.
type checked struct {
	rows        []state.VersionRow         // all that stands
	digests     map[dataset.Episode]string // of every episode with images
	counts      map[dataset.Place]int      // images of the episodes that were compared
	differences []state.Difference
}

// checker compares a listing with a plan.
type checker struct {
	store  *state.Store
	plan   *state.Plan
	images map[dataset.Episode][]dataset.Image
	told   copies
	latest func() (state.Version, map[dataset.Episode][]state.Expected, error)
}

// check lists everything and compares the planned episodes with the plan. What the plan held stands as it stood, and is
// not compared.
func (t *Tracker) check(ctx context.Context, plan *state.Plan) (*checked, error) {
	images, err := t.list(ctx, plan.Settings.Listed)
	if err != nil {
		return nil, err
	}
	c := checker{store: t.Store, plan: plan, images: images}
	if c.told, err = readCopies(ctx, t.Store, plan); err != nil {
		return nil, err
	}
	c.latest = t.latestOnce(ctx)
	return c.check(ctx)
}

func (t *Tracker) list(ctx context.Context, datasets []string) (map[dataset.Episode][]dataset.Image, error) {
	parallel := t.Options.Parallel
	if parallel == 0 {
		parallel = 16
	}
	d := dataset.Destination{Bucket: bucket.AtMost(parallel, t.Store.Bucket), Layout: t.Store.Layout, Datasets: datasets, Parallel: parallel}
	images, err := d.Whole(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the datasets: %w", err)
	}
	return images, nil
}

func (c *checker) check(ctx context.Context) (*checked, error) {
	out := &checked{digests: map[dataset.Episode]string{}, counts: map[dataset.Place]int{}, differences: []state.Difference{}}
	names := map[dataset.Episode]bool{}
	for e := range c.images {
		names[e] = true
	}
	for e := range c.plan.Digests {
		names[e] = true
	}
	for _, e := range slices.Sorted(maps.Keys(names)) {
		images := c.images[e]
		rows := versionRows(images)
		digest := dataset.DigestOf(images).String()
		if len(images) > 0 {
			out.digests[e] = digest
		}
		if planned, ok := c.plan.Digests[e]; ok {
			for _, i := range images {
				out.counts[i.Place]++
			}
			differences, err := c.episode(ctx, e, rows, digest, planned)
			if err != nil {
				return nil, err
			}
			out.differences = append(out.differences, differences...)
		}
		out.rows = append(out.rows, rows...)
	}
	return out, nil
}

// episode compares one planned episode. A plan saves what should stand of an episode only when it changes something
// there. Of another it knows the digest of the listing; when that is no longer true, the latest dataset version tells
// which frames differ, if it is of the same listing.
func (c *checker) episode(ctx context.Context, e dataset.Episode, rows []state.VersionRow, digest, planned string) ([]state.Difference, error) {
	expected, err := c.store.ReadExpected(ctx, c.plan.Run, e)
	if err == nil {
		return compare(c.store.Layout, e, expected, rows, c.told), nil
	}
	if !errors.Is(err, bucket.ErrNotFound) {
		return nil, err
	}
	if digest == planned {
		return nil, nil
	}
	version, stood, err := c.latest()
	if err != nil {
		return nil, err
	}
	if version.Digests[e] == planned {
		return compare(c.store.Layout, e, stood[e], rows, nil), nil
	}
	return []state.Difference{{Kind: state.Changed, Episode: e}}, nil
}

// latestOnce reads the latest version when it is first asked for; without one, the zero version.
func (t *Tracker) latestOnce(ctx context.Context) func() (state.Version, map[dataset.Episode][]state.Expected, error) {
	var v state.Version
	var stood map[dataset.Episode][]state.Expected
	return func() (state.Version, map[dataset.Episode][]state.Expected, error) {
		if stood != nil {
			return v, stood, nil
		}
		var err error
		if v, err = t.Store.LatestVersion(ctx); err != nil && !errors.Is(err, bucket.ErrNotFound) {
			return v, nil, err
		}
		stood, err = versionExpected(ctx, t.Store, v)
		return v, stood, err
	}
}

// versionExpected is what a version says should stand, by episode.
func versionExpected(ctx context.Context, store *state.Store, v state.Version) (map[dataset.Episode][]state.Expected, error) {
	stood := map[dataset.Episode][]state.Expected{}
	for _, name := range slices.Sorted(maps.Keys(v.Counts)) {
		rows, err := store.ReadVersionRows(ctx, v.Generation, name)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			e := r.Frame.Episode()
			stood[e] = append(stood[e], state.Expected{Place: r.Place, Frame: r.Frame, ETag: r.ETag, SrcETag: r.SrcETag})
		}
	}
	return stood, nil
}

// readCopies reads the pairs of ETags that the run's results told, by the keys of their tasks.
func readCopies(ctx context.Context, store *state.Store, plan *state.Plan) (copies, error) {
	pairs, err := store.TaskPairs(ctx, plan.Run)
	if err != nil || len(pairs) == 0 {
		return nil, err
	}
	bySeq := map[uint32][]state.Pair{}
	for _, p := range pairs {
		bySeq[p.Seq] = append(bySeq[p.Seq], p.Pair)
	}
	told := copies{}
	for chunk := range state.Chunks(plan.Tasks) {
		tasks, err := store.ReadTasks(ctx, plan.Run, chunk)
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			if p := bySeq[t.Seq]; p != nil && t.Dst != "" {
				told[t.Dst] = p
			}
		}
	}
	return told, nil
}

// Verification is what Verify compared.
type Verification struct {
	// Against says what the listing was compared with: "run …" or "version …".
	Against string
	// Frames is the number of images in the datasets.
	Frames int
	// Episodes were compared.
	Episodes int
}

// ErrNothingToCompare says that no run has left anything to verify.
var ErrNothingToCompare = errors.New("nothing to compare with")

// Verify lists the datasets now and compares them with what the newest run should have left; with the latest dataset version when
// the newest run had no tasks. An active run is an error: its tasks are about to change what stands.
func (t *Tracker) Verify(ctx context.Context) ([]state.Difference, Verification, error) {
	held, err := t.Store.Current(ctx, state.Held{})
	if err != nil {
		return nil, Verification{}, err
	}
	if held.State.Active() {
		return nil, Verification{}, fmt.Errorf("run %s is %s: verify when it has ended (shuffle status --watch)", held.Run, held.State)
	}
	plan, err := readPlan(ctx, t.Store, held.Run)
	if err != nil {
		return nil, Verification{}, err
	}
	if plan.Tasks > 0 && held.State != state.Review {
		out, err := t.check(ctx, plan)
		if err != nil {
			return nil, Verification{}, err
		}
		return out.differences, Verification{Against: "run " + plan.Run, Frames: len(out.rows), Episodes: len(plan.Digests)}, nil
	}
	return t.verifyVersion(ctx)
}

// verifyVersion compares with the latest version.
func (t *Tracker) verifyVersion(ctx context.Context) ([]state.Difference, Verification, error) {
	v, stood, err := t.latestOnce(ctx)()
	if err != nil {
		return nil, Verification{}, err
	}
	if v.Generation == 0 {
		return nil, Verification{}, fmt.Errorf("%w: no run has succeeded yet; shuffle plan begins one", ErrNothingToCompare)
	}
	images, err := t.list(ctx, v.Listed)
	if err != nil {
		return nil, Verification{}, err
	}
	out := Verification{Against: fmt.Sprintf("version %d", v.Generation)}
	names := map[dataset.Episode]bool{}
	for e := range images {
		names[e] = true
	}
	for e := range stood {
		names[e] = true
	}
	differences := []state.Difference{}
	for _, e := range slices.Sorted(maps.Keys(names)) {
		out.Frames += len(images[e])
		out.Episodes++
		differences = append(differences, compare(t.Store.Layout, e, stood[e], versionRows(images[e]), nil)...)
	}
	return differences, out, nil
}
