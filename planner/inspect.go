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
	in, err := p.readInputs(ctx, Options{DryRun: true, Recorded: true}, nil)
	if err != nil {
		return nil, nil, err
	}
	r, err := in.reader(ctx)
	if err != nil {
		return nil, nil, err
	}
	all := make([]Inspection, len(in.names.entries))
	read := in.progress.sheetsRead(len(all))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(episodesAtOnce)
	for i, e := range in.names.entries {
		g.Go(func() error {
			all[i] = r.inspect(ctx, e)
			read()
			return ctx.Err()
		})
	}
	return all, in.names.problems, g.Wait()
}

func (r *reader) inspect(ctx context.Context, e manifest.Entry) Inspection {
	in := Inspection{Episode: e.Episode, Manifest: e.Manifest, Sheet: e.URL}
	sheet, err := r.sheet(ctx, e)
	if err != nil {
		in.Err = err
		return in
	}
	images, err := r.images(ctx, e, sheet)
	in.Frames, in.Problems, in.Images, in.Err = len(sheet.Rows), len(sheet.Problems)+len(images.Unusable), len(images.ETags), err
	return in
}
