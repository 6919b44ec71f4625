package state

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/retry"
)

// Version is version.json: a dataset version, that is everything that stood in the datasets when a run had been
// verified. Its rows are one CSV object a dataset beside it.
type Version struct {
	V          int       `json:"v"`
	Generation int64     `json:"generation"` // of the run; it names the version
	Run        string    `json:"run"`
	Created    time.Time `json:"created"`
	Parent     int64     `json:"parent,omitempty"` // generation of the version before; 0: none
	// Restores is the generation of the version that the run went back to; 0: it was planned from the sheets.
	Restores int64 `json:"restores,omitempty"`
	Settings
	Frames int                       `json:"frames"`
	Counts map[string]map[string]int `json:"counts"` // dataset → class → frames
	// Digests tell the episodes' listings apart: dataset.Digest of all that stood of each.
	Digests map[dataset.Episode]string `json:"digests"`
	// Bases are the prefixes of the episodes' images, as far as any plan has known them.
	Bases map[dataset.Episode]string `json:"bases,omitempty"`
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
		return now, s.NameLatest(ctx, now) // it may be whole without being named yet
	case err != nil && !errors.Is(err, bucket.ErrNotFound):
		return Version{}, err
	}
	v.V, v.Parent, v.Frames, v.Counts = 1, now.Generation, len(rows), count(v.Datasets, rows)
	v.Bases = knownBases(v, now)
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
	return v, s.NameLatest(ctx, v)
}

// knownBases are the version's own, and for the other episodes that it holds those of the version before.
func knownBases(v, parent Version) map[dataset.Episode]string {
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
func (s *Store) inherit(ctx context.Context, parent Version, rows []VersionRow) error {
	for _, name := range slices.Sorted(maps.Keys(parent.Counts)) {
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
	return s.snapshot(ctx, v.Generation)
}

// versionFiles writes what is made of the snapshot, all at once, and when it stands version.json, so that a folder with it is whole.
func (s *Store) versionFiles(ctx context.Context, v Version, rows []VersionRow) error {
	var g errgroup.Group
	write := func(file string, encode func() ([]byte, error)) {
		g.Go(func() error {
			body, err := encode()
			if err != nil {
				return fmt.Errorf("write %s: %w", file, err)
			}
			return s.writeOnce(ctx, VersionName(v.Generation, file), body)
		})
	}
	for name := range v.Counts {
		write(name+".csv", func() ([]byte, error) { return encodeRows(s.Layout, name, rows) })
	}
	write(classesFile, v.EncodeClasses)
	if err := g.Wait(); err != nil {
		return err
	}
	write(versionFile, func() ([]byte, error) {
		return Seal(v)
	})
	return g.Wait()
}

// writeOnce writes what is the same whoever writes it: that it is there already is fine. A refusal says so with 412; with 409 it says
// only that another write is under way, which may fail, so what is there is looked at.
func (s *Store) writeOnce(ctx context.Context, name string, body []byte) error {
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

// ClassNames are the configured classes and those that have frames, sorted: the order in which torchvision, Keras and
// Hugging Face number class folders, so that a model trained on the folders agrees with classes.json.
func (v Version) ClassNames() []string {
	names := slices.Clone(v.Classes)
	for _, classes := range v.Counts {
		for class := range classes {
			if class != "" {
				names = append(names, class)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ClassIndex numbers the ClassNames from 0.
func (v Version) ClassIndex() map[string]int { return numberClasses(v.ClassNames()) }

// EncodeClasses is classes.json.
func (v Version) EncodeClasses() ([]byte, error) {
	body, err := json.MarshalIndent(map[string]map[string]int{"classes": v.ClassIndex()}, "", " ")
	return append(body, '\n'), err
}

// NameLatest moves latest.json forward to the version, never back. One that is damaged is written anew.
func (s *Store) NameLatest(ctx context.Context, v Version) error {
	return s.Update(ctx, LatestName, func(old []byte) ([]byte, error) {
		var now latest
		if old != nil {
			if err := Unseal(old, &now); err != nil {
				now = latest{} // damaged: it is made again
			}
		}
		if now.Generation >= v.Generation {
			return nil, nil
		}
		folder := strings.TrimSuffix(VersionName(v.Generation, ""), "/")
		return Seal(latest{V: 1, Generation: v.Generation, Run: v.Run, Folder: folder})
	})
}
