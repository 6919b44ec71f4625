package planner

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// episodesAtOnce bounds the memory: an episode of 28,800 frames takes about 20 MB while it is planned.
const episodesAtOnce = 4

// draft is one plan in the making.
type draft struct {
	p      *Planner
	opt    Options
	run    *state.Pointer // nil: nothing is written
	quiet  func(context.Context) error
	lister countingLister
	fixed  *state.Definition // the settings of a plan that is made again, or of the version to go back to; nil: choose
	chosen chosen            // what the plan is made with; set by header
	assign *Assigner
	names  *catalog
	last   *lastVersion               // as the settings were held against; set with chosen
	known  *knownPairs                // set by header
	bases  map[dataset.Episode]string // folders of images of the last version; none for a restore
	sink   *sink
	dest   dataset.Destination
	back   *restore            // the version to go back to; nil: plan what the sheets say
	onTask func(messages.Task) // sees every task; nil mostly
	trial  *seedTrial          // collects what other seeds are tried on; nil: none are
}

func (p *Planner) draft(opt Options) *draft {
	d := &draft{p: p, opt: opt, last: &lastVersion{store: p.Store}}
	d.quiet = func(context.Context) error { return nil }
	d.lister.bucket = bucket.AtMost(p.Config.Parallel, p.Bucket)
	return d
}

// prepare reads what the options are checked against, before a run is begun for them.
func (d *draft) prepare(ctx context.Context) (err error) {
	if d.opt.Restore != 0 {
		if err := d.prepareRestore(ctx); err != nil {
			return err
		}
	}
	if d.chosen, err = d.settings(ctx); err != nil || d.opt.Restore != 0 {
		return err
	}
	if d.names, err = d.catalog(ctx); err != nil {
		return err
	}
	return d.names.check(d.opt)
}

// countingLister counts LIST requests for the cost.
type countingLister struct {
	bucket   bucket.Lister
	requests atomic.Int64
}

func (l *countingLister) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	l.requests.Add(1)
	return l.bucket.ListObjects(ctx, in)
}

// plan reads everything and compares. It writes the chunks of tasks as they fill, and nothing without a run.
func (d *draft) plan(ctx context.Context) (*state.Plan, error) {
	plan, err := d.header(ctx)
	if err != nil {
		return nil, err
	}
	if d.opt.Seeds > 0 {
		d.trial = &seedTrial{assign: *d.assign, least: d.p.Config.MinPerClass, classes: d.chosen.Classes}
	}
	d.sink = newSink(ctx, d, plan)
	d.dest.Strays = &dataset.Strays{}
	folders := d.folders()
	if d.back != nil {
		err = d.restore(ctx, folders)
	} else {
		err = d.seasons(ctx, plan, folders)
	}
	if err == nil {
		plan.Strays, err = d.dest.CountStrays(ctx, false)
	}
	if err != nil {
		_ = d.sink.writes.Wait() // nothing is written when the run is given up; an error of theirs has ended the planning
		return nil, err
	}
	return plan, d.sink.finish(ctx, d.lister.requests.Load())
}

// seasons plans what the sheets say.
func (d *draft) seasons(ctx context.Context, plan *state.Plan, folders func(context.Context) ([]dataset.Folder, error)) error {
	if err := d.readBases(ctx); err != nil {
		return err
	}
	for _, season := range d.names.seasons() {
		if !slices.ContainsFunc(season.episodes, func(e manifest.Entry) bool { return d.selected(e.Episode) }) {
			continue
		}
		if err := d.season(ctx, season, folders); err != nil {
			return err
		}
	}
	return d.orphans(ctx, plan, folders)
}

// folders lists the class folders once, when no worker can be acting on an older run any more.
func (d *draft) folders() func(context.Context) ([]dataset.Folder, error) {
	type answer struct {
		folders []dataset.Folder
		err     error
	}
	once := make(chan answer, 1)
	started := atomic.Bool{}
	return func(ctx context.Context) ([]dataset.Folder, error) {
		if started.CompareAndSwap(false, true) {
			err := d.quiet(ctx)
			var folders []dataset.Folder
			if err == nil {
				folders, err = d.dest.Folders(ctx)
			}
			once <- answer{folders, err}
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case a := <-once:
			once <- a
			return a.folders, a.err
		}
	}
}

// season plans the episodes of one season. Stratified, it reads all their sheets first.
func (d *draft) season(ctx context.Context, s season, folders func(context.Context) ([]dataset.Folder, error)) error {
	reads := make([]func(context.Context) (rows.Sheet, error), len(s.episodes))
	for i, e := range s.episodes {
		reads[i] = func(ctx context.Context) (rows.Sheet, error) { return d.sheet(ctx, e) }
	}
	assign := *d.assign
	if d.chosen.Stratify {
		if err := d.stratify(ctx, &assign, s, reads, folders); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for i, e := range s.episodes {
		if !d.selected(e.Episode) {
			continue
		}
		g.Go(func() error { return d.episode(ctx, e, reads[i], &assign, folders) })
	}
	return g.Wait()
}

// stratify draws the season's strata from its sheets; of an episode whose sheet cannot be used, from where its frames stand.
// It keeps the sheets that it read.
func (d *draft) stratify(ctx context.Context, a *Assigner, s season, reads []func(context.Context) (rows.Sheet, error), folders func(context.Context) ([]dataset.Folder, error)) error {
	labelled := make([][]Labelled, len(s.episodes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for i, e := range s.episodes {
		read := reads[i]
		g.Go(func() error {
			sheet, err := read(ctx)
			reads[i] = func(context.Context) (rows.Sheet, error) { return sheet, err }
			if err == nil {
				labelled[i] = labels(sheet)
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			standing, unlisted := d.standingLabels(ctx, e.Episode, folders) // err stays: it is what the read gives
			labelled[i] = standing
			return unlisted
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	all := slices.Concat(labelled...)
	if d.trial != nil {
		d.trial.label(s.code, all)
	}
	a.Stratify(all)
	return nil
}

func labels(s rows.Sheet) []Labelled {
	var all []Labelled
	for _, r := range s.Rows {
		if r.Class != "" && !r.Frozen {
			all = append(all, Labelled{Frame: r.Frame, Class: r.Class})
		}
	}
	return all
}

func (d *draft) standingLabels(ctx context.Context, e dataset.Episode, folders func(context.Context) ([]dataset.Folder, error)) ([]Labelled, error) {
	standing, err := d.standing(ctx, e, folders)
	if err != nil {
		return nil, err
	}
	var all []Labelled
	for f, copies := range standing {
		all = append(all, Labelled{Frame: f, Class: copies[0].Place.Class})
	}
	return all, nil
}

// selected says whether the options ask for the episode.
func (d *draft) selected(e dataset.Episode) bool {
	if d.opt.Season != "" && e.Season() != d.opt.Season {
		return false
	}
	return len(d.opt.Episodes) == 0 || slices.Contains(d.opt.Episodes, e)
}

// episode plans one episode. What is wrong with its sheet or its images holds the episode and lets the others go on; what
// is wrong with the listing of the destination holds it too.
func (d *draft) episode(ctx context.Context, e manifest.Entry, read func(context.Context) (rows.Sheet, error), a *Assigner, folders func(context.Context) ([]dataset.Folder, error)) error {
	in := EpisodeInput{
		Episode: e.Episode, Assign: a, Layout: d.p.Config.Layout,
		Ceiling: d.p.Config.MaxDelete, AllowDelete: slices.Contains(d.opt.AllowDelete, e.Episode),
		RefreshCeiling: d.p.Config.MaxRefresh, AllowRefresh: slices.Contains(d.opt.AllowRefresh, e.Episode),
	}
	out, err := d.changes(ctx, e, &in, read, folders)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		out = EpisodeChanges{Held: err.Error(), Cause: causeOf(err), Problems: convert(in.Sheet.Problems)}
	}
	return d.sink.add(ctx, e.Episode, e.URL, in, out)
}

// changes reads the sheet and then its images; what stands is listed meanwhile. Of two errors it gives the first of these.
func (d *draft) changes(ctx context.Context, e manifest.Entry, in *EpisodeInput, read func(context.Context) (rows.Sheet, error), folders func(context.Context) ([]dataset.Folder, error)) (out EpisodeChanges, err error) {
	var unlisted error
	var listed sync.WaitGroup
	listed.Go(func() { in.Standing, unlisted = d.standing(ctx, in.Episode, folders) })
	if in.Sheet, err = read(ctx); err == nil {
		var images dataset.Images
		images, err = d.images(ctx, e, in.Sheet)
		in.Images, in.Unusable, in.Beside = images.ETags, images.Unusable, images.Beside
	}
	listed.Wait()
	if err = cmp.Or(err, unlisted); err != nil {
		return out, err
	}
	if err = d.same(ctx, in); err != nil {
		return out, err
	}
	in.Assign = in.Assign.pin(in.Standing)
	return PlanEpisode(*in), nil
}

// standing lists where the episode's frames stand.
func (d *draft) standing(ctx context.Context, e dataset.Episode, folders func(context.Context) ([]dataset.Folder, error)) (dataset.Standing, error) {
	found, err := folders(ctx)
	if err != nil {
		return nil, err
	}
	return d.dest.Episode(ctx, found, e)
}

// orphans reports the episodes with frames in the datasets that no manifest names, and prunes those that the options name.
func (d *draft) orphans(ctx context.Context, plan *state.Plan, folders func(context.Context) ([]dataset.Folder, error)) error {
	found, err := folders(ctx)
	if err != nil {
		return err
	}
	for _, o := range findOrphans(found, d.names) {
		if slices.Contains(d.opt.Prune, o.Episode) {
			if err := d.prune(ctx, o.Episode, found); err != nil {
				return err
			}
			continue
		}
		plan.Orphans = append(plan.Orphans, o)
	}
	return nil
}

func (d *draft) prune(ctx context.Context, e dataset.Episode, folders []dataset.Folder) error {
	standing, err := d.dest.Episode(ctx, folders, e)
	if err != nil {
		return fmt.Errorf("prune %s: %w", e, err)
	}
	in := EpisodeInput{Episode: e, Assign: d.assign, Layout: d.p.Config.Layout, Standing: standing, Same: sameETag}
	return d.sink.add(ctx, e, "", in, PruneEpisode(in))
}

// findOrphans: nothing is an orphan of a season whose manifest could not be read.
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
	slices.SortFunc(orphans, func(a, b state.Orphan) int {
		if a.Episode < b.Episode {
			return -1
		}
		return 1
	})
	return orphans
}
