package version

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Inspect reads the newest dataset version whole, version.json of the others, and the tags.
func Inspect(ctx context.Context, s *state.Store) (all []state.Inspected) {
	all = append(all, inspectTags(ctx, s))
	generations, err := s.Generations(ctx)
	if err != nil || len(generations) == 0 {
		return append(all, state.Inspected{Name: "versions/", Detail: "no dataset version yet", Err: err})
	}
	v, err := s.LatestVersion(ctx)
	if err == nil {
		all = append(all, s.InspectLatest(ctx, v))
		all = append(all, inspectRows(ctx, s, v)...)
	} else {
		all = append(all, state.Inspected{Name: state.LatestName, Err: err})
	}
	good := 0
	for _, g := range generations {
		switch _, err := s.ReadVersion(ctx, g); {
		case err == nil:
			good++
		case !errors.Is(err, bucket.ErrNotFound): // begun and not finished, or just being removed
			all = append(all, state.Inspected{Name: state.VersionName(g, state.VersionFile), Err: err})
		}
	}
	return append(all, state.Inspected{Name: "versions/", Detail: fmt.Sprintf("%d are readable, the newest is %d; the rows of that one were read", good, v.Generation)})
}

func inspectTags(ctx context.Context, s *state.Store) state.Inspected {
	found := state.Inspected{Name: tagsName, Detail: "none"}
	c, err := s.Read(ctx, tagsName)
	if errors.Is(err, bucket.ErrNotFound) {
		return found
	}
	if err == nil {
		var t tags
		if t, err = decodeTags(s, c.Body); err != nil {
			err = fmt.Errorf("%w: %w", state.ErrDamaged, err)
		}
		found.Detail = fmt.Sprintf("%d tags", len(t.Tags))
	}
	found.Err = err
	return found
}

// inspectRows reads the rows of a version as they were decided on, and compares each CSV file with them.
func inspectRows(ctx context.Context, s *state.Store, v state.Version) (all []state.Inspected) {
	csv := func(name string) ([]byte, error) { return csvOfLines(ctx, s, v.Generation, name) }
	if v.V >= formatOfParts {
		parts, found := inspectParts(ctx, s, v)
		all = append(all, found...)
		csv = func(name string) ([]byte, error) {
			var body bytes.Buffer
			_, err := body.ReadFrom(parts.CSV(name).Reader())
			return body.Bytes(), err
		}
	} else {
		_, err := s.Read(ctx, state.VersionName(v.Generation, linesFile))
		if err == nil {
			_, err = csv("")
		}
		all = append(all, state.Inspected{Name: state.VersionName(v.Generation, linesFile), Detail: fmt.Sprintf("%d rows", v.Frames), Err: err})
	}
	whole := !slices.ContainsFunc(all, func(i state.Inspected) bool { return i.Err != nil })
	for _, name := range slices.Sorted(maps.Keys(v.Counts)) {
		file := state.VersionName(v.Generation, name+".csv")
		c, err := s.Read(ctx, file)
		if err == nil && whole {
			var want []byte
			if want, err = csv(name); err == nil && !bytes.Equal(want, c.Body) {
				err = fmt.Errorf("%w: its rows are not those of the version", state.ErrDamaged)
			}
		}
		all = append(all, state.Inspected{Name: file, Detail: "whole", Err: err})
	}
	return all
}

// inspectParts reads the snapshot and every part.
func inspectParts(ctx context.Context, s *state.Store, v state.Version) (parts Parts, all []state.Inspected) {
	of, err := readSnapshot(ctx, s, v.Generation)
	all = append(all, state.Inspected{Name: state.VersionName(v.Generation, snapshotFile), Detail: fmt.Sprintf("%d episodes", len(of.Episodes)), Err: err})
	parts = Parts{}
	if err != nil {
		return parts, all
	}
	c := &Contents{Version: v, store: s, entries: of.Episodes}
	rows := 0
	for _, e := range slices.Sorted(maps.Keys(of.Episodes)) {
		p, err := c.Stored(ctx, e)
		if err != nil {
			// The next run that publishes a version lists the episode again.
			all = append(all, state.Inspected{Name: of.Episodes[e].object(e), Err: err, Heals: true})
			continue
		}
		parts[e] = p
		rows += p.Rows
	}
	return parts, append(all, state.Inspected{Name: fmt.Sprintf("parts of version %d", v.Generation), Detail: fmt.Sprintf("%d parts, %d rows", len(parts), rows)})
}
