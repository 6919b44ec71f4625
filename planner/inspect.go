package planner

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Inspection is what can be read of one episode.
type Inspection struct {
	Episode  dataset.Episode
	Manifest string // key
	Sheet    string // URL; "" when the manifest names none
	Frames   int    // of the sheet
	Images   int
	// Plan has the problems and their counts, as a plan has them.
	Plan state.EpisodePlan
	Err  error // why the episode would be held
}

// Inspect reads every manifest, sheet and listing of images. It lists the datasets of an episode only where the problems of
// its sheet depend on them.
func (p *Planner) Inspect(ctx context.Context) ([]Inspection, []state.ManifestProblem, error) {
	d := p.draft(Options{DryRun: true, Recorded: true})
	c, err := d.catalog(ctx)
	if err != nil {
		return nil, nil, err
	}
	d.names = c
	if _, err := d.header(ctx); err != nil {
		return nil, nil, err
	}
	if err := d.readBases(ctx); err != nil {
		return nil, nil, err
	}
	folders := d.folders()
	all := make([]Inspection, len(c.entries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for i, e := range c.entries {
		g.Go(func() error {
			all[i] = d.inspect(ctx, e, folders)
			return ctx.Err()
		})
	}
	return all, c.problems, g.Wait()
}

func (d *draft) inspect(ctx context.Context, e manifest.Entry, folders func(context.Context) ([]dataset.Folder, error)) Inspection {
	out := Inspection{Episode: e.Episode, Manifest: e.Manifest, Sheet: e.URL}
	out.Plan = state.EpisodePlan{Season: e.Episode.Season(), Episode: e.Episode.Code(), Sheet: e.URL}
	in := EpisodeInput{Episode: e.Episode, Assign: d.assign}
	if in.Sheet, out.Err = d.sheet(ctx, e); out.Err == nil {
		var images dataset.Images
		images, out.Err = d.images(ctx, e, in.Sheet)
		in.Images, in.Unusable, in.Beside = images.ETags, images.Unusable, images.Beside
	}
	if out.Err == nil && in.Sheet.Unread > 0 { // frames without a row are a problem then
		in.Standing, out.Err = d.standing(ctx, e.Episode, folders)
	}
	problems := convert(in.Sheet.Problems)
	if out.Err == nil {
		problems = Problems(in)
	}
	out.Frames, out.Images = len(in.Sheet.Rows), len(in.Images)
	d.describe(ctx, &out.Plan, in, problems)
	return out
}
