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

// checked is the result of a check of the datasets.
type checked struct {
	parent      state.Version
	parts       version.Parts              // the rows of all episodes
	digests     map[dataset.Episode]string // of every episode with rows
	counts      map[dataset.Place]int      // images of the planned episodes
	differences differences
	warnings    []string
}

// differences counts differences and keeps the first state.MaxDifferences, by episode and frame.
type differences struct {
	count int
	first []state.Difference
}

// checker compares episodes with a plan.
type checker struct {
	*Tracker
	plan    *state.Plan
	changed map[dataset.Episode]state.EpisodePlan // the episodes with tasks
	pairs   *pairs
	before  *version.Contents // the latest version; nil: there is none
	dest    dataset.Destination

	// listAll lists an episode in the places where findPlaces has found it, or in all places when
	// findPlaces was not called.
	places []dataset.Place
	found  map[dataset.Episode][]dataset.Place

	mu          sync.Mutex // guards what follows
	out         *checked
	differences map[dataset.Episode][]state.Difference
}

// episodesAtOnce bounds the memory: an episode takes some 30 MB while it is compared. It does not
// depend on the number of cores, so that the order of the requests is the same everywhere.
const episodesAtOnce = 2

// check compares the planned episodes with the plan, and gathers the rows of all episodes for the
// dataset version.
//
//	the episode                                | its rows
//	-------------------------------------------+------------------------------------------------
//	has tasks                                  | listed now; they must be what the plan expects
//	is planned, as in the latest version       | of the latest version: the plan has listed them
//	is planned, otherwise than in that version | listed now; they must be what the plan has listed
//	is held or not planned                     | of the latest version
//
// Without a version, or with one whose rows have no parts to share, everything is listed. So is an
// episode whose part of the latest version is missing or damaged.
func (t *Tracker) check(ctx context.Context, plan *state.Plan) (*checked, error) {
	c := t.newChecker(plan, nil)
	opening, begun := errgroup.WithContext(ctx)
	opening.Go(func() (err error) {
		c.before, err = version.OpenLatest(begun, t.Store)
		return err
	})
	opening.Go(func() (err error) {
		c.pairs, err = readPairs(begun, t.Store, plan)
		return err
	})
	if err := opening.Wait(); err != nil {
		return nil, err
	}
	list, shared, err := c.divide(ctx)
	if err != nil {
		return nil, err
	}
	var lost []dataset.Episode
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() error { return c.listParts(reading, list) })
	g.Go(func() (err error) {
		lost, err = c.takeParts(reading, shared)
		return err
	})
	if err = g.Wait(); err == nil {
		err = c.listParts(ctx, lost)
	}
	c.out.differences = c.allDifferences()
	return c.out, err
}

// allDifferences returns the differences of all episodes that were compared.
func (c *checker) allDifferences() differences {
	all := differences{first: []state.Difference{}}
	for _, e := range slices.Sorted(maps.Keys(c.differences)) {
		found := c.differences[e]
		all.count += len(found)
		all.first = append(all.first, found[:min(len(found), state.MaxDifferences-len(all.first))]...)
	}
	return all
}

func (t *Tracker) newChecker(plan *state.Plan, strays *dataset.Strays) *checker {
	parallel := cmp.Or(t.Options.Parallel, 16)
	c := &checker{
		Tracker: t, plan: plan, changed: map[dataset.Episode]state.EpisodePlan{}, pairs: &pairs{}, differences: map[dataset.Episode][]state.Difference{},
		dest: dataset.Destination{
			Bucket: bucket.AtMost(parallel, t.Store.Bucket), Layout: t.Store.Layout, Datasets: plan.Settings.Listed, Parallel: parallel, Strays: strays,
		},
		out: &checked{parts: version.Parts{}, digests: map[dataset.Episode]string{}, counts: map[dataset.Place]int{}},
	}
	for _, e := range plan.Episodes {
		if e.Tasks() > 0 {
			c.changed[e.Name()] = e
		}
	}
	return c
}

// listParts lists episodes and makes their parts of the version.
func (c *checker) listParts(ctx context.Context, list []dataset.Episode) (err error) {
	// The places come before the goroutines that need them: a goroutine must not hold a lock while
	// it waits for S3.
	switch {
	case len(list) == 0:
		return nil
	case c.found != nil:
	case len(list) > fewEpisodes:
		err = c.findPlaces(ctx)
	case c.places == nil:
		c.places, err = c.dest.Places(ctx)
	}
	if err != nil {
		return err
	}
	return c.listAll(ctx, list, func(ctx context.Context, e dataset.Episode, rows []version.Row, digest string) error {
		if len(rows) == 0 {
			return nil
		}
		if err := c.fillSources(ctx, e, rows); err != nil {
			return err
		}
		part, err := version.NewPart(c.Store.Layout, e, rows)
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.addPart(e, part, digest)
		return nil
	})
}

// divide returns the episodes that are to be listed, and those that are unchanged since the latest
// version.
func (c *checker) divide(ctx context.Context) (list, shared []dataset.Episode, err error) {
	if c.before == nil || !c.before.HasParts() {
		list, err = c.findEpisodes(ctx)
		return list, nil, err
	}
	c.out.parent = c.before.Version
	earlier, err := c.before.Episodes(ctx)
	if err != nil {
		return nil, nil, err
	}
	nothing := dataset.Digest{}.String()
	for _, e := range slices.Sorted(maps.Keys(c.plan.Digests)) {
		_, inVersion := c.before.Entry(e)
		switch planned := c.plan.Digests[e]; {
		case c.changed[e].Tasks() > 0:
			list = append(list, e)
		case inVersion && planned == c.before.Version.Digests[e]:
			shared = append(shared, e)
		case inVersion || planned != nothing:
			list = append(list, e)
		}
	}
	for _, e := range earlier {
		if _, planned := c.plan.Digests[e]; !planned {
			shared = append(shared, e)
		}
	}
	return list, shared, nil
}

// takeParts takes the parts of episodes from the latest version. It returns the episodes whose
// parts are missing or damaged.
func (c *checker) takeParts(ctx context.Context, shared []dataset.Episode) (lost []dataset.Episode, err error) {
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
				lost = append(lost, e)
				warning := fmt.Sprintf("%s was listed again, since its part of dataset version %d cannot be used: %v", e, c.before.Version.Generation, err)
				c.log().Warn(warning, zap.String("run", c.plan.Run))
				c.out.warnings = append(c.out.warnings, warning)
				return nil
			}
			c.addPart(e, p, c.before.Version.Digests[e])
			return nil
		})
	}
	err = g.Wait()
	slices.Sort(lost)
	slices.Sort(c.out.warnings)
	return lost, err
}

// partsAtOnce bounds the parts that are read at a time: some 8 MB each.
const partsAtOnce = 4

// findEpisodes returns all episodes that are in the datasets or planned.
func (c *checker) findEpisodes(ctx context.Context) ([]dataset.Episode, error) {
	if c.before != nil {
		c.out.parent = c.before.Version
	}
	if err := c.findPlaces(ctx); err != nil {
		return nil, err
	}
	all := slices.Collect(maps.Keys(c.found))
	all = slices.AppendSeq(all, maps.Keys(c.plan.Digests))
	slices.Sort(all)
	return slices.Compact(all), nil
}

// findPlaces finds the places of each episode by a listing of the folders.
func (c *checker) findPlaces(ctx context.Context) error {
	folders, err := c.dest.Folders(ctx)
	if err != nil {
		return fmt.Errorf("list the datasets: %w", err)
	}
	c.found = dataset.Located(folders)
	return nil
}

// fewEpisodes are listed in every place. For more it pays to find the places of each one first.
const fewEpisodes = 4

// addPart adds the rows of an episode. c.mu is locked.
func (c *checker) addPart(e dataset.Episode, p *version.Part, digest string) {
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

// listAll lists the episodes, a few at a time, and compares the planned ones.
func (c *checker) listAll(ctx context.Context, episodes []dataset.Episode, then func(ctx context.Context, e dataset.Episode, rows []version.Row, digest string) error) error {
	g, listing := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for _, e := range episodes {
		g.Go(func() error {
			images, expected, err := c.readEpisode(listing, e)
			if err != nil {
				return err
			}
			rows, digest := versionRows(images), dataset.DigestOf(images).String()
			if planned, ok := c.plan.Digests[e]; ok {
				all, err := c.compareEpisode(listing, e, expected, rows, digest, planned)
				if err != nil {
					return err
				}
				c.mu.Lock()
				c.differences[e] = all
				c.mu.Unlock()
			}
			return then(listing, e, rows, digest)
		})
	}
	return g.Wait()
}

// readEpisode lists an episode. Of an episode with tasks it also reads what the plan expects.
func (c *checker) readEpisode(ctx context.Context, e dataset.Episode) (images []dataset.Image, expected []state.Expected, err error) {
	g, reading := errgroup.WithContext(ctx)
	places := c.places
	if c.found != nil {
		places = c.found[e]
	}
	g.Go(func() (err error) {
		if images, err = c.dest.Images(reading, places, e); err != nil {
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

// compareEpisode compares one planned episode. For an episode with tasks the plan has saved every
// expected frame. For another one it has the digest of its listing. When that differs, the latest
// dataset version shows which frames differ, if it has the same digest.
func (c *checker) compareEpisode(ctx context.Context, e dataset.Episode, expected []state.Expected, rows []version.Row, digest, planned string) ([]state.Difference, error) {
	if of, ok := c.changed[e]; ok {
		reported, err := c.pairs.copies(ctx, c.Store, c.plan, of)
		if err != nil {
			return nil, err
		}
		return compare(c.Store.Layout, e, expected, rows, reported), nil
	}
	if digest == planned {
		return nil, nil
	}
	if c.before != nil && (c.before.Version.Digests[e] == planned || c.plan.Run == "") {
		earlier, err := c.before.Rows(ctx, e)
		if err != nil {
			return nil, err
		}
		return compare(c.Store.Layout, e, expectedRows(earlier), rows, nil), nil
	}
	return []state.Difference{{Kind: state.Changed, Episode: e}}, nil
}
