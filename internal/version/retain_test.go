package version_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

func publishEmpty(t *testing.T, s *state.Store, v state.Version) state.Version {
	t.Helper()
	v, err := versiontest.Publish(context.Background(), s, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func openStore(t *testing.T) (*state.Store, *dirbucket.Bucket) {
	t.Helper()
	b, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return &state.Store{Bucket: b, Layout: dataset.Layout{Prefix: "tuttle_twins"}}, b
}

// listed returns the generations that have any object.
func listed(t *testing.T, s *state.Store) []int64 {
	t.Helper()
	all, err := s.Generations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRetain(t *testing.T) {
	for _, test := range []struct {
		keep       int
		want, gone []int64
	}{
		{0, []int64{9, 7, 5, 2, 1}, nil},
		{5, []int64{9, 7, 5, 2, 1}, nil},
		{3, []int64{9, 7, 5, 2}, []int64{1}},
		{1, []int64{9, 7}, []int64{5, 2, 1}},
	} {
		s, b := openStore(t)
		for _, g := range []int64{1, 2, 5, 7} {
			publishEmpty(t, s, state.Version{Generation: g, Settings: state.Settings{Datasets: []string{"train"}}})
		}
		// Another process has started version 9; the latest is still 7.
		if _, err := s.Write(t.Context(), state.VersionName(9, "snapshot.json"), []byte("x"), bucket.Condition{}); err != nil {
			t.Fatal(err)
		}
		gone, err := version.Retain(t.Context(), s, b, 7, test.keep)
		if err != nil {
			t.Fatal(err)
		}
		if got := listed(t, s); !slices.Equal(got, test.want) || !slices.Equal(gone, test.gone) {
			t.Errorf("keep %d: %v stay and %v went, want %v and %v", test.keep, got, gone, test.want, test.gone)
		}
		if v, err := s.LatestVersion(t.Context()); err != nil || v.Generation != 7 {
			t.Errorf("keep %d: the latest is %d, %v", test.keep, v.Generation, err)
		}
	}
}

func TestRetainWithoutVersions(t *testing.T) {
	s, b := openStore(t)
	if gone, err := version.Retain(t.Context(), s, b, 7, 1); gone != nil || err != nil {
		t.Errorf("removed %v, %v", gone, err)
	}
}

// cutOff fails from the n-th request on.
type cutOff struct {
	state.Remover
	n int
}

var errCutOff = errors.New("cut off")

func (c *cutOff) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	if c.n--; c.n < 0 {
		return nil, errCutOff
	}
	return c.Remover.DeleteObjects(ctx, keys)
}

// If a removal stops at any request, a version is complete or not listed. The next removal
// completes the first one.
func TestRetainCutOff(t *testing.T) {
	for n := range 4 {
		s, b := openStore(t)
		for _, g := range []int64{1, 2, 3} {
			publishEmpty(t, s, state.Version{Generation: g, Settings: state.Settings{Datasets: []string{"train"}}})
		}
		if _, err := version.Retain(t.Context(), s, &cutOff{b, n}, 3, 1); !errors.Is(err, errCutOff) {
			t.Fatalf("cut off after %d requests: %v", n, err)
		}
		all, err := s.Versions(t.Context())
		if err != nil || all[0].Generation != 3 {
			t.Fatalf("after %d requests: %v, %v", n, all, err)
		}
		for _, v := range all {
			if _, err := versiontest.Rows(t.Context(), s, v); err != nil {
				t.Errorf("after %d requests, version %d is listed and not whole: %v", n, v.Generation, err)
			}
		}
		if _, err := version.Retain(t.Context(), s, b, 3, 1); err != nil || !slices.Equal(listed(t, s), []int64{3}) {
			t.Errorf("after %d requests, the next removal leaves %v, %v", n, listed(t, s), err)
		}
	}
}

// The numbers of the classes are those that the loaders of class folders use.
func TestClassesAreNumberedByName(t *testing.T) {
	v := state.Version{Settings: state.Settings{Definition: state.Definition{Classes: []string{"Junk", "Common", "Rare"}}},
		Counts: map[string]map[string]int{"train": {"Rare": 1, "Rarr": 2, "": 3}, "test": {"Common": 1}}}
	if got := v.ClassNames(); !slices.Equal(got, []string{"Common", "Junk", "Rare", "Rarr"}) {
		t.Errorf("%q", got)
	}
	for i, name := range v.ClassNames() {
		if v.ClassIndex()[name] != i {
			t.Errorf("%s has the number %d", name, v.ClassIndex()[name])
		}
	}
}

// A version also has the image prefixes of episodes that its run did not plan.
func TestBasesAreInherited(t *testing.T) {
	s, _ := openStore(t)
	digests := map[dataset.Episode]string{"S01E01": "a", "S01E02": "b"}
	publishEmpty(t, s, state.Version{Generation: 1, Digests: digests, Bases: map[dataset.Episode]string{"S01E01": "one/", "S01E02": "two/", "S01E03": "gone/"}})
	v := publishEmpty(t, s, state.Version{Generation: 2, Digests: digests, Bases: map[dataset.Episode]string{"S01E02": "new/"}})
	if want := (map[dataset.Episode]string{"S01E01": "one/", "S01E02": "new/"}); !maps.Equal(v.Bases, want) {
		t.Errorf("%v, want %v", v.Bases, want)
	}
}
