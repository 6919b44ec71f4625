package season

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Bucket is the destination of a season's images and manifest.
type Bucket interface {
	PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (etag string, err error)
}

// writers is how many images are drawn and written in parallel. It is more than the processors,
// because writes wait.
const writers = 16

// Write writes the whole season: images and manifest to the bucket, sheets to the folder, which it
// creates.
func (s *Season) Write(ctx context.Context, b Bucket, sheets string) error {
	if err := s.WriteImages(ctx, b); err != nil {
		return err
	}
	if err := s.WriteManifest(ctx, b); err != nil {
		return err
	}
	return s.WriteSheets(sheets)
}

// WriteImages writes every episode's images.
func (s *Season) WriteImages(ctx context.Context, b Bucket) error {
	for _, e := range s.Episodes {
		if err := e.WriteImages(ctx, b, e.Images); err != nil {
			return err
		}
	}
	return nil
}

// WriteManifest writes the season's manifest.
func (s *Season) WriteManifest(ctx context.Context, b Bucket) error {
	body, err := s.Manifest()
	if err != nil {
		return err
	}
	if _, err := b.PutObject(ctx, s.ManifestKey(), body, bucket.Condition{}); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}

// WriteSheets writes every episode's sheet to the folder as CSV, and creates the folder.
func (s *Season) WriteSheets(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create folder of sheets: %w", err)
	}
	for _, e := range s.Episodes {
		if err := e.WriteSheet(dir); err != nil {
			return err
		}
	}
	return nil
}

// WriteImages draws the given frames of the episode and writes them to its source folder.
func (e *Episode) WriteImages(ctx context.Context, b Bucket, frames []dataset.Frame) error {
	g, writing := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for _, f := range frames {
		if writing.Err() != nil {
			break
		}
		g.Go(func() error {
			body, err := e.Image(f)
			if err != nil {
				return err
			}
			if _, err := b.PutObject(writing, e.ImagePrefix()+f.File(), body, bucket.Condition{}); err != nil {
				return fmt.Errorf("write image of %s: %w", f, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err() // frames were skipped when ctx ended
}
