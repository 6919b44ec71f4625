package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// firstImage is the first of the keys that holds an object which may be read as an image; "" when none does.
func firstImage(ctx context.Context, o Options, keys []string) (string, error) {
	for _, key := range keys {
		if checkImage(o.Store.Layout, key) != nil {
			continue
		}
		_, err := o.Bucket.HeadObject(ctx, key)
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, bucket.ErrNotFound) {
			return "", err
		}
	}
	return "", nil
}

// frame is the page of one frame: where it stands, and what the newest run and Explain say of it.
func (d *dashboard) frame(r *http.Request) (page.Page, error) {
	f, err := dataset.ParseFrame(r.PathValue("frame"))
	if err != nil {
		return nil, refused(http.StatusNotFound, "There is no such frame: the %s.", err)
	}
	ctx := r.Context()
	p := &page.Frame{Frame: f}
	held, err := d.Store.Current(ctx, state.Held{})
	if err != nil || !held.Exists() {
		return p, err
	}
	run, err := d.read(ctx, held.Run)
	if err != nil {
		return nil, err
	}
	d.fromPlan(p, run)
	if p.Standing, err = d.places(ctx, run.Plan.Settings, f); err != nil {
		return nil, err
	}
	if err := d.source(ctx, p, run.Plan.Settings.ImageSize); err != nil {
		return nil, err
	}
	return p, d.explain(ctx, p)
}

// explain adds what Explain says. Without it, as when the sheets cannot be read from here, the page says so and shows the rest.
func (d *dashboard) explain(ctx context.Context, p *page.Frame) error {
	if d.Explain == nil {
		return nil
	}
	select {
	case d.asking <- struct{}{}:
		defer func() { <-d.asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	x, err := d.Explain(ctx, p.Frame)
	if err != nil {
		p.Unknown = err.Error()
		return ctx.Err()
	}
	p.Add(x)
	return nil
}

// fromPlan takes what the newest run says of the frame.
func (d *dashboard) fromPlan(p *page.Frame, run *page.Run) {
	for _, e := range run.Plan.Episodes {
		if e.Name() != p.Frame.Episode() {
			continue
		}
		p.Sheet = e.Sheet
		for _, problem := range e.Problems {
			if problem.Frame == string(p.Frame) {
				p.Problems = append(p.Problems, problem)
			}
		}
	}
	for _, t := range run.Dead {
		if t.Task.Frame == p.Frame {
			p.Operations = append(p.Operations, page.FrameOperation{
				Run: run.Status.Run, Op: t.Task.Op, Where: figure.Places(t.Task.Del, t.Task.Dst), Outcome: "dead: " + t.Reason,
			})
		}
	}
}

// places are the folders where the frame stands, of the datasets that were ever filled.
func (d *dashboard) places(ctx context.Context, s state.Settings, f dataset.Frame) ([]dataset.Place, error) {
	dest := dataset.Destination{Bucket: d.Bucket, Layout: d.Store.Layout, Datasets: s.Listed, Parallel: imagesAtOnce}
	all, err := dest.Places(ctx)
	if err != nil {
		return nil, err
	}
	stands := make([]bool, len(all))
	g, looking := errgroup.WithContext(ctx)
	g.SetLimit(imagesAtOnce)
	for i, place := range all {
		g.Go(func() error {
			_, err := d.Bucket.HeadObject(looking, d.Store.Layout.Key(place, f))
			stands[i] = err == nil
			if errors.Is(err, bucket.ErrNotFound) {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var found []dataset.Place
	for i, place := range all {
		if stands[i] {
			found = append(found, place)
		}
	}
	slices.SortFunc(found, dataset.Place.Compare)
	return found, nil
}

// source finds the frame's image: in the episode's folder, where that is the usual one, else where it stands.
func (d *dashboard) source(ctx context.Context, p *page.Frame, imageSize string) error {
	usual := rows.DefaultBase(d.Store.Layout.Prefix, p.Frame.Episode(), imageSize) + p.Frame.File()
	keys := []string{usual}
	for _, place := range p.Standing {
		keys = append(keys, d.Store.Layout.Key(place, p.Frame))
	}
	key, err := firstImage(ctx, d.Options, keys)
	p.Image = imageURL(d.Store.Layout, key)
	if key == usual {
		p.Source = key
	}
	return err
}
