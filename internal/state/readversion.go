package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// LatestVersion reads the version that trainers are to use; bucket.ErrNotFound when there is none yet. Where the object that
// names it is missing or damaged, it is the newest version that is whole.
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
	generations, listErr := s.generations(ctx)
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
	return Version{}, err
}

// ReadVersion reads a version; bucket.ErrNotFound when there is none of that generation, ErrDamaged when it is of another.
func (s *Store) ReadVersion(ctx context.Context, generation int64) (Version, error) {
	var v Version
	name := VersionName(generation, versionFile)
	_, err := s.ReadJSON(ctx, name, &v)
	if err == nil && (v.Generation != generation || v.V < 1) {
		err = fmt.Errorf("read %s%s: %w: it is of generation %d", s.Layout.State(), name, ErrDamaged, v.Generation)
	}
	return v, err
}

// Versions reads all versions that are whole, newest first.
func (s *Store) Versions(ctx context.Context) ([]Version, error) {
	generations, err := s.generations(ctx)
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
				return nil // begun and not finished, just being removed, or damaged, which doctor reports
			}
			return err
		})
	}
	err = g.Wait()
	return slices.DeleteFunc(read, func(v Version) bool { return v.V == 0 }), err
}

// ReadVersionRows reads the rows of one dataset of a version, by key.
func (s *Store) ReadVersionRows(ctx context.Context, generation int64, name string) ([]VersionRow, error) {
	body, err := s.ReadVersionCSV(ctx, generation, name)
	if err != nil {
		return nil, err
	}
	rows, err := decodeRows(s.Layout, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", VersionName(generation, name+".csv"), err)
	}
	return rows, nil
}

// ReadVersionCSV reads the CSV of one dataset of a version. It stands there for people, who may delete it: then it is made again, from
// the snapshot that it was made from.
func (s *Store) ReadVersionCSV(ctx context.Context, generation int64, name string) ([]byte, error) {
	c, err := s.Read(ctx, VersionName(generation, name+".csv"))
	if !errors.Is(err, bucket.ErrNotFound) {
		return c.Body, err
	}
	_, rows, snapshotErr := s.snapshot(ctx, generation)
	if errors.Is(snapshotErr, bucket.ErrNotFound) {
		return nil, fmt.Errorf("%w, and neither is %s, which has the same rows: restore one of them, or plan without earlier versions by deleting %s",
			err, snapshotFile, s.Layout.State()+LatestName)
	}
	if snapshotErr != nil {
		return nil, snapshotErr
	}
	return encodeRows(s.Layout, name, rows)
}

// snapshot reads a version and its rows as they were decided on, by key.
func (s *Store) snapshot(ctx context.Context, generation int64) (v Version, rows []VersionRow, err error) {
	name := VersionName(generation, snapshotFile)
	lines, err := readLines[snapshotLine](ctx, s, name)
	if err != nil {
		return v, nil, err
	}
	if len(lines) == 0 || lines[0].Version == nil {
		return v, nil, fmt.Errorf("read %s: it does not begin with a version", name)
	}
	rows = make([]VersionRow, 0, len(lines)-1)
	for _, line := range lines[1:] {
		place, frame, ok := s.Layout.Parse(s.Layout.ML() + line.Key)
		if !ok {
			return v, nil, fmt.Errorf("read %s: %q is no frame's key", name, line.Key)
		}
		rows = append(rows, VersionRow{Place: place, Frame: frame, ETag: line.ETag, SrcETag: line.SrcETag})
	}
	return *lines[0].Version, rows, nil
}
