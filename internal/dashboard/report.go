package dashboard

import (
	"context"
	"encoding/base64"
	"html/template"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Limits of the images in a report.
const (
	reportTiles   = 24       // of each kind of task
	reportImage   = 64 << 10 // bytes of one image; a larger one is left out
	reportImages  = 3 << 20  // bytes of all of them
	maxChunkReads = 4        // of tasks, of some 3 MB each
)

// Report makes report.html of a run that is about to end. r is the content of its report.json.
func Report(ctx context.Context, o Options, r *state.Report) ([]byte, error) {
	run, err := readRun(ctx, o, r.Run)
	if err != nil {
		return nil, err
	}
	run.Status, run.Report = r.Status, r
	if run.Tiles, err = sampleTiles(ctx, o, run); err != nil {
		return nil, err
	}
	return page.Report(o.Site, run)
}

// sampleTiles makes tiles of some frames of each kind of task. An image that cannot be read is left
// out, since it must not prevent the end of the run.
func sampleTiles(ctx context.Context, o Options, run *page.Run) ([]page.Tile, error) {
	tasks, err := sampleTasks(ctx, o.Store, run)
	if err != nil {
		return nil, err
	}
	images := make([][]byte, len(tasks))
	var g errgroup.Group
	g.SetLimit(maxImageReads)
	for i, keys := range candidateKeys(o.Store.Layout, tasks, run.Plan) {
		g.Go(func() error {
			for _, key := range keys { // the first that has a small image
				if images[i] == nil && checkImage(o.Store.Layout, key) == nil {
					images[i] = readSmallImage(ctx, o.Bucket, key)
				}
			}
			return nil
		})
	}
	_ = g.Wait() // its functions return no error
	tiles, left := taskTiles(tasks, run.Dead), reportImages
	for i, body := range images {
		if left -= len(body); len(body) > 0 && left >= 0 {
			tiles[i].Image = template.URL("data:" + imageType + ";base64," + base64.StdEncoding.EncodeToString(body)) //nolint:gosec // It is base64.
		}
	}
	return tiles, nil
}

// sampleTasks reads up to reportTiles tasks of each kind, evenly over the run: neighbouring frames
// look the same.
func sampleTasks(ctx context.Context, s *state.Store, run *page.Run) ([]messages.Task, error) {
	every := map[messages.Op]int{}
	for _, c := range run.Changes() {
		every[c.Op] = c.Planned / reportTiles
	}
	parts := make([][]messages.Task, state.Chunks(run.Plan.Tasks))
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(maxChunkReads)
	for chunk := range parts {
		g.Go(func() (err error) {
			parts[chunk], err = s.SampleTasks(reading, run.Plan.Run, chunk, every)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	picked := map[messages.Op][]messages.Task{}
	for _, t := range slices.Concat(parts...) {
		picked[t.Op] = append(picked[t.Op], t)
	}
	var all []messages.Task
	for _, c := range run.Changes() {
		of := picked[c.Op]
		n := min(len(of), reportTiles)
		for i := range n {
			all = append(all, of[i*len(of)/n])
		}
	}
	return all, nil
}

// readSmallImage reads an image; nil when there is none or it is too large.
func readSmallImage(ctx context.Context, b Bucket, key string) []byte {
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
