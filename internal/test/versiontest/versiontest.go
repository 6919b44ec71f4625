// Package versiontest publishes dataset versions from rows, and reads all their rows, for tests.
package versiontest

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// Publish publishes a version of the rows with only new parts. When v has no digests, Publish
// computes them from the rows.
func Publish(ctx context.Context, s *state.Store, v state.Version, rows []version.Row) (state.Version, error) {
	parent, err := s.LatestVersion(ctx)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return state.Version{}, err
	}
	parts, digests, err := Parts(s.Layout, rows)
	if err != nil {
		return state.Version{}, err
	}
	if v.Digests == nil {
		v.Digests = digests
	}
	return version.Publish(ctx, s, v, parent, parts)
}

// Parts divides rows by episode.
func Parts(l dataset.Layout, rows []version.Row) (version.Parts, map[dataset.Episode]string, error) {
	by := map[dataset.Episode][]version.Row{}
	for _, r := range rows {
		by[r.Frame.Episode()] = append(by[r.Frame.Episode()], r)
	}
	parts, digests := version.Parts{}, map[dataset.Episode]string{}
	for e, rows := range by {
		p, err := version.NewPart(l, e, rows)
		if err != nil {
			return nil, nil, err
		}
		var d dataset.Digest
		for _, r := range rows {
			d.Add(r.Place, r.Frame, r.ETag)
		}
		parts[e], digests[e] = p, d.String()
	}
	return parts, digests, nil
}

// Rows reads all rows of a version, by episode.
func Rows(ctx context.Context, s *state.Store, v state.Version) (all []version.Row, err error) {
	c, err := version.Open(ctx, s, v)
	if err != nil {
		return nil, err
	}
	episodes, err := c.Episodes(ctx)
	for _, e := range episodes {
		rows, readErr := c.Rows(ctx, e)
		all, err = append(all, rows...), errors.Join(err, readErr)
	}
	return all, err
}

// PublishFormat1 publishes a version as the releases before format 2 did.
func PublishFormat1(ctx context.Context, s *state.Store, v state.Version, rows []version.Row) (state.Version, error) {
	rows = slices.SortedFunc(slices.Values(rows), func(a, b version.Row) int { return strings.Compare(a.File(), b.File()) })
	v.V, v.Frames, v.Counts = 1, len(rows), map[string]map[string]int{}
	for _, name := range v.Datasets {
		v.Counts[name] = map[string]int{}
	}
	_, digests, err := Parts(s.Layout, rows)
	if err != nil {
		return v, err
	}
	if v.Digests == nil {
		v.Digests = digests
	}
	type line struct {
		Version *state.Version `json:"version,omitempty"`
		Key     string         `json:"k,omitempty"`
		ETag    string         `json:"e,omitempty"`
		SrcETag string         `json:"s,omitempty"`
	}
	files, lines := map[string]*bytes.Buffer{}, []line{{}}
	cells := func(name string, cells ...string) {
		if files[name] == nil {
			files[name] = bytes.NewBufferString("file_name,label,key,etag,source_etag,frame\n")
		}
		w := csv.NewWriter(files[name])
		if len(cells) > 0 {
			_ = w.Write(state.DefuseAll(cells)) // writing to a buffer cannot fail
		}
		w.Flush()
	}
	for _, name := range v.Datasets {
		cells(name)
	}
	for _, r := range rows {
		p := r.Place
		if v.Counts[p.Dataset] == nil {
			v.Counts[p.Dataset] = map[string]int{}
		}
		v.Counts[p.Dataset][p.Class]++
		lines = append(lines, line{Key: r.File(), ETag: r.ETag, SrcETag: r.SrcETag})
		cells(p.Dataset, r.File(), p.Class, s.Layout.Key(p, r.Frame), r.ETag, r.SrcETag, string(r.Frame))
	}
	lines[0].Version = &v
	var all bytes.Buffer
	enc := json.NewEncoder(&all)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return v, err
		}
	}
	objects := map[string][]byte{"snapshot.jsonl.zst": state.Pack(all.Bytes())}
	for name, file := range files {
		objects[name+".csv"] = file.Bytes()
	}
	if objects["classes.json"], err = v.EncodeClasses(); err != nil {
		return v, err
	}
	for name, body := range objects {
		if _, err := s.Write(ctx, state.VersionName(v.Generation, name), body, bucket.Condition{}); err != nil {
			return v, err
		}
	}
	if err := s.WriteJSON(ctx, state.VersionName(v.Generation, state.VersionFile), v, bucket.Condition{}); err != nil {
		return v, err
	}
	return v, s.NameLatest(ctx, v)
}
