package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

const (
	freshVersions = 5 * time.Second
	// freshDiff is how long a comparison of two versions, or what the plan of a version said, is
	// kept. Versions do not change.
	freshDiff = time.Hour
	// keptDiffs bounds the memory: of a season that was drawn afresh a comparison takes some 40 MB.
	keptDiffs = 2
	// trendVersions is how many versions the trends go back, and plansAtOnce how many plans are
	// read for them at a time.
	trendVersions, plansAtOnce = 30, 3
)

// planned is what the plan of a version's run said that the version does not hold.
type planned struct {
	Leakage  float64
	Problems int
}

// versions lists the dataset versions, with how they changed.
func (d *dashboard) versions(r *http.Request) (page.Page, error) {
	l, err := d.listing(r.Context())
	if err != nil {
		return nil, err
	}
	p := &page.Versions{Latest: l.Latest}
	for i, v := range l.Versions {
		row := page.VersionRow{Version: v.Version, Tags: v.Tags, Latest: v.Generation == l.Latest}
		if i+1 < len(l.Versions) {
			row.Before = l.Versions[i+1].Generation
			row.Changes = l.Versions[i+1].Definition.ChangesTo(v.Definition)
			row.Added = v.Frames - l.Versions[i+1].Frames
		}
		p.All = append(p.All, row)
	}
	p.Trends, p.Pending, err = d.trends(r.Context(), l)
	return p, err
}

func (d *dashboard) listing(ctx context.Context) (version.Listing, error) {
	return d.listings.get(ctx, struct{}{}, func(ctx context.Context) (version.Listing, error) { return version.List(ctx, d.Store) })
}

// trends are how the numbers of the versions went, the oldest first. What only the plans know may
// still be read.
func (d *dashboard) trends(ctx context.Context, l version.Listing) (all []page.Trend, pending bool, err error) {
	some := slices.Clone(l.Versions[:min(len(l.Versions), trendVersions)])
	slices.Reverse(some)
	if len(some) < 2 {
		return nil, false, nil
	}
	all = page.CountTrends(some)
	runs := make([]string, len(some))
	for i, v := range some {
		runs[i] = v.Run
	}
	said, err := within(ctx, func(ctx context.Context) ([]planned, error) { return d.said(ctx, runs) })
	if errors.Is(err, errDrawing) {
		return all, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	problems, leakage := page.Trend{Name: "Problems"}, page.Trend{Name: "Leakage", Share: true}
	for _, s := range said {
		problems.Values, leakage.Values = append(problems.Values, float64(s.Problems)), append(leakage.Values, s.Leakage)
	}
	return append(all, problems, leakage), false, nil
}

// said reads what the plans of runs said. A plan that is gone has said nothing.
func (d *dashboard) said(ctx context.Context, runs []string) ([]planned, error) {
	all := make([]planned, len(runs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(plansAtOnce)
	for i, run := range runs {
		g.Go(func() (err error) {
			all[i], err = d.plans.get(ctx, run, func(ctx context.Context) (planned, error) {
				plan, err := d.Store.ReadPlan(ctx, run)
				if state.Lost(err) {
					return planned{}, nil
				}
				p := planned{Leakage: plan.Leakage}
				for _, e := range plan.Episodes {
					p.Problems += len(e.Problems) + e.MoreProblems
				}
				return p, err
			})
			return err
		})
	}
	return all, g.Wait()
}

// compare sets two versions side by side.
func (d *dashboard) compare(r *http.Request) (page.Page, error) {
	ctx := r.Context()
	from, to, err := d.pair(ctx, r.FormValue("from"), r.FormValue("to"))
	if err != nil {
		return nil, err
	}
	p := &page.Compare{From: from, To: to, Query: r.URL.RawQuery, Kind: r.FormValue("kind"), Was: r.FormValue("was"), Is: r.FormValue("is")}
	key := fmt.Sprintf("%d %d", from.Generation, to.Generation)
	diff, err := within(ctx, func(ctx context.Context) (version.Diff, error) {
		return d.diffs.get(ctx, key, func(ctx context.Context) (version.Diff, error) { return diffOf(ctx, d.Store, from, to) })
	})
	if errors.Is(err, errDrawing) {
		p.Pending = true
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.SetDiff(diff)
	chosen := slices.DeleteFunc(slices.Clone(diff.Changes), func(c version.Change) bool { return !p.Shows(c) })
	begin, end, pages, err := pageOf(r, len(chosen), tilesPerPage)
	if err != nil {
		return nil, err
	}
	p.Count, p.Pages = len(chosen), pages
	p.Tiles, err = d.changedTiles(ctx, chosen[begin:end], from, to)
	return p, err
}

// maxChanges bounds the memory of a comparison, at about 150 bytes a frame.
const maxChanges = 200_000

// diffOf compares two versions, with the first maxChanges of the frames that differ.
func diffOf(ctx context.Context, s *state.Store, from, to state.Version) (version.Diff, error) {
	var changes []version.Change
	diff, err := version.Between(ctx, s, from, to, func(c version.Change) error {
		if len(changes) < maxChanges {
			changes = append(changes, c)
		}
		return nil
	})
	diff.Changes = changes
	return diff, err
}

// pair finds the versions that an address names; without names they are the newest and the one
// before it.
func (d *dashboard) pair(ctx context.Context, from, to string) (a, b state.Version, err error) {
	if to == "" {
		to = version.Latest
	}
	if b, err = version.Find(ctx, d.Store, to); err == nil {
		if from == "" && b.Parent > 0 {
			from = strconv.FormatInt(b.Parent, 10)
		}
		if from == "" {
			return a, b, nil
		}
		a, err = version.Find(ctx, d.Store, from)
	}
	if errors.Is(err, version.ErrNone) {
		err = refused(http.StatusNotFound, "%s", err)
	}
	return a, b, err
}

// changedTiles are the changes with the addresses of their images: the source, else where they
// stand or stood.
func (d *dashboard) changedTiles(ctx context.Context, changes []version.Change, from, to state.Version) ([]page.Tile, error) {
	tiles := make([]page.Tile, len(changes))
	g, looking := errgroup.WithContext(ctx)
	g.SetLimit(imagesAtOnce)
	for i, c := range changes {
		tiles[i] = page.Tile{Frame: c.Frame, Note: strings.Trim(strings.Join(c.From, ", ")+" → "+strings.Join(c.To, ", "), " ")}
		switch c.Kind {
		case version.Added:
			tiles[i].Note = "to " + strings.Join(c.To, ", ")
		case version.Removed:
			tiles[i].Note = "from " + strings.Join(c.From, ", ")
		case version.Refreshed:
			tiles[i].Note = "new image in " + strings.Join(c.To, ", ")
		}
		e := c.Frame.Episode()
		base := to.Bases[e]
		if base == "" {
			base = from.Bases[e]
		}
		if base == "" {
			base = rows.DefaultBase(d.Store.Layout.Prefix, e, to.ImageSize)
		}
		keys := []string{base + c.Frame.File()}
		for _, place := range append(slices.Clone(c.To), c.From...) {
			name, class, _ := strings.Cut(place, "/")
			keys = append(keys, d.Store.Layout.Key(dataset.Place{Dataset: name, Class: class}, c.Frame))
		}
		g.Go(func() error {
			key, err := firstImage(looking, d.Options, keys)
			tiles[i].Image = imageURL(d.Store.Layout, key)
			return err
		})
	}
	return tiles, g.Wait()
}
