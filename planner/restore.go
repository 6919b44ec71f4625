package planner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// RestoreEpisode plans an episode back to a dataset version. restored are the rows of the episode
// in the version, with the rows of a frame next to each other. It is a pure function. The rules of
// PlanEpisode apply except for one: the version decides the place of a frame. Of in.Sheet, only
// Base is used.
//
// An image can be copied only while the source still is the image of the version. If the source has
// changed or is gone, a frame whose copies differ from the version is refused. A refused frame is
// left unchanged, with a problem.
//
//	in the version | has that content there | source            | the frame is
//	---------------+------------------------+-------------------+-------------------------------
//	no             |                        |                   | wanted nowhere
//	once           | yes                    | any               | kept; other copies are deleted
//	once           | no                     | as in the version | copied, moved or refreshed
//	once           | no                     | changed, or gone  | refused
//	twice          | both, and nowhere else | any               | left unchanged
//	twice          | otherwise              | any               | refused: a frame has one place
func RestoreEpisode(in EpisodeInput, generation int64, restored []version.Row) EpisodeChanges {
	r := &restoration{version: generation, rows: make(map[dataset.Frame][]version.Row, len(restored))}
	known := map[state.Pair]bool{}
	in.Sheet.Rows, in.Sheet.Problems = make([]rows.Row, 0, len(restored)), nil
	for len(restored) > 0 {
		f, n := restored[0].Frame, 1
		for n < len(restored) && restored[n].Frame == f {
			n++
		}
		in.Sheet.Rows = append(in.Sheet.Rows, rows.Row{Frame: f, Class: restored[0].Place.Class})
		r.rows[f], restored = restored[:n], restored[n:]
		for _, row := range r.rows[f] {
			if src := sourceOf(row); src != row.ETag { // equal ETags need no pair
				known[state.Pair{ETag: row.ETag, SrcETag: src}] = true
			}
		}
	}
	same := in.Same
	in.Same = func(copyETag, srcETag string) bool {
		return known[state.Pair{ETag: copyETag, SrcETag: srcETag}] || same(copyETag, srcETag)
	}
	r.planner = &episodePlanner{EpisodeInput: in, cause: state.ChangeRestore}
	r.planner.allow = func(flag string) string {
		return fmt.Sprintf("if that is right, shuffle restore %d --allow-%s %s", generation, flag, in.Episode)
	}
	r.planner.wish = r.wish
	return r.planner.plan()
}

// sourceOf returns the ETag of the source that the image of the version was copied from.
func sourceOf(r version.Row) string { return cmp.Or(r.SrcETag, r.ETag) }

// restoration has the places that a version wants for the frames of one episode.
type restoration struct {
	version int64
	rows    map[dataset.Frame][]version.Row
	planner *episodePlanner
}

func (r *restoration) wish(f dataset.Frame) Wish {
	stood := r.rows[f]
	switch {
	case len(stood) == 0:
		return Wish{}
	case len(stood) > 1 && r.allStand(stood) && len(r.planner.Standing[f]) == len(stood):
		return Wish{Frozen: true}
	case len(stood) > 1:
		return r.refuse(f, fmt.Sprintf("it stands in %s and %s in version %d, and a plan puts a frame in one place", stood[0].Place, stood[1].Place, r.version))
	}
	w := Wish{Place: &stood[0].Place, ETag: sourceOf(stood[0])}
	etag, ok := r.planner.Images[f]
	switch {
	case r.allStand(stood), ok && etag == w.ETag:
		return w
	case r.planner.Unusable[f] != "":
		return r.refuse(f, r.planner.Unusable[f])
	case !ok:
		return r.refuse(f, "its source image is gone")
	}
	return r.refuse(f, fmt.Sprintf("its source image has changed since version %d (ETag %s, in the version %s)", r.version, etag, w.ETag))
}

// allStand reports whether the frame has the copies of these rows. It may have other copies too.
func (r *restoration) allStand(stood []version.Row) bool {
	for _, row := range stood {
		if !slices.ContainsFunc(r.planner.Standing[row.Frame], func(c dataset.Copy) bool {
			return c.Place == row.Place && r.planner.Same(c.ETag, sourceOf(row))
		}) {
			return false
		}
	}
	return true
}

func (r *restoration) refuse(f dataset.Frame, why string) Wish {
	r.planner.problem(state.Problem{Frame: string(f), Kind: kindNotRestored, Problem: "not restored: " + why + "; the frame is left as it stands"})
	return Wish{Frozen: true}
}

// restore is the version that a plan restores.
type restore struct {
	version  state.Version
	rows     *version.Contents
	episodes []dataset.Episode // the episodes with rows
}

// readRestore opens the version. It reads neither manifests nor sheets, since a restore must work
// when they are broken.
func (p *Planner) readRestore(ctx context.Context, opt Options) (*restore, error) {
	v, err := version.FindNumber(ctx, p.Store, opt.Restore)
	if errors.Is(err, version.ErrNone) {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if err != nil {
		return nil, err
	}
	back := &restore{version: v}
	if back.rows, err = version.Open(ctx, p.Store, v); err != nil {
		return nil, err
	}
	if back.episodes, err = back.rows.Episodes(ctx); err != nil {
		return nil, err
	}
	for _, e := range opt.Episodes {
		if !slices.Contains(back.episodes, e) {
			return nil, fmt.Errorf("%w: --episode %s: version %d has no frame of it", ErrUsage, e, v.Generation)
		}
	}
	return back, nil
}

// restore plans every episode that has frames in the version or in the datasets.
func (c *comparison) restore(ctx context.Context, add planned) error {
	found, err := c.folders.get(ctx)
	if err != nil {
		return err
	}
	all := slices.Clone(c.back.episodes)
	for _, folder := range found {
		all = append(all, folder.Episodes...)
	}
	slices.Sort(all)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for _, e := range slices.Compact(all) {
		if c.selects(e) {
			g.Go(func() error { return c.restoreEpisode(ctx, e, found, add) })
		}
	}
	return g.Wait()
}

func (c *comparison) restoreEpisode(ctx context.Context, e dataset.Episode, found []dataset.Folder, add planned) error {
	in := c.episodeInput(e, c.assign)
	in.Sheet.Base = cmp.Or(c.back.version.Bases[e], rows.DefaultBase(in.Layout.Prefix, e, cmp.Or(c.back.version.ImageSize, c.p.Config.ImageSize)))
	restored, err := c.readRestored(ctx, &in, found)
	if c.plans.Acquire(ctx, 1) != nil {
		return context.Cause(ctx)
	}
	defer c.plans.Release(1)
	if err != nil {
		return add(ctx, "", in, EpisodeChanges{Held: err.Error(), Cause: causeOf(err)})
	}
	return add(ctx, "", in, RestoreEpisode(in, c.back.version.Generation, restored))
}

// readRestored reads the rows of an episode in the version, by frame and place. It also reads the
// episode's images and lists its copies.
func (c *comparison) readRestored(ctx context.Context, in *EpisodeInput, found []dataset.Folder) (restored []version.Row, err error) {
	if restored, err = c.back.rows.Rows(ctx, in.Episode); err != nil {
		return nil, err
	}
	if len(restored) > 0 {
		var images dataset.Images
		images, err = dataset.Source(ctx, c.lister, in.Sheet.Base, in.Episode)
		if errors.Is(err, dataset.ErrNoImages) {
			err = missingImages(images, in.Episode, in.Sheet.Base)
		}
		in.Images, in.Unusable = images.ETags, images.Unusable
	}
	if err != nil {
		return nil, err
	}
	if in.Standing, err = c.dest.Episode(ctx, found, in.Episode); err != nil {
		return nil, err
	}
	slices.SortFunc(restored, func(a, b version.Row) int {
		return cmp.Or(strings.Compare(string(a.Frame), string(b.Frame)), a.Place.Compare(b.Place))
	})
	return restored, c.same(ctx, in)
}
