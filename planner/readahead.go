package planner

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/rows"
)

const (
	// sheetsAtOnce bounds the sheets that are being read.
	sheetsAtOnce = 3
	// sheetsAhead bounds the sheets that are read and not used yet, 3 MB each. With them the
	// reading goes on while the planner waits for the workers of the run before, or lists an
	// episode. sheetsAhead must be greater than episodesAtOnce.
	sheetsAhead = 6
)

// sheetReader reads sheets ahead, in the order in which the episodes are planned.
type sheetReader struct {
	sheets map[dataset.Episode]*future[rows.Sheet]
	free   chan struct{} // has a value for each sheet that is read ahead
}

// readAhead reads the sheets of the episodes in goroutines of g. The error of read holds the
// episode. readAhead calls done after each sheet.
func readAhead(ctx context.Context, g *errgroup.Group, episodes []manifest.Entry,
	read func(context.Context, manifest.Entry) (rows.Sheet, error), done func(),
) *sheetReader {
	r := &sheetReader{sheets: map[dataset.Episode]*future[rows.Sheet]{}, free: make(chan struct{}, sheetsAhead)}
	for _, e := range episodes {
		r.sheets[e.Episode] = newFuture[rows.Sheet]()
	}
	g.Go(func() error {
		var reading errgroup.Group
		reading.SetLimit(sheetsAtOnce)
		for _, e := range episodes {
			select {
			case <-ctx.Done():
			case r.free <- struct{}{}:
				reading.Go(func() error {
					r.sheets[e.Episode].set(read(ctx, e))
					done()
					return nil
				})
			}
		}
		return reading.Wait()
	})
	return r
}

// sheet returns the sheet of an episode, once. Its error holds the episode, unless ctx has ended.
func (r *sheetReader) sheet(ctx context.Context, e dataset.Episode) (rows.Sheet, error) {
	f := r.sheets[e]
	s, err := f.get(ctx)
	if ctx.Err() == nil {
		f.value = rows.Sheet{} // only the caller keeps it
		<-r.free
	}
	return s, err
}
