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
	versionsTTL = 5 * time.Second
	// diffTTL is how long comparisons of versions and summaries of their plans are cached. Versions
	// do not change.
	diffTTL = time.Hour
	// maxDiffs limits the memory: the comparison of a reshuffled season takes about 40 MB.
	maxDiffs = 2
	// trendVersions is the number of versions in the trends, and maxPlanReads the number of plans
	// that are read for them at a time.
	trendVersions, maxPlanReads = 30, 3
)

// planSummary has values of a version's plan that the version itself does not have.
type planSummary struct {
	Leakage  float64
	Problems int
}

// versionsPage is the page of the dataset versions and their trends.
func (d *dashboard) versionsPage(r *http.Request) (page.Page, error) {
	l, err := d.listings.get(r.Context(), struct{}{}, func(ctx context.Context) (version.Listing, error) { return version.List(ctx, d.Store) })
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
	p.Trends, p.Pending, err = d.readTrends(r.Context(), l)
	return p, err
}

// readTrends makes the trends of the versions, the oldest first. pending is true while the plans
// are still being read.
func (d *dashboard) readTrends(ctx context.Context, l version.Listing) (all []page.Trend, pending bool, err error) {
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
	summaries, err := waitBriefly(ctx, func(ctx context.Context) ([]planSummary, error) { return d.readPlanSummaries(ctx, runs) })
	if errors.Is(err, errNotReady) {
		return all, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	problems, leakage := page.Trend{Name: "Problems"}, page.Trend{Name: "Leakage", Share: true}
	for _, s := range summaries {
		problems.Values, leakage.Values = append(problems.Values, float64(s.Problems)), append(leakage.Values, s.Leakage)
	}
	return append(all, problems, leakage), false, nil
}

// readPlanSummaries reads the summaries of the runs' plans. The summary of a deleted plan is empty.
func (d *dashboard) readPlanSummaries(ctx context.Context, runs []string) ([]planSummary, error) {
	all := make([]planSummary, len(runs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxPlanReads)
	for i, run := range runs {
		g.Go(func() (err error) {
			all[i], err = d.plans.get(ctx, run, func(ctx context.Context) (planSummary, error) {
				plan, err := d.Store.ReadPlan(ctx, run)
				if state.Lost(err) {
					return planSummary{}, nil
				}
				p := planSummary{Leakage: plan.Leakage}
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

// comparePage is the page that compares two versions.
func (d *dashboard) comparePage(r *http.Request) (page.Page, error) {
	ctx := r.Context()
	from, to, err := d.findPair(ctx, r.FormValue("from"), r.FormValue("to"))
	if err != nil {
		return nil, err
	}
	p := &page.Compare{From: from, To: to, Query: r.URL.RawQuery, Kind: r.FormValue("kind"), Was: r.FormValue("was"), Is: r.FormValue("is")}
	key := fmt.Sprintf("%d %d", from.Generation, to.Generation)
	diff, err := waitBriefly(ctx, func(ctx context.Context) (version.Diff, error) {
		return d.diffs.get(ctx, key, func(ctx context.Context) (version.Diff, error) { return compareVersions(ctx, d.Store, from, to) })
	})
	if errors.Is(err, errNotReady) {
		p.Pending = true
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.SetDiff(diff)
	chosen := slices.DeleteFunc(slices.Clone(diff.Changes), func(c version.Change) bool { return !p.Matches(c) })
	begin, end, pages, err := pageBounds(r, len(chosen), tilesPerPage)
	if err != nil {
		return nil, err
	}
	p.Count, p.Pages = len(chosen), pages
	p.Tiles, err = d.changedTiles(ctx, chosen[begin:end], from, to)
	return p, err
}

// maxChanges limits the memory of a comparison, at about 150 bytes a frame.
const maxChanges = 200_000

// compareVersions compares two versions and keeps the first maxChanges changes.
func compareVersions(ctx context.Context, s *state.Store, from, to state.Version) (version.Diff, error) {
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

// findPair finds the two versions of an address, by default the newest one and its parent.
func (d *dashboard) findPair(ctx context.Context, from, to string) (a, b state.Version, err error) {
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
		err = visitorErrorf(http.StatusNotFound, "%s", err)
	}
	return a, b, err
}

// changedTiles makes tiles of changes, with the addresses of their images: the source, else a copy
// in the datasets.
func (d *dashboard) changedTiles(ctx context.Context, changes []version.Change, from, to state.Version) ([]page.Tile, error) {
	tiles := make([]page.Tile, len(changes))
	g, looking := errgroup.WithContext(ctx)
	g.SetLimit(maxImageReads)
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
