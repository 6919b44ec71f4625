package version

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Deleter is what removing old versions needs of a bucket.
type Deleter interface {
	DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error)
}

// Retain removes old versions and gives their generations: of those up to the latest, all but the
// newest keep and the tagged ones; 0 keeps all. latest is that one's generation, or what it was a
// moment ago: then more stay. The latest one always stays, and so does whatever is newer, since
// somebody may be writing it. It may be cut off anywhere, and be called by several processes at
// once: what is left goes the next time, also when more are kept by then. When the tags cannot be
// read, it removes nothing.
func Retain(ctx context.Context, s *state.Store, d Deleter, latest int64, keep int) (removed []int64, err error) {
	if keep < 1 {
		return nil, nil
	}
	all, err := s.Generations(ctx)
	if err != nil {
		return nil, err
	}
	expired := slices.DeleteFunc(slices.Clone(all), func(g int64) bool { return g > latest })
	expired = expired[min(keep, len(expired)):]
	removing, err := markForRemoval(ctx, s, all, expired)
	if err != nil {
		return nil, err
	}
	for _, g := range removing {
		if err := removeVersion(ctx, s, d, g); err != nil {
			return removed, fmt.Errorf("remove version %d: %w", g, err)
		}
		removed = append(removed, g)
	}
	return removed, nil
}

// generations are those of all versions, newest first, whole or not.
func generations(ctx context.Context, s *state.Store) ([]int64, error) {
	names, err := s.Names(ctx, "versions/")
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, name := range names {
		folder, ok := strings.CutSuffix(name, "/")
		if g, err := strconv.ParseInt(folder, 10, 64); ok && err == nil {
			all = append(all, g)
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	return all, nil
}

// removeVersion deletes version.json before the rest, so that nobody takes a part for the whole.
func removeVersion(ctx context.Context, s *state.Store, d Deleter, generation int64) error {
	folder := state.VersionName(generation, "")
	names, err := s.Names(ctx, folder)
	if err != nil {
		return err
	}
	keys := []string{s.Layout.State() + folder + state.VersionFile}
	for _, name := range names {
		if name != state.VersionFile {
			keys = append(keys, s.Layout.State()+folder+name)
		}
	}
	for _, part := range [][]string{keys[:1], keys[1:]} {
		for part := range slices.Chunk(part, bucket.MaxDeleteObjects) {
			failures, err := d.DeleteObjects(ctx, part)
			if err != nil {
				return err
			}
			if len(failures) > 0 {
				return failures[0]
			}
		}
	}
	return nil
}
