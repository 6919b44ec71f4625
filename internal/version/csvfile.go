package version

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// linesFile has a version of format 1 and its rows in one object. The first line is the version,
// and each further line is a row.
const linesFile = "snapshot.jsonl.zst"

type line struct {
	Version *state.Version `json:"version,omitempty"`
	Key     string         `json:"k,omitempty"` // relative to <prefix>/ML/
	ETag    string         `json:"e,omitempty"`
	SrcETag string         `json:"s,omitempty"`
}

// readCSV reads the CSV file of one dataset. The file is for people, who may delete it. In format 1
// it is then rebuilt from the version's object of rows.
func readCSV(ctx context.Context, s *state.Store, v state.Version, name string) ([]byte, error) {
	c, err := s.Read(ctx, state.VersionName(v.Generation, name+".csv"))
	if !errors.Is(err, bucket.ErrNotFound) || v.V >= formatOfParts {
		return c.Body, err
	}
	body, linesErr := csvOfLines(ctx, s, v.Generation, name)
	if errors.Is(linesErr, bucket.ErrNotFound) {
		return nil, fmt.Errorf("%w, and neither is %s, which has the same rows: restore one of them, or plan without earlier versions by deleting %s",
			err, linesFile, s.Layout.State()+state.LatestName)
	}
	return body, linesErr
}

// csvOfLines builds the CSV file of one dataset of a version of format 1.
func csvOfLines(ctx context.Context, s *state.Store, generation int64, name string) ([]byte, error) {
	object := state.VersionName(generation, linesFile)
	c, err := s.Read(ctx, object)
	if err != nil {
		return nil, err
	}
	plain, err := state.Unpack(c.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s%s: %w", s.Layout.State(), object, err)
	}
	var body bytes.Buffer
	_, _ = body.WriteString(header) // it never fails
	first := true
	for text := range bytes.Lines(plain) {
		var of line
		if err := json.Unmarshal(text, &of); err != nil {
			return nil, fmt.Errorf("read %s%s: %w: %w", s.Layout.State(), object, state.ErrDamaged, err)
		}
		if first {
			if first = false; of.Version == nil {
				return nil, fmt.Errorf("read %s%s: %w: it does not begin with a version", s.Layout.State(), object, state.ErrDamaged)
			}
			continue
		}
		place, frame, ok := s.Layout.Parse(s.Layout.ML() + of.Key)
		if !ok {
			return nil, fmt.Errorf("read %s%s: %w: %.200q is no frame's key", s.Layout.State(), object, state.ErrDamaged, of.Key)
		}
		if place.Dataset == name {
			row := []Row{{Place: place, Frame: frame, ETag: of.ETag, SrcETag: of.SrcETag}}
			if err := encodeRows(&body, s.Layout, row); err != nil {
				return nil, err
			}
		}
	}
	return body.Bytes(), nil
}
