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
	// Plan has the problems of the episode and their counts, in the same form as a plan.
	Plan state.EpisodePlan
	Err  error // why a plan would hold the episode
}

// Inspect reads every manifest, sheet and listing of images. It lists the copies of an episode only
// where the problems of its sheet depend on them.
func (p *Planner) Inspect(ctx context.Context) ([]Inspection, []state.ManifestProblem, error) {
	in, err := p.readInputs(ctx, Options{DryRun: true, Recorded: true}, nil)
	if err != nil {
		return nil, nil, err
	}
	assign, err := newAssigner(in.chosen.Definition)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var background errgroup.Group
	defer func() { cancel(); _ = background.Wait() }()
	c, err := in.compare(ctx, &background, assign, in.header(assign.Split, state.Pointer{}).Settings.Listed, nil)
	if err != nil {
		return nil, nil, err
	}
	all, earlier := make([]Inspection, len(in.names.entries)), &earlierProblems{store: p.Store}
	read := in.progress.sheetsRead(len(all))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for i, e := range in.names.entries {
		g.Go(func() error {
			all[i] = c.inspect(ctx, e, earlier)
			read()
			return ctx.Err()
		})
	}
	return all, in.names.problems, g.Wait()
}

func (c *comparison) inspect(ctx context.Context, e manifest.Entry, earlier *earlierProblems) Inspection {
	out := Inspection{Episode: e.Episode, Manifest: e.Manifest, Sheet: e.URL}
	out.Plan = state.EpisodePlan{Season: e.Episode.Season(), Episode: e.Episode.Code(), Sheet: e.URL}
	in := c.episodeInput(e.Episode, c.assign)
	if in.Sheet, out.Err = c.sheet(ctx, e); out.Err == nil {
		var images dataset.Images
		images, out.Err = c.images(ctx, e, in.Sheet)
		in.Images, in.Unusable, in.Beside = images.ETags, images.Unusable, images.Beside
	}
	if out.Err == nil && in.Sheet.Unread > 0 { // then frames without a row are a problem
		in.Standing, out.Err = c.standing(ctx, e.Episode)
	}
	problems := convert(in.Sheet.Problems)
	if out.Err == nil {
		problems = Problems(in)
	}
	out.Frames, out.Images = len(in.Sheet.Rows), len(in.Images)
	earlier.describe(ctx, &out.Plan, in, problems)
	return out
}
