package planner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// errNoManifests reports a bucket without manifests. Without one there is nothing to plan, and a
// broken listing looks the same.
var errNoManifests = errors.New("no manifests found")

// catalog is the content of the manifests.
type catalog struct {
	entries  []manifest.Entry // each episode once, sorted by name
	failed   map[string]bool  // seasons whose manifest cannot be read
	problems []state.ManifestProblem
}

// season has the episodes of one season.
type season struct {
	code     string
	episodes []manifest.Entry
}

// readCatalog reads every manifest. An unreadable manifest fails its own season only.
func readCatalog(ctx context.Context, p *Planner, lister bucket.Lister) (*catalog, error) {
	keys, problems, err := listManifests(ctx, p.Config.Layout.Manifests(), lister)
	if err != nil {
		return nil, err
	}
	c := &catalog{failed: map[string]bool{}, problems: problems}
	read := make([][]manifest.Entry, len(keys))
	failures := make([]error, len(keys))
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(max(p.Config.Parallel, 1))
	for i, key := range keys {
		g.Go(func() error {
			file, err := p.Bucket.GetObject(reading, key, "")
			if err != nil {
				failures[i] = fmt.Errorf("read manifest %s: %w", key, err)
				return nil
			}
			read[i], failures[i] = manifest.Parse(key, file.Body)
			return nil
		})
	}
	_ = g.Wait() // each goroutine records its own failure
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for i, key := range keys {
		if failures[i] != nil {
			code, _ := manifest.SeasonOf(key)
			c.failed[code] = true
			c.problems = append(c.problems, state.ManifestProblem{Manifest: key, Problem: failures[i].Error()})
		}
	}
	c.entries = manifest.Merge(read...)
	return c, nil
}

// listManifests lists the keys of the manifests. A JSON file whose name is not that of a season is
// a problem.
func listManifests(ctx context.Context, folder string, lister bucket.Lister) (keys []string, problems []state.ManifestProblem, err error) {
	problems = []state.ManifestProblem{}
	for page, err := range bucket.Pages(ctx, lister, bucket.ListInput{Prefix: folder, Delimiter: "/"}) {
		if err != nil {
			return nil, nil, err
		}
		for _, o := range page.Objects {
			if _, ok := manifest.SeasonOf(o.Key); ok {
				keys = append(keys, o.Key)
			} else if manifest.IsManifest(o.Key) {
				problems = append(problems, state.ManifestProblem{Manifest: o.Key, Problem: "expected a name such as S01-episodes.json; it is not read"})
			}
		}
	}
	if len(keys) == 0 {
		found := ""
		if len(problems) > 0 {
			found = fmt.Sprintf(", found %.200q", problems[0].Manifest)
		}
		return nil, nil, fmt.Errorf("%w: expected at least one object such as %sS01-episodes.json%s (--bucket, --prefix)", errNoManifests, folder, found)
	}
	return keys, problems, nil
}

// seasons returns the seasons whose manifests are all readable, sorted by code. It skips a season
// with an unreadable manifest: that manifest may contradict the other ones.
func (c *catalog) seasons() []season {
	episodes := map[string][]manifest.Entry{}
	for _, e := range c.entries {
		if code := e.Episode.Season(); !c.failed[code] {
			episodes[code] = append(episodes[code], e)
		}
	}
	var all []season
	for _, code := range slices.Sorted(maps.Keys(episodes)) {
		all = append(all, season{code: code, episodes: episodes[code]})
	}
	return all
}

// named reports whether a manifest names the episode. It is also true when an unreadable manifest
// may name the episode.
func (c *catalog) named(e dataset.Episode) bool {
	return c.failed[e.Season()] || slices.ContainsFunc(c.entries, func(entry manifest.Entry) bool { return entry.Episode == e })
}

// check refuses options whose season or episodes do not match the manifests. Without the check, a
// typing error would look like a plan without changes.
func (c *catalog) check(opt Options) error {
	inSeason := func(e manifest.Entry) bool { return e.Episode.Season() == opt.Season }
	if opt.Season != "" && !c.failed[opt.Season] && !slices.ContainsFunc(c.entries, inSeason) {
		return fmt.Errorf("%w: --season %s: no manifest names an episode of it", ErrUsage, opt.Season)
	}
	for _, e := range opt.Episodes {
		switch {
		case !c.named(e):
			return fmt.Errorf("%w: --episode %s: no manifest names it", ErrUsage, e)
		case opt.Season != "" && e.Season() != opt.Season:
			return fmt.Errorf("%w: --episode %s: it is not of --season %s", ErrUsage, e, opt.Season)
		}
	}
	for flag, episodes := range map[string][]dataset.Episode{
		"allow-delete": opt.AllowDelete, "allow-refresh": opt.AllowRefresh, "accept-base": opt.AcceptBase,
	} {
		for _, e := range episodes {
			if !c.named(e) {
				return fmt.Errorf("%w: --%s %s: no manifest names it", ErrUsage, flag, e)
			}
		}
	}
	for _, e := range opt.Prune {
		if c.named(e) {
			return fmt.Errorf("%w: --prune %s: a manifest names the episode, or its season's manifest cannot be read; only orphans are pruned", ErrUsage, e)
		}
	}
	return nil
}
