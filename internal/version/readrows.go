package version

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// ReadRows reads the rows of one dataset of a version, by key.
func ReadRows(ctx context.Context, s *state.Store, generation int64, name string) ([]Row, error) {
	body, err := ReadCSV(ctx, s, generation, name)
	if err != nil {
		return nil, err
	}
	rows, err := decodeRows(s.Layout, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", state.VersionName(generation, name+".csv"), err)
	}
	return rows, nil
}

// ReadCSV reads the CSV of one dataset of a version. It stands there for people, who may delete it: then it is made again, from
// the snapshot that it was made from.
func ReadCSV(ctx context.Context, s *state.Store, generation int64, name string) ([]byte, error) {
	c, err := s.Read(ctx, state.VersionName(generation, name+".csv"))
	if !errors.Is(err, bucket.ErrNotFound) {
		return c.Body, err
	}
	_, rows, snapshotErr := snapshot(ctx, s, generation)
	if errors.Is(snapshotErr, bucket.ErrNotFound) {
		return nil, fmt.Errorf("%w, and neither is %s, which has the same rows: restore one of them, or plan without earlier versions by deleting %s",
			err, snapshotFile, s.Layout.State()+state.LatestName)
	}
	if snapshotErr != nil {
		return nil, snapshotErr
	}
	return encodeRows(s.Layout, name, rows)
}

// snapshot reads a version and its rows as they were decided on, by key.
func snapshot(ctx context.Context, s *state.Store, generation int64) (v state.Version, rows []Row, err error) {
	name := state.VersionName(generation, snapshotFile)
	lines, err := state.ReadLines[snapshotLine](ctx, s, name)
	if err != nil {
		return v, nil, err
	}
	if len(lines) == 0 || lines[0].Version == nil {
		return v, nil, fmt.Errorf("read %s: it does not begin with a version", name)
	}
	rows = make([]Row, 0, len(lines)-1)
	for _, line := range lines[1:] {
		place, frame, ok := s.Layout.Parse(s.Layout.ML() + line.Key)
		if !ok {
			return v, nil, fmt.Errorf("read %s: %q is no frame's key", name, line.Key)
		}
		rows = append(rows, Row{Place: place, Frame: frame, ETag: line.ETag, SrcETag: line.SrcETag})
	}
	return *lines[0].Version, rows, nil
}
