package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Version is version.json: a dataset version, that is everything that stood in the datasets when a run had been
// verified. Its rows are one CSV object a dataset beside it.
type Version struct {
	V          int       `json:"v"`
	Generation int64     `json:"generation"` // of the run; it names the version
	Run        string    `json:"run"`
	Created    time.Time `json:"created"`
	Parent     int64     `json:"parent,omitempty"` // generation of the version before; 0: none
	Settings
	Frames int                       `json:"frames"`
	Counts map[string]map[string]int `json:"counts"` // dataset → class → frames
	// Digests tell the episodes' listings apart: dataset.Digest of all that stood of each.
	Digests map[dataset.Episode]string `json:"digests"`
	// Held episodes are in the version as they stood.
	Held []HeldEpisode `json:"held"`
}

// VersionRow is one image of a dataset version.
type VersionRow struct {
	Place dataset.Place
	Frame dataset.Frame
	ETag  string
	// SrcETag is the source's content that was copied; empty when unknown.
	SrcETag string
}

// latest is versions/latest.json.
type latest struct {
	V          int    `json:"v"`
	Generation int64  `json:"generation"`
	Run        string `json:"run"`
	Folder     string `json:"folder"` // below <prefix>/shuffle/
}

const (
	versionFile = "version.json"
	classesFile = "classes.json"
	// snapshotFile holds the version and its rows in one object. It is what decides which of several writers wins.
	snapshotFile = "snapshot.jsonl.zst"
)

// PublishVersion saves a version and sets it the latest. rows are all images of all datasets.
//
// Several processes may publish the same generation, from listings that differ, and each may stop anywhere. So the first
// object, written where none is, holds the whole version; everything after it is made from what stands there, whoever
// wrote it: the CSV of each dataset, classes.json, version.json, and last of all latest.json, so that a reader never
// sees half a version.
func (s *Store) PublishVersion(ctx context.Context, v Version, rows []VersionRow) (Version, error) {
	now, err := s.LatestVersion(ctx)
	switch {
	case err == nil && now.Generation >= v.Generation:
		return now, nil
	case err != nil && !errors.Is(err, bucket.ErrNotFound):
		return Version{}, err
	}
	v.V, v.Parent, v.Frames, v.Counts = 1, now.Generation, len(rows), count(v.Datasets, rows)
	slices.SortFunc(rows, VersionRow.compareKeys)
	if err := s.inherit(ctx, now, rows); err != nil {
		return Version{}, err
	}
	if v, rows, err = s.decide(ctx, v, rows); err != nil {
		return Version{}, err
	}
	if err := s.versionFiles(ctx, v, rows); err != nil {
		return Version{}, err
	}
	return v, s.setLatest(ctx, v)
}

// inherit takes the sources that are unknown from the version before, where the same image stood at the same key. rows are
// by key.
func (s *Store) inherit(ctx context.Context, parent Version, rows []VersionRow) error {
	for name := range parent.Counts {
		unknown := func(r VersionRow) bool { return r.SrcETag == "" && r.Place.Dataset == name }
		if !slices.ContainsFunc(rows, unknown) {
			continue
		}
		known, err := s.ReadVersionRows(ctx, parent.Generation, name)
		if err != nil && !errors.Is(err, bucket.ErrNotFound) {
			return err
		}
		for i, r := range rows {
			if unknown(r) {
				at, ok := slices.BinarySearchFunc(known, r, VersionRow.compareKeys)
				if ok && known[at].ETag == r.ETag {
					rows[i].SrcETag = known[at].SrcETag
				}
			}
		}
	}
	return nil
}

func count(datasets []string, rows []VersionRow) map[string]map[string]int {
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
	Version *Version `json:"version,omitempty"`
	Key     string   `json:"k,omitempty"` // relative to <prefix>/ML/
	ETag    string   `json:"e,omitempty"`
	SrcETag string   `json:"s,omitempty"`
}

// decide writes the snapshot, or reads the one that was there first.
func (s *Store) decide(ctx context.Context, v Version, rows []VersionRow) (Version, []VersionRow, error) {
	lines := make([]snapshotLine, 0, len(rows)+1)
	lines = append(lines, snapshotLine{Version: &v})
	for _, r := range rows {
		lines = append(lines, snapshotLine{Key: r.name(), ETag: r.ETag, SrcETag: r.SrcETag})
	}
	name := VersionName(v.Generation, snapshotFile)
	err := writeLinesIf(ctx, s, name, lines, bucket.Condition{IfNoneMatch: true})
	if !errors.Is(err, bucket.ErrPrecondition) {
		return v, rows, err
	}
	lines, err = readLines[snapshotLine](ctx, s, name)
	if err != nil {
		return v, nil, err
	}
	if len(lines) == 0 || lines[0].Version == nil {
		return v, nil, fmt.Errorf("read %s: it does not begin with a version", name)
	}
	v, rows = *lines[0].Version, make([]VersionRow, 0, len(lines)-1)
	for _, line := range lines[1:] {
		place, frame, ok := s.Layout.Parse(s.Layout.ML() + line.Key)
		if !ok {
			return v, nil, fmt.Errorf("read %s: %q is no frame's key", name, line.Key)
		}
		rows = append(rows, VersionRow{Place: place, Frame: frame, ETag: line.ETag, SrcETag: line.SrcETag})
	}
	return v, rows, nil
}

func (s *Store) versionFiles(ctx context.Context, v Version, rows []VersionRow) error {
	for _, name := range slices.Sorted(maps.Keys(v.Counts)) {
		body, err := encodeRows(s.Layout, name, rows)
		if err != nil {
			return fmt.Errorf("write %s.csv: %w", name, err)
		}
		if err := s.writeOnce(ctx, VersionName(v.Generation, name+".csv"), body); err != nil {
			return err
		}
	}
	for _, file := range []struct {
		name  string
		value any
	}{
		{classesFile, map[string]map[string]int{"classes": v.ClassIndex()}},
		{versionFile, v}, // the last: a folder with it is whole
	} {
		body, err := json.MarshalIndent(file.value, "", " ")
		if err != nil {
			return fmt.Errorf("write %s: %w", file.name, err)
		}
		if err := s.writeOnce(ctx, VersionName(v.Generation, file.name), append(body, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// writeOnce writes what is the same whoever writes it: that it is there already is fine.
func (s *Store) writeOnce(ctx context.Context, name string, body []byte) error {
	_, err := s.Write(ctx, name, body, bucket.Condition{IfNoneMatch: true})
	if errors.Is(err, bucket.ErrPrecondition) {
		return nil
	}
	return err
}

// ClassIndex numbers the classes: the configured ones in their order, then others by name.
func (v Version) ClassIndex() map[string]int {
	names := slices.Clone(v.Classes)
	var others []string
	for _, classes := range v.Counts {
		for class := range classes {
			if class != "" && !slices.Contains(names, class) && !slices.Contains(others, class) {
				others = append(others, class)
			}
		}
	}
	slices.Sort(others)
	index := map[string]int{}
	for i, name := range append(names, others...) {
		index[name] = i
	}
	return index
}

// setLatest moves latest.json forward to the version, never back.
func (s *Store) setLatest(ctx context.Context, v Version) error {
	return s.Update(ctx, LatestName, func(old []byte) ([]byte, error) {
		var now latest
		if old != nil {
			if err := json.Unmarshal(old, &now); err != nil {
				return nil, fmt.Errorf("read %s: %w", LatestName, err)
			}
		}
		if now.Generation >= v.Generation {
			return nil, nil
		}
		folder := strings.TrimSuffix(VersionName(v.Generation, ""), "/")
		return json.MarshalIndent(latest{V: 1, Generation: v.Generation, Run: v.Run, Folder: folder}, "", " ")
	})
}

// LatestVersion reads the version that trainers are to use; bucket.ErrNotFound when there is none yet.
func (s *Store) LatestVersion(ctx context.Context) (Version, error) {
	var now latest
	if _, err := s.ReadJSON(ctx, LatestName, &now); err != nil {
		return Version{}, err
	}
	return s.ReadVersion(ctx, now.Generation)
}

// ReadVersion reads a version; bucket.ErrNotFound when there is none of that generation.
func (s *Store) ReadVersion(ctx context.Context, generation int64) (Version, error) {
	var v Version
	_, err := s.ReadJSON(ctx, VersionName(generation, versionFile), &v)
	return v, err
}

// Versions reads all versions that are whole, newest first.
func (s *Store) Versions(ctx context.Context) ([]Version, error) {
	names, err := s.Names(ctx, "versions/")
	if err != nil {
		return nil, err
	}
	var all []Version
	for _, name := range names {
		generation, err := strconv.ParseInt(strings.TrimSuffix(name, "/"), 10, 64)
		if err != nil {
			continue // latest.json
		}
		v, err := s.ReadVersion(ctx, generation)
		if errors.Is(err, bucket.ErrNotFound) {
			continue // begun and not finished
		}
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b Version) int { return int(b.Generation - a.Generation) })
	return all, nil
}

// ReadVersionRows reads the rows of one dataset of a version, by key.
func (s *Store) ReadVersionRows(ctx context.Context, generation int64, name string) ([]VersionRow, error) {
	object := VersionName(generation, name+".csv")
	c, err := s.Read(ctx, object)
	if err != nil {
		return nil, err
	}
	rows, err := decodeRows(s.Layout, bytes.NewReader(c.Body))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", object, err)
	}
	return rows, nil
}
