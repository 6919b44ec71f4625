package version

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// ErrNone means that there is no such version.
var ErrNone = errors.New("no such dataset version")

// Latest is the name of the version that trainers should use.
const Latest = "latest"

// Listed is a version with its tags, by name.
type Listed struct {
	state.Version
	Tags []string `json:"tags"`
}

// Listing has all complete versions, newest first.
type Listing struct {
	Versions []Listed
	Latest   int64 // generation; 0: there is none
	// Lost are the tags whose version is incomplete, for example because a person deleted objects
	// of it. The value is its generation.
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

// Find reads the version with a number, a tag, or the name Latest.
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

// FindNumber reads the version with a generation.
func FindNumber(ctx context.Context, s *state.Store, generation int64) (state.Version, error) {
	v, err := s.ReadVersion(ctx, generation)
	if errors.Is(err, bucket.ErrNotFound) {
		return v, fmt.Errorf("%w: %d: it was never published, or is older than --keep-versions (SHUFFLE_KEEP_VERSIONS) keeps; see shuffle versions", ErrNone, generation)
	}
	return v, err
}
