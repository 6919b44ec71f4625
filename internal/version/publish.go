package version

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const classesFile = "classes.json"

// Publish saves a version and makes it the latest. parts are the rows of all episodes. Parts
// without a Folder are new. The others are parts of parent, the version that was the latest at the
// beginning of the run's verification.
//
// Several processes may publish the same generation from different listings, and each may stop at
// any step. So Publish first writes the new parts, under names with their hash. Then it writes the
// snapshot, on the condition that none exists. The first snapshot wins. Everything after it is
// built from the winning snapshot: the CSV file of each dataset, classes.json, version.json, and
// finally latest.json. So a reader never sees an incomplete version.
//
// A version refers only to parts in its own folder and to parts of its parent. Retain relies on
// this.
func Publish(ctx context.Context, s *state.Store, v, parent state.Version, parts Parts) (state.Version, error) {
	now, err := s.LatestVersion(ctx)
	switch {
	case err == nil && now.Generation >= v.Generation:
		return now, s.NameLatest(ctx, now) // it may be complete, but not yet in latest.json
	case err != nil && !errors.Is(err, bucket.ErrNotFound):
		return state.Version{}, err
	}
	bases := map[dataset.Episode]string{} // the other episodes keep those of the previous version
	for e := range v.Digests {
		if base := cmp.Or(v.Bases[e], parent.Bases[e]); base != "" {
			bases[e] = base
		}
	}
	v.V, v.Parent, v.Bases = formatOfParts, parent.Generation, bases
	v.Counts, v.Frames = parts.Counts(v.Datasets)
	if err := writeParts(ctx, s, v.Generation, parts); err != nil {
		return state.Version{}, err
	}
	if v, parts, err = decide(ctx, s, v, parts); err != nil {
		return state.Version{}, err
	}
	if err := versionFiles(ctx, s, v, parts); err != nil {
		return state.Version{}, err
	}
	return v, s.NameLatest(ctx, v)
}

// writeParts writes the new parts to the version's folder.
func writeParts(ctx context.Context, s *state.Store, generation int64, parts Parts) error {
	g, writing := errgroup.WithContext(ctx)
	g.SetLimit(partsAtOnce)
	for _, e := range slices.Sorted(maps.Keys(parts)) {
		p := parts[e]
		if p.Folder != 0 {
			continue
		}
		p.Folder = generation
		g.Go(func() error { return writeOnce(writing, s, p.object(e), bytes.NewReader(p.body())) })
	}
	return g.Wait()
}

// decide writes the snapshot, or reads an existing one with its parts.
func decide(ctx context.Context, s *state.Store, v state.Version, parts Parts) (state.Version, Parts, error) {
	of := snapshot{Version: v, Episodes: map[dataset.Episode]Entry{}}
	for e, p := range parts {
		of.Episodes[e] = p.Entry
	}
	err := s.WriteJSON(ctx, state.VersionName(v.Generation, snapshotFile), of, bucket.Condition{IfNoneMatch: true})
	if !errors.Is(err, bucket.ErrPrecondition) {
		return v, parts, err
	}
	if of, err = readSnapshot(ctx, s, v.Generation); err != nil {
		return v, nil, err
	}
	decided := &Contents{Version: of.Version, store: s, entries: of.Episodes}
	all := Parts{}
	for _, e := range slices.Sorted(maps.Keys(of.Episodes)) {
		if mine := parts[e]; mine != nil && mine.SHA256 == of.Episodes[e].SHA256 {
			all[e] = mine
		} else if all[e], err = decided.Stored(ctx, e); err != nil {
			return v, nil, err
		}
	}
	return of.Version, all, nil
}

// versionFiles writes the files that are built from the snapshot in parallel, and then
// version.json. So a folder that has version.json is complete.
func versionFiles(ctx context.Context, s *state.Store, v state.Version, parts Parts) error {
	var g errgroup.Group
	for name := range v.Counts {
		g.Go(func() error {
			return writeOnce(ctx, s, state.VersionName(v.Generation, name+".csv"), parts.CSV(name).Reader())
		})
	}
	writeSmall := func(file string, encode func() ([]byte, error)) {
		g.Go(func() error {
			body, err := encode()
			if err != nil {
				return fmt.Errorf("write %s: %w", file, err)
			}
			return writeOnce(ctx, s, state.VersionName(v.Generation, file), bytes.NewReader(body))
		})
	}
	writeSmall(classesFile, v.EncodeClasses)
	if err := g.Wait(); err != nil {
		return err
	}
	writeSmall(state.VersionFile, func() ([]byte, error) { return state.Seal(v) })
	return g.Wait()
}

// writeOnce writes an object whose content is the same from every writer. An existing object counts
// as success. 412 means that it exists. 409 means only that another write is under way, which may
// fail, so writeOnce then checks for the object.
func writeOnce(ctx context.Context, s *state.Store, name string, body io.ReadSeeker) error {
	for try := 1; ; try++ {
		_, err := s.WriteFrom(ctx, name, body, bucket.Condition{IfNoneMatch: true})
		if !errors.Is(err, bucket.ErrPrecondition) {
			return err
		}
		if exists, err := s.Exists(ctx, name); err != nil || exists {
			return err
		}
		if err := retry.Sleep(ctx, retry.Backoff(20*time.Millisecond, try, time.Second)); err != nil {
			return err
		}
	}
}
