package tracker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// checked is a listing of the whole destination, compared with what should stand.
type checked struct {
	rows        []version.Row              // all that stands
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
	ahead  map[dataset.Episode]*expected // each is used once
	latest func() (standing, error)
}

// expected is what a plan says should stand of an episode, or why that is not known.
type expected struct {
	all []state.Expected
	err error
}

// episodesAtOnce bounds the episodes that are compared at a time, and those of which is read what should stand while the listing goes
// on: some 8 MB each. It is not the number of cores, so that the order of the requests is the same everywhere.
const episodesAtOnce = 4

// check lists everything and compares the planned episodes with the plan. What the plan held stands as it stood, and is
// not compared. The listing adds what it sees of other keys to strays, if that is not nil.
func (t *Tracker) check(ctx context.Context, plan *state.Plan, strays *dataset.Strays) (*checked, error) {
	c := checker{store: t.Store, plan: plan, latest: t.latestOnce(ctx)}
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		c.images, err = listAll(reading, t.destination(plan.Settings.Listed, strays))
		return err
	})
	g.Go(func() (err error) {
		c.told, err = readCopies(reading, t.Store, plan)
		return err
	})
	g.Go(func() error {
		c.readAhead(reading)
		return nil
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return c.check(ctx)
}

// readAhead reads what should stand of the first episodes.
func (c *checker) readAhead(ctx context.Context) {
	names := slices.Sorted(maps.Keys(c.plan.Digests))
	names = names[:min(len(names), episodesAtOnce)]
	c.ahead = map[dataset.Episode]*expected{}
	var g errgroup.Group
	for _, e := range names {
		x := &expected{}
		c.ahead[e] = x
		g.Go(func() error {
			x.all, x.err = c.store.ReadExpected(ctx, c.plan.Run, e)
			return nil // it may be missing, which compare knows
		})
	}
	_ = g.Wait()
}

// destination is what lists these datasets.
func (t *Tracker) destination(datasets []string, strays *dataset.Strays) dataset.Destination {
	parallel := cmp.Or(t.Options.Parallel, 16)
	return dataset.Destination{
		Bucket: bucket.AtMost(parallel, t.Store.Bucket), Layout: t.Store.Layout, Datasets: datasets, Parallel: parallel, Strays: strays,
	}
}

func listAll(ctx context.Context, d dataset.Destination) (map[dataset.Episode][]dataset.Image, error) {
	images, err := d.Whole(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the datasets: %w", err)
	}
	return images, nil
}

// part is what was found of one episode.
type part struct {
	rows        []version.Row // a part of those of all
	digest      string
	differences []state.Difference
}

func (c *checker) check(ctx context.Context) (*checked, error) {
	found := map[dataset.Episode]bool{}
	total := 0
	for e, images := range c.images {
		found[e] = true
		total += len(images)
	}
	for e := range c.plan.Digests {
		found[e] = true
	}
	names := slices.Sorted(maps.Keys(found))
	out := &checked{
		rows: make([]version.Row, total), digests: map[dataset.Episode]string{}, counts: map[dataset.Place]int{}, differences: []state.Difference{},
	}
	parts, rest := make([]part, len(names)), out.rows
	g, comparing := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for i, e := range names {
		p := &parts[i]
		p.rows, rest = rest[:len(c.images[e])], rest[len(c.images[e]):]
		g.Go(func() error { return c.episode(comparing, e, p) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, e := range names {
		if len(parts[i].rows) > 0 {
			out.digests[e] = parts[i].digest
		}
		if _, planned := c.plan.Digests[e]; planned {
			for _, r := range parts[i].rows {
				out.counts[r.Place]++
			}
		}
		out.differences = append(out.differences, parts[i].differences...)
	}
	return out, nil
}

// episode looks at one episode, and compares it when it is planned.
func (c *checker) episode(ctx context.Context, e dataset.Episode, p *part) (err error) {
	copy(p.rows, versionRows(c.images[e]))
	p.digest = dataset.DigestOf(c.images[e]).String()
	if planned, ok := c.plan.Digests[e]; ok {
		p.differences, err = c.compare(ctx, e, p, planned)
	}
	return err
}

// compare compares one planned episode. A plan saves what should stand of an episode only when it changes something
// there. Of another it knows the digest of the listing; when that is no longer true, the latest dataset version tells
// which frames differ, if it is of the same listing.
func (c *checker) compare(ctx context.Context, e dataset.Episode, p *part, planned string) ([]state.Difference, error) {
	var x expected
	if ahead := c.ahead[e]; ahead != nil {
		x, *ahead = *ahead, expected{} // which is not kept to the end
	} else {
		x.all, x.err = c.store.ReadExpected(ctx, c.plan.Run, e)
	}
	if x.err == nil {
		return compare(c.store.Layout, e, x.all, p.rows, c.told), nil
	}
	hasTasks := slices.ContainsFunc(c.plan.Episodes, func(p state.EpisodePlan) bool { return p.Name() == e && p.Tasks() > 0 })
	if !errors.Is(x.err, bucket.ErrNotFound) || hasTasks { // which has what should stand; one answer that it has not is no proof
		return nil, x.err
	}
	if p.digest == planned {
		return nil, nil
	}
	version, err := c.latest()
	if err != nil {
		return nil, err
	}
	if version.Digests[e] == planned {
		return compare(c.store.Layout, e, version.stood[e], p.rows, nil), nil
	}
	return []state.Difference{{Kind: state.Changed, Episode: e}}, nil
}

// standing is a dataset version, and what it says should stand.
type standing struct {
	state.Version
	stood map[dataset.Episode][]state.Expected
}

// latestOnce reads the latest version when it is first asked for; without one, the zero version.
func (t *Tracker) latestOnce(ctx context.Context) func() (standing, error) {
	return sync.OnceValues(func() (v standing, err error) {
		if v.Version, err = t.Store.LatestVersion(ctx); err != nil && !errors.Is(err, bucket.ErrNotFound) {
			return v, err
		}
		v.stood, err = versionExpected(ctx, t.Store, v.Version)
		return v, err
	})
}

// versionExpected is what a version says should stand, by episode.
func versionExpected(ctx context.Context, store *state.Store, v state.Version) (map[dataset.Episode][]state.Expected, error) {
	stood := map[dataset.Episode][]state.Expected{}
	for _, name := range slices.Sorted(maps.Keys(v.Counts)) {
		rows, err := version.ReadRows(ctx, store, v.Generation, name)
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
	// Strays are the keys below ML/ that are no frames of a dataset; nil: there are none.
	Strays *dataset.StrayCount
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
		strays := &dataset.Strays{}
		out, err := t.check(ctx, plan, strays)
		if err != nil {
			return nil, Verification{}, err
		}
		v := Verification{Against: "run " + plan.Run, Frames: len(out.rows), Episodes: len(plan.Digests)}
		v.Strays, err = t.destination(plan.Settings.Listed, strays).CountStrays(ctx, true)
		return out.differences, v, err
	}
	return t.verifyVersion(ctx)
}

// verifyVersion compares with the latest version.
func (t *Tracker) verifyVersion(ctx context.Context) ([]state.Difference, Verification, error) {
	v, err := t.latestOnce(ctx)()
	if err != nil {
		return nil, Verification{}, err
	}
	if v.Generation == 0 {
		return nil, Verification{}, fmt.Errorf("%w: no run has succeeded yet; shuffle plan begins one", ErrNothingToCompare)
	}
	d := t.destination(v.Listed, &dataset.Strays{})
	images, err := listAll(ctx, d)
	if err != nil {
		return nil, Verification{}, err
	}
	out := Verification{Against: fmt.Sprintf("version %d", v.Generation)}
	if out.Strays, err = d.CountStrays(ctx, true); err != nil {
		return nil, Verification{}, err
	}
	names := map[dataset.Episode]bool{}
	for e := range images {
		names[e] = true
	}
	for e := range v.stood {
		names[e] = true
	}
	differences := []state.Difference{}
	for _, e := range slices.Sorted(maps.Keys(names)) {
		out.Frames += len(images[e])
		out.Episodes++
		differences = append(differences, compare(t.Store.Layout, e, v.stood[e], versionRows(images[e]), nil)...)
	}
	return differences, out, nil
}
