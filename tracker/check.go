package tracker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// checked is what is known of the datasets when a run's tasks are done.
type checked struct {
	parent      state.Version
	parts       version.Parts              // the rows of all episodes
	digests     map[dataset.Episode]string // of every episode with rows
	counts      map[dataset.Place]int      // images of the planned episodes
	differences differences
	warnings    []string
}

// differences keeps the first state.MaxDifferences, by episode and frame.
type differences struct {
	count int
	first []state.Difference
}

func (d *differences) add(all []state.Difference) {
	d.count += len(all)
	d.first = append(d.first, all[:min(len(all), state.MaxDifferences-len(d.first))]...)
}

// checker compares episodes with a plan.
type checker struct {
	*Tracker
	plan    *state.Plan
	changed map[dataset.Episode]state.EpisodePlan // the episodes with tasks
	pairs   *pairs
	before  *version.Contents // the latest version; nil: there is none
	dest    dataset.Destination

	places []dataset.Place                     // all places, when found is nil
	found  map[dataset.Episode][]dataset.Place // where a listing of all places has found each episode; nil: there was none

	mu   sync.Mutex // guards what follows
	out  *checked
	each map[dataset.Episode][]state.Difference
}

// episodesAtOnce bounds the memory: the episodes that are compared at a time take some 30 MB each.
// It is not the number of cores, so that the order of the requests is the same everywhere.
const episodesAtOnce = 2

// check compares the planned episodes with the plan, and gathers the rows of all episodes for the
// dataset version.
//
//	the episode                                     | counts as
//	------------------------------------------------+---------------------------------------------------------
//	has tasks                                       | a listing finds it, which must be what the plan expects
//	is planned, and is as in the latest version     | the latest version has it: the plan has listed it
//	is planned, and is not as in the latest version | a listing finds it, which must be what the plan has listed
//	is held or not planned                          | the latest version has it
//
// Without a version, or with one whose rows have no parts that can be shared, everything is listed.
// So is an episode whose part of the latest version is missing or damaged.
func (t *Tracker) check(ctx context.Context, plan *state.Plan) (*checked, error) {
	c := t.newChecker(plan, nil)
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		c.before, err = version.OpenLatest(reading, t.Store)
		return err
	})
	g.Go(func() (err error) {
		c.pairs, err = readPairs(reading, t.Store, plan)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	list, err := c.share(ctx)
	if err != nil {
		return nil, err
	}
	// First, and not in the goroutines that need it: none of them may hold a lock while it waits
	// for S3.
	switch {
	case c.found != nil || len(list) == 0:
	case len(list) > fewEpisodes:
		err = c.find(ctx)
	default:
		c.places, err = c.dest.Places(ctx)
	}
	if err != nil {
		return nil, err
	}
	err = c.listAll(ctx, list, func(ctx context.Context, e dataset.Episode, rows []version.Row, digest string) error {
		if err := c.inherit(ctx, e, rows); err != nil {
			return err
		}
		return c.keep(e, rows, digest)
	})
	for _, e := range slices.Sorted(maps.Keys(c.each)) {
		c.out.differences.add(c.each[e])
	}
	return c.out, err
}

func (t *Tracker) newChecker(plan *state.Plan, strays *dataset.Strays) *checker {
	c := &checker{
		Tracker: t, plan: plan, changed: map[dataset.Episode]state.EpisodePlan{}, pairs: &pairs{}, dest: t.destination(plan.Settings.Listed, strays),
		each: map[dataset.Episode][]state.Difference{},
		out:  &checked{parts: version.Parts{}, digests: map[dataset.Episode]string{}, counts: map[dataset.Place]int{}, differences: differences{first: []state.Difference{}}},
	}
	for _, e := range plan.Episodes {
		if e.Tasks() > 0 {
			c.changed[e.Name()] = e
		}
	}
	return c
}

// destination is what lists these datasets.
func (t *Tracker) destination(datasets []string, strays *dataset.Strays) dataset.Destination {
	parallel := cmp.Or(t.Options.Parallel, 16)
	return dataset.Destination{
		Bucket: bucket.AtMost(parallel, t.Store.Bucket), Layout: t.Store.Layout, Datasets: datasets, Parallel: parallel, Strays: strays,
	}
}

// share takes the episodes from the latest version that are as they were in it, and gives those to
// list.
func (c *checker) share(ctx context.Context) (list []dataset.Episode, err error) {
	if c.before == nil || !c.before.HasParts() {
		return c.everything(ctx)
	}
	c.out.parent = c.before.Version
	had, err := c.before.Episodes(ctx)
	if err != nil {
		return nil, err
	}
	nothing := dataset.Digest{}.String()
	var shared []dataset.Episode
	for _, e := range slices.Sorted(maps.Keys(c.plan.Digests)) {
		_, stood := c.before.Entry(e)
		switch planned := c.plan.Digests[e]; {
		case c.changed[e].Tasks() > 0:
			list = append(list, e)
		case stood && planned == c.before.Version.Digests[e]:
			shared = append(shared, e)
		case stood || planned != nothing:
			list = append(list, e)
		}
	}
	for _, e := range had {
		if _, planned := c.plan.Digests[e]; !planned {
			shared = append(shared, e)
		}
	}
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(partsAtOnce)
	for _, e := range shared {
		g.Go(func() error {
			p, err := c.before.Stored(reading, e)
			if err != nil && !state.Lost(err) {
				return err
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if err != nil {
				list = append(list, e)
				c.warn(fmt.Sprintf("%s was listed again, since its part of dataset version %d cannot be used: %v", e, c.before.Version.Generation, err))
				return nil
			}
			c.take(e, p, c.before.Version.Digests[e])
			return nil
		})
	}
	err = g.Wait()
	slices.Sort(list)
	slices.Sort(c.out.warnings)
	return list, err
}

// partsAtOnce bounds the parts that are read at a time: some 8 MB each.
const partsAtOnce = 4

// everything finds all episodes that are in the datasets or planned.
func (c *checker) everything(ctx context.Context) ([]dataset.Episode, error) {
	if c.before != nil {
		c.out.parent = c.before.Version
	}
	if err := c.find(ctx); err != nil {
		return nil, err
	}
	all := slices.Collect(maps.Keys(c.found))
	all = slices.AppendSeq(all, maps.Keys(c.plan.Digests))
	slices.Sort(all)
	return slices.Compact(all), nil
}

// find finds the places of each episode.
func (c *checker) find(ctx context.Context) error {
	folders, err := c.dest.Folders(ctx)
	if err != nil {
		return fmt.Errorf("list the datasets: %w", err)
	}
	c.found = dataset.Located(folders)
	return nil
}

// fewEpisodes are listed in every place. For more it pays to find out first in which places each of
// them is.
const fewEpisodes = 4

// warn notes what went wrong without spoiling the run. c.mu is held.
func (c *checker) warn(text string) {
	c.log().Warn(text, zap.String("run", c.plan.Run))
	c.out.warnings = append(c.out.warnings, text)
}

// take counts in the rows of an episode. c.mu is held.
func (c *checker) take(e dataset.Episode, p *version.Part, digest string) {
	c.out.parts[e], c.out.digests[e] = p, digest
	if _, planned := c.plan.Digests[e]; !planned {
		return
	}
	for name, classes := range p.Counts {
		for class, n := range classes {
			c.out.counts[dataset.Place{Dataset: name, Class: class}] += n
		}
	}
}

// keep makes a part of the rows that a listing has found.
func (c *checker) keep(e dataset.Episode, rows []version.Row, digest string) error {
	if len(rows) == 0 {
		return nil
	}
	p, err := version.NewPart(c.Store.Layout, e, rows)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take(e, p, digest)
	return nil
}

// listAll lists the episodes, a few at a time, and compares the planned ones.
func (c *checker) listAll(ctx context.Context, episodes []dataset.Episode, then func(ctx context.Context, e dataset.Episode, rows []version.Row, digest string) error) error {
	g, listing := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for _, e := range episodes {
		g.Go(func() error {
			images, expected, err := c.read(listing, e)
			if err != nil {
				return err
			}
			rows, digest := versionRows(images), dataset.DigestOf(images).String()
			if planned, ok := c.plan.Digests[e]; ok {
				all, err := c.compare(listing, e, expected, rows, digest, planned)
				if err != nil {
					return err
				}
				c.mu.Lock()
				c.each[e] = all
				c.mu.Unlock()
			}
			return then(listing, e, rows, digest)
		})
	}
	return g.Wait()
}

// read lists an episode, and reads meanwhile what the plan has saved about one that it changes.
func (c *checker) read(ctx context.Context, e dataset.Episode) (images []dataset.Image, expected []state.Expected, err error) {
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() error {
		var err error
		if images, err = c.list(reading, e); err != nil {
			return fmt.Errorf("list the datasets: %w", err)
		}
		return nil
	})
	if _, ok := c.changed[e]; ok {
		g.Go(func() (err error) {
			expected, err = c.Store.ReadExpected(reading, c.plan.Run, e)
			return err
		})
	}
	err = g.Wait()
	return images, expected, err
}

func (c *checker) list(ctx context.Context, e dataset.Episode) ([]dataset.Image, error) {
	places := c.found[e]
	if c.found == nil {
		places = c.places
	}
	return c.dest.Images(ctx, places, e)
}

// compare compares one planned episode. A plan saves what should stand of an episode when it
// changes something there. Of another it knows the digest of the listing. When that is no longer
// true, the latest dataset version tells which frames differ, if it is of the same listing.
func (c *checker) compare(ctx context.Context, e dataset.Episode, expected []state.Expected, rows []version.Row, digest, planned string) ([]state.Difference, error) {
	if of, ok := c.changed[e]; ok {
		told, err := c.pairs.copies(ctx, c.Store, c.plan, of)
		if err != nil {
			return nil, err
		}
		return compare(c.Store.Layout, e, expected, rows, told), nil
	}
	if digest == planned {
		return nil, nil
	}
	if c.before != nil && (c.before.Version.Digests[e] == planned || c.plan.Run == "") {
		stood, err := c.before.Rows(ctx, e)
		if err != nil {
			return nil, err
		}
		return compare(c.Store.Layout, e, expectedRows(stood), rows, nil), nil
	}
	return []state.Difference{{Kind: state.Changed, Episode: e}}, nil
}
