package version

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// ErrNone says that there is no such version.
var ErrNone = errors.New("no such dataset version")

// Latest is the name of the version that trainers are to use.
const Latest = "latest"

// Listed is a version with its tags, by name.
type Listed struct {
	state.Version
	Tags []string `json:"tags"`
}

// Listing is all versions that are whole, newest first.
type Listing struct {
	Versions []Listed
	Latest   int64 // generation; 0: there is none
	// Lost are the tags whose version is not whole, as when somebody has deleted objects of it,
	// with its generation.
	Lost map[string]int64
}

// List reads all versions and tags.
func List(ctx context.Context, s *state.Store) (Listing, error) {
	lost, err := Tags(ctx, s)
	if err != nil {
		return Listing{}, err
	}
	all, err := s.Versions(ctx)
	if err != nil {
		return Listing{}, err
	}
	latest, err := s.LatestVersion(ctx)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return Listing{}, err
	}
	l := Listing{Versions: []Listed{}, Latest: latest.Generation, Lost: lost}
	for _, v := range all {
		listed := Listed{Version: v, Tags: []string{}}
		for _, name := range slices.Sorted(maps.Keys(lost)) {
			if lost[name] == v.Generation {
				listed.Tags = append(listed.Tags, name)
				delete(lost, name)
			}
		}
		l.Versions = append(l.Versions, listed)
	}
	return l, nil
}

// Find reads the version that a person names: by its number, by a tag, or as Latest.
func Find(ctx context.Context, s *state.Store, name string) (state.Version, error) {
	if name == Latest {
		v, err := s.LatestVersion(ctx)
		if errors.Is(err, bucket.ErrNotFound) {
			return v, fmt.Errorf("%w: none has been published yet; a run that succeeds does that", ErrNone)
		}
		return v, err
	}
	if generation, err := strconv.ParseInt(name, 10, 64); err == nil && generation > 0 {
		return FindNumber(ctx, s, generation)
	}
	if CheckTag(name) != nil {
		return state.Version{}, fmt.Errorf("%w: %.40q: expected a number such as 3, a tag, or %s; see shuffle versions", ErrNone, name, Latest)
	}
	return findTag(ctx, s, name)
}

func findTag(ctx context.Context, s *state.Store, name string) (state.Version, error) {
	tags, err := Tags(ctx, s)
	if err != nil {
		return state.Version{}, err
	}
	generation, ok := tags[name]
	if !ok {
		return state.Version{}, fmt.Errorf("%w: there is no tag %q: expected a number such as 3, a tag, or %s; see shuffle versions", ErrNone, name, Latest)
	}
	v, err := s.ReadVersion(ctx, generation)
	if errors.Is(err, bucket.ErrNotFound) {
		return v, fmt.Errorf("%w: the tag %s names version %d, of which %s is missing: restore that object, or remove the tag with shuffle versions --untag %s",
			ErrNone, name, generation, state.VersionName(generation, "version.json"), name)
	}
	return v, err
}

// FindNumber reads the version of that generation.
func FindNumber(ctx context.Context, s *state.Store, generation int64) (state.Version, error) {
	v, err := s.ReadVersion(ctx, generation)
	if errors.Is(err, bucket.ErrNotFound) {
		return v, fmt.Errorf("%w: %d: it was never published, or is older than --keep-versions (SHUFFLE_KEEP_VERSIONS) keeps; see shuffle versions", ErrNone, generation)
	}
	return v, err
}

// Rows reads all images of a version, those of a dataset in the order of their keys.
func Rows(ctx context.Context, s *state.Store, v state.Version) ([]Row, error) {
	all := make([]Row, 0, v.Frames)
	for _, name := range slices.Sorted(maps.Keys(v.Counts)) {
		rows, err := DatasetRows(ctx, s, v, name)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// DatasetRows reads the images of one dataset of a version, by key. The objects of a version are no better guarded than
// the rest of the bucket: rows that lead out of their dataset are refused.
func DatasetRows(ctx context.Context, s *state.Store, v state.Version, name string) ([]Row, error) {
	if !dataset.ValidName(name) {
		return nil, fmt.Errorf("version %d: %.60q is no name of a dataset", v.Generation, name)
	}
	rows, err := ReadRows(ctx, s, v.Generation, name)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if err := s.Layout.CheckDestination(s.Layout.Key(r.Place, r.Frame), r.Frame); err != nil || r.Place.Dataset != name {
			return nil, fmt.Errorf("version %d: %s.csv has %s in %.100q, which is no class of %s", v.Generation, name, r.Frame, r.Place, name)
		}
	}
	return rows, nil
}

// Between reads two versions and compares them. A from of generation 0 is before there was any.
func Between(ctx context.Context, s *state.Store, from, to state.Version) (Diff, error) {
	var before []Row
	if from.Generation != 0 {
		var err error
		if before, err = Rows(ctx, s, from); err != nil {
			return Diff{}, err
		}
	}
	after, err := Rows(ctx, s, to)
	if err != nil {
		return Diff{}, err
	}
	d := Compare(before, after)
	d.From, d.To = from.Generation, to.Generation
	d.sortClasses(slices.Concat(to.Classes, from.Classes))
	if from.Generation != 0 {
		d.Settings = from.Definition.ChangesTo(to.Definition)
		d.ClassNumbers = state.ClassNumberChanges(from.ClassNames(), to.ClassNames())
	}
	return d, nil
}
