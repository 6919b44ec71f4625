package version

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const (
	classesFile = "classes.json"
	// snapshotFile holds the version and its rows in one object. It is what decides which of several writers wins.
	snapshotFile = "snapshot.jsonl.zst"
)

// Publish saves a version and sets it the latest. rows are all images of all datasets.
//
// Several processes may publish the same generation, from listings that differ, and each may stop anywhere. So the first
// object, written where none is, holds the whole version; everything after it is made from what stands there, whoever
// wrote it: the CSV of each dataset, classes.json, version.json, and last of all latest.json, so that a reader never
// sees half a version.
func Publish(ctx context.Context, s *state.Store, v state.Version, rows []Row) (state.Version, error) {
	now, err := s.LatestVersion(ctx)
	switch {
	case err == nil && now.Generation >= v.Generation:
		return now, s.SetLatest(ctx, now) // it may be whole without being named yet
	case err != nil && !errors.Is(err, bucket.ErrNotFound):
		return state.Version{}, err
	}
	v.V, v.Parent, v.Frames, v.Counts = 1, now.Generation, len(rows), count(v.Datasets, rows)
	v.Bases = knownBases(v, now)
	slices.SortFunc(rows, Row.compareKeys)
	if err := inherit(ctx, s, now, rows); err != nil {
		return state.Version{}, err
	}
	if v, rows, err = decide(ctx, s, v, rows); err != nil {
		return state.Version{}, err
	}
	if err := versionFiles(ctx, s, v, rows); err != nil {
		return state.Version{}, err
	}
	return v, s.SetLatest(ctx, v)
}

// knownBases are the version's own, and for the other episodes that it holds those of the version before.
func knownBases(v, parent state.Version) map[dataset.Episode]string {
	bases := map[dataset.Episode]string{}
	for e := range v.Digests {
		if base := cmp.Or(v.Bases[e], parent.Bases[e]); base != "" {
			bases[e] = base
		}
	}
	return bases
}

// inherit takes the sources that are unknown from the version before, where the same image stood at the same key. rows are
// by key.
func inherit(ctx context.Context, s *state.Store, parent state.Version, rows []Row) error {
	for _, name := range slices.Sorted(maps.Keys(parent.Counts)) {
		unknown := func(r Row) bool { return r.SrcETag == "" && r.Place.Dataset == name }
		if !slices.ContainsFunc(rows, unknown) {
			continue
		}
		known, err := ReadRows(ctx, s, parent.Generation, name)
		if err != nil && !errors.Is(err, bucket.ErrNotFound) {
			return err
		}
		for i, r := range rows {
			if unknown(r) {
				at, ok := slices.BinarySearchFunc(known, r, Row.compareKeys)
				if ok && known[at].ETag == r.ETag {
					rows[i].SrcETag = known[at].SrcETag
				}
			}
		}
	}
	return nil
}

func count(datasets []string, rows []Row) map[string]map[string]int {
	counts := map[string]map[string]int{}
	for _, name := range datasets {
		counts[name] = map[string]int{}
	}
	for _, r := range rows {
		if counts[r.Place.Dataset] == nil {
			counts[r.Place.Dataset] = map[string]int{}
		}
		counts[r.Place.Dataset][r.Place.Class]++
	}
	return counts
}

// snapshotLine is a line of the snapshot: the version in the first, a row in each of the others.
type snapshotLine struct {
	Version *state.Version `json:"version,omitempty"`
	Key     string         `json:"k,omitempty"` // relative to <prefix>/ML/
	ETag    string         `json:"e,omitempty"`
	SrcETag string         `json:"s,omitempty"`
}

// decide writes the snapshot, or reads the one that was there first.
func decide(ctx context.Context, s *state.Store, v state.Version, rows []Row) (state.Version, []Row, error) {
	lines := make([]snapshotLine, 0, len(rows)+1)
	lines = append(lines, snapshotLine{Version: &v})
	for _, r := range rows {
		lines = append(lines, snapshotLine{Key: r.name(), ETag: r.ETag, SrcETag: r.SrcETag})
	}
	name := state.VersionName(v.Generation, snapshotFile)
	err := state.WriteLinesIf(ctx, s, name, lines, bucket.Condition{IfNoneMatch: true})
	if !errors.Is(err, bucket.ErrPrecondition) {
		return v, rows, err
	}
	return snapshot(ctx, s, v.Generation)
}

// state.VersionFiles writes what is made of the snapshot, all at once, and when it stands version.json, so that a folder with it is whole.
func versionFiles(ctx context.Context, s *state.Store, v state.Version, rows []Row) error {
	var g errgroup.Group
	write := func(file string, encode func() ([]byte, error)) {
		g.Go(func() error {
			body, err := encode()
			if err != nil {
				return fmt.Errorf("write %s: %w", file, err)
			}
			return writeOnce(ctx, s, state.VersionName(v.Generation, file), body)
		})
	}
	for name := range v.Counts {
		write(name+".csv", func() ([]byte, error) { return encodeRows(s.Layout, name, rows) })
	}
	write(classesFile, v.EncodeClasses)
	if err := g.Wait(); err != nil {
		return err
	}
	write(state.VersionFile, func() ([]byte, error) {
		return state.Seal(v)
	})
	return g.Wait()
}

// writeOnce writes what is the same whoever writes it: that it is there already is fine. A refusal says so with 412; with 409 it says
// only that another write is under way, which may fail, so what is there is looked at.
func writeOnce(ctx context.Context, s *state.Store, name string, body []byte) error {
	for try := 1; ; try++ {
		_, err := s.Write(ctx, name, body, bucket.Condition{IfNoneMatch: true})
		if !errors.Is(err, bucket.ErrPrecondition) {
			return err
		}
		if _, err := s.Read(ctx, name); !errors.Is(err, bucket.ErrNotFound) {
			return err
		}
		if err := retry.Sleep(ctx, retry.Backoff(20*time.Millisecond, try, time.Second)); err != nil {
			return err
		}
	}
}
