package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// LatestVersion reads the version that trainers should use. It returns bucket.ErrNotFound when
// there is none yet. When the object that names it is missing or damaged, it returns the newest
// complete version.
func (s *Store) LatestVersion(ctx context.Context) (Version, error) {
	var now latest
	_, err := s.ReadJSON(ctx, LatestName, &now)
	if err == nil {
		v, readErr := s.ReadVersion(ctx, now.Generation)
		if err = readErr; err == nil {
			return v, nil
		}
	}
	if !errors.Is(err, bucket.ErrNotFound) && !errors.Is(err, ErrDamaged) {
		return Version{}, err
	}
	generations, listErr := s.Generations(ctx)
	if listErr != nil {
		return Version{}, listErr
	}
	for _, g := range generations {
		if v, readErr := s.ReadVersion(ctx, g); readErr == nil {
			return v, nil
		} else if !errors.Is(readErr, bucket.ErrNotFound) && !errors.Is(readErr, ErrDamaged) {
			return Version{}, readErr
		}
	}
	if errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%w; no version can be read: restore the object's last version, or delete it", err)
	}
	return Version{}, err
}

// ReadVersion reads a version. It returns bucket.ErrNotFound when that generation has none, and
// ErrDamaged when the object is of another generation.
func (s *Store) ReadVersion(ctx context.Context, generation int64) (Version, error) {
	var v Version
	name := VersionName(generation, VersionFile)
	_, err := s.ReadJSON(ctx, name, &v)
	if err == nil && (v.Generation != generation || v.V < 1) {
		err = fmt.Errorf("read %s%s: %w: it is of generation %d", s.Layout.State(), name, ErrDamaged, v.Generation)
	}
	return v, err
}

// Versions reads all complete versions, newest first.
func (s *Store) Versions(ctx context.Context) ([]Version, error) {
	generations, err := s.Generations(ctx)
	if err != nil {
		return nil, err
	}
	read := make([]Version, len(generations))
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(statusesAtOnce)
	for i, generation := range generations {
		g.Go(func() (err error) {
			read[i], err = s.ReadVersion(reading, generation)
			if Lost(err) {
				// The version is incomplete, or another process removes it, or it is damaged, which
				// doctor reports.
				return nil
			}
			return err
		})
	}
	err = g.Wait()
	return slices.DeleteFunc(read, func(v Version) bool { return v.V == 0 }), err
}

// Generations returns the generations of all versions, complete or not, newest first.
func (s *Store) Generations(ctx context.Context) ([]int64, error) {
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
