package version_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

func memStore() *state.Store {
	return &state.Store{Bucket: &membucket.Bucket{}, Layout: dataset.Layout{Prefix: "tt"}}
}

// anyRows draws rows of three episodes, some of them twice. Some folders have odd names, and some
// cells are formulas for a spreadsheet.
func anyRows(t *rapid.T) []version.Row {
	names := []string{"train", "train-2", "test"}
	classes := []string{"", "Rare", "Rare!", "=1", `a "b", c`, "Junk"}
	episodes := []dataset.Episode{"S01E01", "S01E02", "S02E01"}
	seen := map[string]bool{}
	var rows []version.Row
	for range rapid.IntRange(0, 30).Draw(t, "rows") {
		r := version.Row{
			Place: dataset.Place{Dataset: rapid.SampledFrom(names).Draw(t, "dataset"), Class: rapid.SampledFrom(classes).Draw(t, "class")},
			Frame: dataset.FrameAt(rapid.SampledFrom(episodes).Draw(t, "episode"), rapid.IntRange(0, 9).Draw(t, "frame")),
			ETag:  rapid.SampledFrom([]string{"e1", "e2", "-3"}).Draw(t, "etag"), SrcETag: rapid.SampledFrom([]string{"", "s"}).Draw(t, "source"),
		}
		if !seen[r.File()] {
			seen[r.File()] = true
			rows = append(rows, r)
		}
	}
	return rows
}

func byFile(rows []version.Row) []version.Row {
	return slices.SortedFunc(slices.Values(rows), func(a, b version.Row) int { return strings.Compare(a.File(), b.File()) })
}

// Both formats give the same rows. Their CSV files are equal to the byte, so that an earlier
// release can read the new ones.
func TestFormatsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := anyRows(t)
		of := state.Version{Generation: 3, Settings: state.Settings{Datasets: []string{"train", "train-2", "test"}}}
		old, now := memStore(), memStore()
		v1, err1 := versiontest.PublishFormat1(context.Background(), old, of, rows)
		v2, err2 := versiontest.Publish(context.Background(), now, of, rows)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if v1.V != 1 || v2.V != 2 || v1.Frames != v2.Frames || !cmp.Equal(v1.Counts, v2.Counts) {
			t.Fatalf("format 1: %+v\nformat 2: %+v", v1, v2)
		}
		for _, name := range of.Datasets {
			a, err1 := old.Read(context.Background(), state.VersionName(3, name+".csv"))
			b, err2 := now.Read(context.Background(), state.VersionName(3, name+".csv"))
			if err := errors.Join(err1, err2); err != nil || string(a.Body) != string(b.Body) {
				t.Fatalf("%s.csv: %v\nformat 1:\n%s\nformat 2:\n%s", name, err, a.Body, b.Body)
			}
		}
		for _, s := range []struct {
			*state.Store
			v state.Version
		}{{old, v1}, {now, v2}} {
			got, err := versiontest.Rows(context.Background(), s.Store, s.v)
			if diff := cmp.Diff(byFile(rows), byFile(got)); diff != "" || err != nil {
				t.Fatalf("format %d: %v, -want +got:\n%s", s.v.V, err, diff)
			}
		}
		c1, err1 := version.Open(context.Background(), old, v1)
		c2, err2 := version.Open(context.Background(), now, v2)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		for _, e := range []dataset.Episode{"S01E01", "S01E02", "S02E01"} {
			a, err1 := c1.Part(context.Background(), e)
			b, err2 := c2.Part(context.Background(), e)
			if err := errors.Join(err1, err2); err != nil || (a == nil) != (b == nil) {
				t.Fatalf("%s: %v", e, err)
			}
			if a != nil && (a.SHA256 != b.SHA256 || a.Rows != b.Rows || a.Frames != b.Frames || !cmp.Equal(a.Counts, b.Counts)) {
				t.Fatalf("%s: %+v of the CSV files, %+v of the part", e, a.Entry, b.Entry)
			}
		}
	})
}

var twoEpisodes = []version.Row{
	{Place: dataset.Place{Dataset: "train", Class: "Rare"}, Frame: dataset.FrameAt("S01E01", 0), ETag: "a", SrcETag: "a"},
	{Place: dataset.Place{Dataset: "test", Class: "Rare"}, Frame: dataset.FrameAt("S01E02", 0), ETag: "b", SrcETag: "b"},
}

// If objects of a version are missing or damaged, its CSV files still have all rows.
func TestContentsOfADamagedVersion(t *testing.T) {
	part := func(t *testing.T, s *state.Store) string {
		t.Helper()
		names, err := s.Names(t.Context(), state.VersionName(3, "parts/"))
		if err != nil || len(names) != 2 {
			t.Fatalf("%q, %v", names, err)
		}
		return "parts/" + names[0]
	}
	snapshot := func(*testing.T, *state.Store) string { return "snapshot.json" }
	other := func(s *state.Store, name string) []byte {
		c, _ := s.Read(context.Background(), state.VersionName(3, name))
		return c.Body
	}
	for _, test := range []struct {
		name string
		of   func(*testing.T, *state.Store) string
		body func(s *state.Store, name string) []byte // nil: the object is deleted
	}{
		{"a part is gone", part, nil},
		{"a part is empty", part, func(*state.Store, string) []byte { return nil }},
		{"a part is cut off", part, func(s *state.Store, name string) []byte { return other(s, name)[:20] }},
		{"a part has other rows", part, func(*state.Store, string) []byte { return state.Pack([]byte("other rows\n")) }},
		{"the snapshot is gone", snapshot, nil},
		{"the snapshot is cut off", snapshot, func(s *state.Store, name string) []byte { return other(s, name)[:20] }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := memStore()
			v, err := versiontest.Publish(t.Context(), s, state.Version{Generation: 3, Settings: state.Settings{Datasets: []string{"train", "test"}}}, twoEpisodes)
			if err != nil {
				t.Fatal(err)
			}
			key := s.Layout.State() + state.VersionName(3, test.of(t, s))
			if test.body == nil {
				_, err = s.Bucket.(state.Remover).DeleteObjects(t.Context(), []string{key})
			} else {
				_, err = s.Bucket.PutObject(t.Context(), key, test.body(s, test.of(t, s)), bucket.Condition{})
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := versiontest.Rows(t.Context(), s, v)
			if diff := cmp.Diff(byFile(twoEpisodes), byFile(got)); diff != "" || err != nil {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
			csv := s.Layout.State() + state.VersionName(3, "train.csv")
			if _, err := s.Bucket.(state.Remover).DeleteObjects(t.Context(), []string{csv}); err != nil {
				t.Fatal(err)
			}
			if _, err := versiontest.Rows(t.Context(), s, v); !state.Lost(err) {
				t.Errorf("without the CSV file too: %v", err)
			}
		})
	}
}

// In format 1, a deleted CSV file is rebuilt.
func TestFormat1WithoutCSV(t *testing.T) {
	s := newStore(t)
	v, err := versiontest.PublishFormat1(t.Context(), s, state.Version{Generation: 3, Settings: state.Settings{Datasets: []string{"train", "test", "validate"}}}, twoEpisodes)
	if err != nil {
		t.Fatal(err)
	}
	remove := func(file string) {
		if _, err := s.Bucket.(state.Remover).DeleteObjects(t.Context(), []string{s.Layout.State() + state.VersionName(3, file)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range v.Datasets {
		remove(name + ".csv")
	}
	got, err := versiontest.Rows(t.Context(), s, v)
	if diff := cmp.Diff(byFile(twoEpisodes), byFile(got)); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	remove("snapshot.jsonl.zst")
	_, err = versiontest.Rows(t.Context(), s, v)
	if !errors.Is(err, bucket.ErrNotFound) || !strings.Contains(err.Error(), "restore one of them, or plan without earlier versions by deleting tuttle_twins/shuffle/versions/latest.json") {
		t.Errorf("without both: %v", err)
	}
}

func TestVersionOfANewerRelease(t *testing.T) {
	if _, err := version.Open(t.Context(), memStore(), state.Version{V: 3, Generation: 7}); err == nil || !strings.Contains(err.Error(), "install the newer release") {
		t.Errorf("%v", err)
	}
}
