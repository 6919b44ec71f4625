package planner

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// These limits bound the memory. For an episode of 28,800 frames, the sheet and the listings need
// about 10 MB. The tasks, the changes and the expected copies need 20 MB when all frames change.
const (
	episodesAtOnce = 3 // listed or planned: two keep the cores busy while another waits for S3
	plansAtOnce    = 2
)

// comparison compares what the sheets or a version want with what the datasets contain.
// inputs.compare sets every field.
type comparison struct {
	*reader
	assign  *Assigner
	dest    dataset.Destination
	folders *future[[]dataset.Folder]
	plans   *semaphore.Weighted // has plansAtOnce slots

	background *errgroup.Group // lists the folders and reads sheets ahead
}

// planned receives the plan of one episode.
type planned func(ctx context.Context, sheetURL string, in EpisodeInput, out EpisodeChanges) error

// compare starts to list the class folders as soon as quiet returns, since then no worker acts on
// an older run. The work in the background ends with ctx.
func (in inputs) compare(ctx context.Context, background *errgroup.Group, a *Assigner, datasets []string, quiet func(context.Context) error) (*comparison, error) {
	r := &reader{inputs: in, known: &knownPairs{
		store: in.p.Store, last: in.latest, seed: maphash.MakeSeed(), pairs: map[uint64]struct{}{}, etags: map[uint64]struct{}{},
	}}
	if in.back == nil {
		v, err := in.latest.get(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the base URIs of the last run: %w", err)
		}
		r.bases = v.Bases
	}
	c := &comparison{reader: r, assign: a, folders: newFuture[[]dataset.Folder](), plans: semaphore.NewWeighted(plansAtOnce), background: background}
	c.dest = dataset.Destination{
		Bucket: in.lister, Layout: in.p.Config.Layout, Datasets: datasets, Parallel: in.p.Config.Parallel, Strays: &dataset.Strays{},
	}
	background.Go(func() error {
		if quiet != nil {
			if err := quiet(ctx); err != nil {
				c.folders.set(nil, err)
				return nil
			}
		}
		c.folders.set(c.dest.Folders(ctx))
		return nil
	})
	return c, nil
}

// sheets plans the episodes from their sheets, and returns the orphans that stay.
func (c *comparison) sheets(ctx context.Context, add planned, label func(season string, all []Labelled)) ([]state.Orphan, error) {
	var seasons []season
	var wanted []manifest.Entry // in the order in which the planner uses their sheets
	for _, s := range c.names.seasons() {
		selected := slices.DeleteFunc(slices.Clone(s.episodes), func(e manifest.Entry) bool { return !c.selects(e.Episode) })
		switch {
		case len(selected) == 0:
			continue
		case c.chosen.Stratify:
			wanted = append(wanted, s.episodes...)
		default:
			s.episodes = selected
			wanted = append(wanted, selected...)
		}
		seasons = append(seasons, s)
	}
	ahead := readAhead(ctx, c.background, wanted, c.sheet, c.progress.sheetsRead(len(wanted)))
	read := func(ctx context.Context, e manifest.Entry) (rows.Sheet, error) { return ahead.sheet(ctx, e.Episode) }
	for _, s := range seasons {
		if err := c.season(ctx, s, read, add, label); err != nil {
			return nil, err
		}
	}
	return c.orphans(ctx, add)
}

// readSheet returns the sheet of an episode. Its error holds the episode.
type readSheet func(context.Context, manifest.Entry) (rows.Sheet, error)

// season plans the selected episodes of one season. When stratified, it first reads the sheets of
// all episodes.
func (c *comparison) season(ctx context.Context, s season, read readSheet, add planned, label func(string, []Labelled)) error {
	assign := *c.assign
	if c.chosen.Stratify {
		labels, kept, err := c.labels(ctx, s, read)
		if err != nil {
			return err
		}
		label(s.code, labels)
		assign.Stratify(labels)
		read = kept
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for _, e := range s.episodes {
		if c.selects(e.Episode) {
			g.Go(func() error { return c.episode(ctx, e, &assign, read, add) })
		}
	}
	return g.Wait()
}

// labels reads the class of each frame of a season from its sheets. If the sheet of an episode
// cannot be used, the classes are those of the copies in the datasets. kept returns the sheets that
// labels has read.
func (c *comparison) labels(ctx context.Context, s season, read readSheet) (all []Labelled, kept readSheet, err error) {
	type answer struct {
		sheet rows.Sheet
		err   error
	}
	answers, labelled := make(map[dataset.Episode]*answer), make([][]Labelled, len(s.episodes))
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for i, e := range s.episodes {
		a := &answer{}
		answers[e.Episode] = a
		g.Go(func() (err error) {
			if a.sheet, a.err = read(reading, e); a.err == nil {
				labelled[i] = sheetLabels(a.sheet)
				return nil
			}
			if reading.Err() != nil {
				return context.Cause(reading)
			}
			standing, err := c.standing(reading, e.Episode)
			for f, copies := range standing {
				labelled[i] = append(labelled[i], Labelled{Frame: f, Class: copies[0].Place.Class})
			}
			return err
		})
	}
	kept = func(_ context.Context, e manifest.Entry) (rows.Sheet, error) {
		a := answers[e.Episode]
		return a.sheet, a.err
	}
	err = g.Wait()
	return slices.Concat(labelled...), kept, err
}

func sheetLabels(s rows.Sheet) []Labelled {
	var all []Labelled
	for _, r := range s.Rows {
		if r.Class != "" && !r.Frozen {
			all = append(all, Labelled{Frame: r.Frame, Class: r.Class})
		}
	}
	return all
}

// episode plans one episode. If its sheet, its images or its copies cannot be read, episode holds
// this one only.
func (c *comparison) episode(ctx context.Context, e manifest.Entry, a *Assigner, read readSheet, add planned) error {
	in, err := c.read(ctx, e, a, read)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return add(ctx, e.URL, in, EpisodeChanges{Held: err.Error(), Cause: causeOf(err), Problems: convert(in.Sheet.Problems)})
	}
	if c.plans.Acquire(ctx, 1) != nil {
		return context.Cause(ctx)
	}
	defer c.plans.Release(1)
	return add(ctx, e.URL, in, PlanEpisode(in))
}

// read reads the sheet of an episode and then its images. Meanwhile it lists the copies. If both
// fail, it returns the error of the sheet or the images. It also returns what it could read.
func (c *comparison) read(ctx context.Context, e manifest.Entry, a *Assigner, read readSheet) (in EpisodeInput, err error) {
	in = c.episodeInput(e.Episode, a)
	var unlisted error
	var listed sync.WaitGroup
	listed.Go(func() { in.Standing, unlisted = c.standing(ctx, e.Episode) })
	if in.Sheet, err = read(ctx, e); err == nil {
		var images dataset.Images
		images, err = c.images(ctx, e, in.Sheet)
		in.Images, in.Unusable, in.Beside = images.ETags, images.Unusable, images.Beside
	}
	listed.Wait()
	if err = cmp.Or(err, unlisted); err != nil {
		return in, err
	}
	if err = c.same(ctx, &in); err != nil {
		return in, err
	}
	in.Assign = a.pin(in.Standing)
	return in, nil
}

// standing lists the copies of the episode's frames.
func (c *comparison) standing(ctx context.Context, e dataset.Episode) (dataset.Standing, error) {
	found, err := c.folders.get(ctx)
	if err != nil {
		return nil, err
	}
	return c.dest.Episode(ctx, found, e)
}

// orphans finds the episodes that have frames in the datasets and are in no manifest. It prunes
// those that the options name, and returns the others.
func (c *comparison) orphans(ctx context.Context, add planned) (left []state.Orphan, err error) {
	found, err := c.folders.get(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range findOrphans(found, c.names) {
		if !slices.Contains(c.opt.Prune, o.Episode) {
			left = append(left, o)
			continue
		}
		in := c.episodeInput(o.Episode, c.assign)
		if in.Standing, err = c.dest.Episode(ctx, found, o.Episode); err != nil {
			return nil, fmt.Errorf("prune %s: %w", o.Episode, err)
		}
		if err := add(ctx, "", in, PruneEpisode(in)); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// findOrphans finds the orphans among the folders. It skips each season with an unreadable
// manifest.
func findOrphans(folders []dataset.Folder, c *catalog) []state.Orphan {
	var orphans []state.Orphan
	for _, folder := range folders {
		for _, e := range folder.Episodes {
			if c.named(e) {
				continue
			}
			i := slices.IndexFunc(orphans, func(o state.Orphan) bool { return o.Episode == e })
			if i < 0 {
				i = len(orphans)
				orphans = append(orphans, state.Orphan{Episode: e})
			}
			orphans[i].Places = append(orphans[i].Places, folder.Place.String())
		}
	}
	slices.SortFunc(orphans, func(a, b state.Orphan) int { return cmp.Compare(a.Episode, b.Episode) })
	return orphans
}
