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

// Inspect reads all objects of the newest dataset version, and version.json of the others.
func Inspect(ctx context.Context, s *state.Store) (all []state.Inspected) {
	generations, err := s.Generations(ctx)
	if err != nil || len(generations) == 0 {
		return []state.Inspected{{Name: "versions/", Detail: "no dataset version yet", Err: err}}
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
		// Incomplete, being removed, or kept for its parts.
		case !errors.Is(err, bucket.ErrNotFound):
			all = append(all, state.Inspected{Name: state.VersionName(g, state.VersionFile), Err: err})
		}
	}
	return append(all, state.Inspected{Name: "versions/", Detail: fmt.Sprintf("%d are readable, the newest is %d; the rows of that one were read", good, v.Generation)})
}

// inspectRows reads the rows of a version, from its parts or from format 1's object, and compares
// each CSV file with them.
func inspectRows(ctx context.Context, s *state.Store, v state.Version) []state.Inspected {
	read := inspectParts
	if v.V < formatOfParts {
		read = inspectLines
	}
	rows, all := read(ctx, s, v)
	for _, name := range slices.Sorted(maps.Keys(v.Counts)) {
		file := state.VersionName(v.Generation, name+".csv")
		c, err := s.Read(ctx, file)
		if err == nil && rows != nil && !rows(name).Equal(c.Body) {
			err = fmt.Errorf("%w: its rows are not those of %s", state.ErrDamaged, all[0].Name)
		}
		all = append(all, state.Inspected{Name: file, Detail: "whole", Err: err})
	}
	return all
}

// inspectParts reads the snapshot and every part. It returns the CSV files built from them, or nil
// when a part is unusable. The next run lists the episode of an unusable part again.
func inspectParts(ctx context.Context, s *state.Store, v state.Version) (func(string) *state.Text, []state.Inspected) {
	name := state.VersionName(v.Generation, snapshotFile)
	of, err := readSnapshot(ctx, s, v.Generation)
	if err != nil {
		return nil, []state.Inspected{{Name: name, Err: err, Heals: true}}
	}
	c := &Contents{Version: of.Version, store: s, entries: of.Episodes}
	parts, bad, rows := Parts{}, []state.Inspected(nil), 0
	for _, e := range slices.Sorted(maps.Keys(of.Episodes)) {
		p, err := c.Stored(ctx, e)
		if err != nil {
			bad = append(bad, state.Inspected{Name: of.Episodes[e].object(e), Err: err, Heals: true})
			continue
		}
		parts[e] = p
		rows += p.Rows
	}
	if len(bad) == 0 && rows != v.Frames {
		err = fmt.Errorf("read %s%s: %w: it has %d rows, and the version %d", s.Layout.State(), name, state.ErrDamaged, rows, v.Frames)
	}
	all := append([]state.Inspected{{Name: name, Detail: fmt.Sprintf("%d rows in %d parts", rows, len(parts)), Err: err}}, bad...)
	if len(bad) > 0 {
		return nil, all
	}
	return parts.CSV, all
}

// inspectLines reads the object of rows of a version of format 1.
func inspectLines(ctx context.Context, s *state.Store, v state.Version) (func(string) *state.Text, []state.Inspected) {
	files, rows := map[string]*state.Text{}, 0
	var err error
	for _, name := range slices.Sorted(maps.Keys(v.Counts)) {
		var body []byte
		if body, err = csvOfLines(ctx, s, v.Generation, name); err != nil {
			break
		}
		files[name] = &state.Text{}
		_, _ = files[name].Write(body) // it is held in memory
		rows += bytes.Count(body, []byte("\n")) - 1
	}
	object := state.VersionName(v.Generation, linesFile)
	if err == nil && rows != v.Frames {
		err = fmt.Errorf("read %s%s: %w: it has %d rows, and the version %d", s.Layout.State(), object, state.ErrDamaged, rows, v.Frames)
	}
	all := []state.Inspected{{Name: object, Detail: fmt.Sprintf("%d rows", rows), Err: err}}
	if err != nil {
		return nil, all
	}
	return func(name string) *state.Text { return files[name] }, all
}

// InspectTags reads the tags.
func InspectTags(ctx context.Context, s *state.Store) state.Inspected {
	named := state.Inspected{Name: tagsName, Detail: "none"}
	c, err := s.Read(ctx, tagsName)
	if errors.Is(err, bucket.ErrNotFound) {
		return named
	}
	if err == nil {
		var t tags
		if t, err = decodeTags(s, c.Body); err != nil {
			err = fmt.Errorf("%w: %w", state.ErrDamaged, err)
		}
		named.Detail = fmt.Sprintf("%d tags", len(t.Tags))
	}
	named.Err = err
	return named
}
