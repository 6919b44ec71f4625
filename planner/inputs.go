package planner

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// inputs is what to plan and with which settings. readInputs sets every field, and no later step
// changes one.
type inputs struct {
	p      *Planner
	opt    Options
	fixed  *state.Definition // the settings of a reviewed plan or a restored version; nil: choose
	chosen chosen            // the settings of the plan
	latest *lastVersion      // the newest dataset version
	names  *catalog          // the content of the manifests; empty for a restore
	back   *restore          // the version to restore; nil: plan from the sheets
	lister *countingLister

	progress *progress
}

// readInputs reads the settings, and then the manifests or the version to restore. It checks the
// options against them. fixed are the settings to plan with. If fixed is nil, the plan uses the
// settings in force, with the changes of the options.
func (p *Planner) readInputs(ctx context.Context, opt Options, fixed *state.Definition) (in inputs, err error) {
	in = inputs{p: p, opt: opt, fixed: fixed, progress: &progress{p: p}, lister: &countingLister{bucket: bucket.AtMost(p.Config.Parallel, p.Bucket)}}
	if opt.Restore != 0 {
		if in.back, err = p.readRestore(ctx, opt); err != nil {
			return in, err
		}
		in.names = &catalog{problems: []state.ManifestProblem{}}
		in.opt.Recorded = true
		// The restore of a whole version restores its settings too. Then a later plan from
		// unchanged sheets moves nothing. A restore of some episodes keeps the settings in force,
		// since the other episodes have them too.
		if opt.Season == "" && len(opt.Episodes) == 0 {
			in.fixed = &in.back.version.Definition
		}
	}
	var names *catalog
	var manifests errgroup.Group // reads them while the settings are read
	if in.back == nil {
		manifests.Go(func() (err error) { names, err = readCatalog(ctx, p, in.lister); return err })
	}
	in.chosen, in.latest, err = in.chooseSettings(ctx)
	if err = cmp.Or(err, manifests.Wait()); err != nil || in.back != nil {
		return in, err
	}
	in.names = names
	return in, in.names.check(opt)
}

// selects reports whether the options include the episode.
func (in inputs) selects(e dataset.Episode) bool {
	if in.opt.Season != "" && e.Season() != in.opt.Season {
		return false
	}
	return len(in.opt.Episodes) == 0 || slices.Contains(in.opt.Episodes, e)
}

// episodeInput returns what the options and the configuration define for an episode.
func (in inputs) episodeInput(e dataset.Episode, a *Assigner) EpisodeInput {
	return EpisodeInput{
		Episode: e, Assign: a, Layout: in.p.Config.Layout, Same: sameETag,
		Ceiling: in.p.Config.MaxDelete, AllowDelete: slices.Contains(in.opt.AllowDelete, e),
		RefreshCeiling: in.p.Config.MaxRefresh, AllowRefresh: slices.Contains(in.opt.AllowRefresh, e),
	}
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
