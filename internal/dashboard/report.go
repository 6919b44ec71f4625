package dashboard

import (
	"context"
	"encoding/base64"
	"html/template"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Bounds of the images in a report.
const (
	reportTiles  = 24       // of each kind of task
	reportImage  = 64 << 10 // bytes of one image; a larger one is left out
	reportImages = 3 << 20  // bytes of all of them
)

// Report makes report.html of a run that is about to end: r is what its report.json will say.
func Report(ctx context.Context, o Options, r *state.Report) ([]byte, error) {
	run, err := readRun(ctx, o, r.Run)
	if err != nil {
		return nil, err
	}
	run.Status, run.Report = r.Status, r
	if run.Tiles, err = reportSheet(ctx, o, run); err != nil {
		return nil, err
	}
	return page.Report(o.Site, run)
}

// reportSheet is a small contact sheet of each kind of task. It is there to look at: an image that cannot be read is left out,
// and does not keep the run from ending.
func reportSheet(ctx context.Context, o Options, run *page.Run) ([]page.Tile, error) {
	tasks, err := sampleTasks(ctx, o.Store, run)
	if err != nil {
		return nil, err
	}
	keys, err := imageKeys(ctx, o, tasks, run.Plan)
	if err != nil {
		return nil, nil //nolint:nilerr // See above.
	}
	images := make([][]byte, len(keys))
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(imagesAtOnce)
	for i, key := range keys {
		g.Go(func() error {
			images[i] = smallImage(reading, o.Bucket, key)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	tiles, left := tilesOf(o.Store.Layout, tasks, run.Dead), reportImages
	for i, body := range images {
		if left -= len(body); len(body) > 0 && left >= 0 {
			tiles[i].Image = template.URL("data:" + imageType + ";base64," + base64.StdEncoding.EncodeToString(body)) //nolint:gosec // It is base64.
		}
	}
	return tiles, nil
}

// sampleTasks are up to reportTiles tasks of each kind, evenly over the run: neighbours look the same.
func sampleTasks(ctx context.Context, s *state.Store, run *page.Run) ([]messages.Task, error) {
	every, seen, picked := map[messages.Op]int{}, map[messages.Op]int{}, map[messages.Op][]messages.Task{}
	for _, c := range run.Changes() {
		every[c.Op] = max((c.Planned+reportTiles-1)/reportTiles, 1)
	}
	for chunk := range state.Chunks(run.Plan.Tasks) {
		tasks, err := s.ReadTasks(ctx, run.Plan.Run, chunk)
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			if n := seen[t.Op]; n%max(every[t.Op], 1) == 0 && len(picked[t.Op]) < reportTiles {
				picked[t.Op] = append(picked[t.Op], t)
			}
			seen[t.Op]++
		}
	}
	var all []messages.Task
	for _, c := range run.Changes() {
		all = append(all, picked[c.Op]...)
	}
	return all, nil
}

// smallImage reads an image, nil when there is none or it is too large.
func smallImage(ctx context.Context, b Bucket, key string) []byte {
	if key == "" {
		return nil
	}
	r, o, err := openImage(ctx, b, key)
	if err != nil {
		return nil
	}
	defer r.Close() //nolint:errcheck // It was only read.
	if o.Size > reportImage {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r, reportImage))
	if err != nil {
		return nil
	}
	return body
}
