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
	Problems int
	Err      error // why the episode would be held
}

// Inspect reads every manifest, sheet and listing of images, and compares nothing.
func (p *Planner) Inspect(ctx context.Context) ([]Inspection, []state.ManifestProblem, error) {
	d := p.draft(Options{DryRun: true, Recorded: true})
	var err error
	if d.chosen, err = d.settings(ctx); err != nil {
		return nil, nil, err
	}
	c, err := d.catalog(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := d.readBases(ctx); err != nil {
		return nil, nil, err
	}
	all := make([]Inspection, len(c.entries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for i, e := range c.entries {
		g.Go(func() error {
			all[i] = d.inspect(ctx, e)
			return ctx.Err()
		})
	}
	return all, c.problems, g.Wait()
}

func (d *draft) inspect(ctx context.Context, e manifest.Entry) Inspection {
	in := Inspection{Episode: e.Episode, Manifest: e.Manifest, Sheet: e.URL}
	sheet, err := d.sheet(ctx, e)
	if err != nil {
		in.Err = err
		return in
	}
	images, err := d.images(ctx, e, sheet.Base)
	in.Frames, in.Problems, in.Images, in.Err = len(sheet.Rows), len(sheet.Problems), len(images), err
	return in
}
