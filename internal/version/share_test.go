package version_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// stopping allows a number of writes and deletes, and then fails.
type stopping struct {
	*membucket.Bucket
	left atomic.Int64
}

var errStopped = errors.New("the process was killed")

func (b *stopping) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	if b.left.Add(-1) < 0 {
		return "", errStopped
	}
	return b.Bucket.PutObject(ctx, key, body, cond)
}

func (b *stopping) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

func (b *stopping) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	if b.left.Add(-1) < 0 {
		return nil, errStopped
	}
	return b.Bucket.DeleteObjects(ctx, keys)
}

// contents has one row for each episode, with this ETag.
type contents map[dataset.Episode]string

var sharedEpisodes = []dataset.Episode{"S01E01", "S01E02", "S01E03"}

func (c contents) part(t interface{ Fatal(...any) }, l dataset.Layout, e dataset.Episode, source string) *version.Part {
	row := version.Row{Place: dataset.Place{Dataset: "train", Class: "Rare"}, Frame: dataset.FrameAt(e, 1), ETag: c[e], SrcETag: source}
	p, err := version.NewPart(l, e, []version.Row{row})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// publishShared publishes a version like a tracker: it reuses the unchanged parts of the latest
// version.
func publishShared(t interface{ Fatal(...any) }, s *state.Store, generation int64, now contents, source string) error {
	ctx := context.Background()
	parent, err := version.OpenLatest(ctx, s)
	if err != nil {
		return err
	}
	v := state.Version{Generation: generation, Settings: state.Settings{Datasets: []string{"train"}}, Digests: map[dataset.Episode]string{}}
	parts, before := version.Parts{}, state.Version{}
	if parent != nil {
		before = parent.Version
	}
	for e, etag := range now {
		v.Digests[e] = etag
		if before.Digests[e] == etag {
			if parts[e], err = parent.Stored(ctx, e); err != nil {
				return fmt.Errorf("%s of version %d: %w", e, before.Generation, err)
			}
			continue
		}
		parts[e] = now.part(t, s.Layout, e, source)
	}
	_, err = version.Publish(ctx, s, v, before, parts)
	return err
}

// checkShared fails unless each complete version has its rows in the parts that it refers to.
func checkShared(t interface{ Fatalf(string, ...any) }, s *state.Store, want map[int64]contents, when string) {
	ctx := context.Background()
	all, err := s.Versions(ctx)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	for _, v := range all {
		c, err := version.Open(ctx, s, v)
		if err != nil {
			t.Fatalf("%s: version %d: %v", when, v.Generation, err)
		}
		got := contents{}
		for _, e := range sharedEpisodes {
			p, err := c.Stored(ctx, e)
			if err != nil {
				t.Fatalf("%s: version %d of %v: %v", when, v.Generation, all, err)
			}
			rows, err := p.Read(s.Layout)
			if err != nil || len(rows) != 1 {
				t.Fatalf("%s: version %d: %v, %v", when, v.Generation, rows, err)
			}
			got[e] = rows[0].ETag
		}
		if diff := cmp.Diff(want[v.Generation], got); diff != "" {
			t.Fatalf("%s: version %d, -want +got:\n%s", when, v.Generation, diff)
		}
	}
}

// Runs publish, tag and retain in any order, and are killed at any request. Every complete version
// has all its parts, and parts without a version are removed.
func TestSharedParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &membucket.Bucket{}
		s := &state.Store{Bucket: b, Layout: dataset.Layout{Prefix: "tt"}}
		now, want, generation := contents{}, map[int64]contents{}, int64(0)
		for _, e := range sharedEpisodes {
			now[e] = "0"
		}
		stop := func() *state.Store { // kills the process at some write, or never
			stops := &stopping{Bucket: b}
			stops.left.Store(rapid.SampledFrom([]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99}).Draw(t, "killed after writes"))
			return &state.Store{Bucket: stops, Layout: s.Layout}
		}
		must := func(err error) {
			if err != nil && !errors.Is(err, errStopped) && !errors.Is(err, version.ErrTag) {
				t.Fatal(err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				generation++
				for _, e := range sharedEpisodes {
					if rapid.IntRange(0, 2).Draw(t, "changes") == 0 {
						now[e] = rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(t, "content")
					}
				}
				want[generation] = maps.Clone(now)
				must(publishShared(t, stop(), generation, now, "one"))
				if rapid.Bool().Draw(t, "another tracker goes on") {
					must(publishShared(t, s, generation, now, "another"))
				}
			},
			"retain": func(t *rapid.T) {
				latest, err := s.LatestVersion(context.Background())
				if errors.Is(err, bucket.ErrNotFound) {
					return
				}
				must(err)
				killed := stop()
				keep := rapid.IntRange(1, 3).Draw(t, "keep")
				_, err = version.Retain(context.Background(), killed, killed.Bucket.(state.Remover), latest.Generation, keep)
				must(err)
			},
			"tag": func(t *rapid.T) {
				_, err := version.SetTag(context.Background(), s, "paper", rapid.Int64Range(1, generation+1).Draw(t, "version"), true)
				must(err)
			},
			"untag": func(*rapid.T) {
				_, err := version.RemoveTag(context.Background(), s, "paper")
				must(err)
			},
			"": func(t *rapid.T) { checkShared(t, s, want, "then") },
		})
		if latest, err := s.LatestVersion(context.Background()); err == nil {
			_, err = version.Retain(context.Background(), s, b, latest.Generation, 1)
			must(err)
			checkShared(t, s, want, "in the end")
			checkGarbage(t, s, latest.Generation)
		}
	})
}

// checkGarbage fails when a folder before the latest version, and without a version, has a part
// that no version refers to.
func checkGarbage(t interface{ Fatalf(string, ...any) }, s *state.Store, latest int64) {
	ctx := context.Background()
	all, err := s.Versions(ctx)
	if err != nil {
		t.Fatalf("%v", err)
	}
	needed := map[string]bool{}
	for _, v := range all {
		c, err := version.Open(ctx, s, v)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, e := range sharedEpisodes {
			entry, _ := c.Entry(e)
			needed[fmt.Sprintf("%d/parts/%s-%s.csv.zst", entry.Folder, e, entry.SHA256[:16])] = true
		}
	}
	prefix := s.Layout.State() + "versions/"
	for page, err := range bucket.Pages(ctx, s.Bucket, bucket.ListInput{Prefix: prefix}) {
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, o := range page.Objects {
			folder, name, ok := strings.Cut(strings.TrimPrefix(o.Key, prefix), "/")
			g, err := strconv.ParseInt(folder, 10, 64)
			whole := slices.ContainsFunc(all, func(v state.Version) bool { return v.Generation == g })
			if ok && err == nil && !whole && g < latest && !needed[folder+"/"+name] {
				t.Fatalf("%s is left", o.Key)
			}
		}
	}
}

// Before each request of a publication or a retention, other operations run completely: a
// retention, publications, or publications that are each followed by their own retention.
func TestRetainWhilePublishing(t *testing.T) {
	sequence := []contents{{"S01E01": "1", "S01E02": "1", "S01E03": "1"}, {"S01E01": "1", "S01E02": "2", "S01E03": "1"},
		{"S01E01": "1", "S01E02": "2", "S01E03": "3"}, {"S01E01": "1", "S01E02": "2", "S01E03": "4"},
		{"S01E01": "1", "S01E02": "5", "S01E03": "4"}, // with parts of the versions 1 and 4
		{"S01E01": "1", "S01E02": "6", "S01E03": "4"}}
	want := map[int64]contents{}
	for i, c := range sequence {
		want[int64(i+1)] = c
	}
	publish := func(s *state.Store, g int64) error { return publishShared(t, s, g, want[g], "one") }
	retain := func(s *state.Store, latest int64) error {
		_, err := version.Retain(t.Context(), s, deleterOf(s), latest, 1)
		return err
	}
	const published = 4
	for _, test := range []struct {
		name   string
		outer  func(*state.Store) error
		inner  func(*state.Store) error
		latest int64
	}{
		{"a retention within a publication",
			func(s *state.Store) error { return publish(s, published+1) },
			func(s *state.Store) error { return retain(s, published) }, published + 1},
		{"a publication within a retention",
			func(s *state.Store) error { return retain(s, published) },
			func(s *state.Store) error { return publish(s, published+1) }, published + 1},
		{"a publication and its retention within a retention",
			func(s *state.Store) error { return retain(s, published) },
			func(s *state.Store) error { return errors.Join(publish(s, published+1), retain(s, published+1)) }, published + 1},
		{"two publications with their retentions within a retention",
			func(s *state.Store) error { return retain(s, published) },
			func(s *state.Store) error {
				return errors.Join(publish(s, published+1), retain(s, published+1), publish(s, published+2), retain(s, published+2))
			}, published + 2},
	} {
		for n := 1; ; n++ {
			b := &membucket.Bucket{}
			s := &state.Store{Bucket: b, Layout: dataset.Layout{Prefix: "tt"}}
			for g := range int64(published) {
				if err := publish(s, g+1); err != nil {
					t.Fatal(err)
				}
			}
			var inner error
			i := &interposed{tagBucket: b, n: n, before: func() { inner = test.inner(s) }}
			err := test.outer(&state.Store{Bucket: i, Layout: s.Layout})
			if i.n > 0 {
				if n < 8 {
					t.Errorf("%s: there are %d requests", test.name, n)
				}
				break // there is no n-th request
			}
			when := fmt.Sprintf("%s, before request %d", test.name, n)
			// A retention that loses a snapshot to another one removes no parts, and reports that.
			if inner != nil || err != nil && !errors.Is(err, bucket.ErrNotFound) {
				t.Errorf("%s: %v", when, errors.Join(err, inner))
			}
			checkShared(t, s, want, when)
			if latest, err := s.LatestVersion(t.Context()); err != nil || latest.Generation != test.latest {
				t.Errorf("%s: the latest is %d, %v", when, latest.Generation, err)
			}
			if err := retain(s, test.latest); err != nil {
				t.Errorf("%s: %v", when, err)
			}
			checkShared(t, s, want, when+", and then")
			checkGarbage(t, s, test.latest)
		}
	}
}

// While the parts that a version needs are unknown, Retain removes none.
func TestRetainKeepsWhatMayBeNeeded(t *testing.T) {
	b := &membucket.Bucket{}
	s := &state.Store{Bucket: b, Layout: dataset.Layout{Prefix: "tt"}}
	for g := int64(1); g <= 3; g++ {
		if err := publishShared(t, s, g, contents{"S01E01": "1", "S01E02": fmt.Sprint(g), "S01E03": "1"}, "one"); err != nil {
			t.Fatal(err)
		}
	}
	name := state.VersionName(3, "snapshot.json")
	whole, err := s.Read(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	write := func(body []byte) {
		if _, err := s.Write(t.Context(), name, body, bucket.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	write(whole.Body[:50])
	if _, err := version.Retain(t.Context(), s, b, 3, 1); !errors.Is(err, state.ErrDamaged) {
		t.Errorf("%v", err)
	}
	write(whole.Body)
	checkShared(t, s, map[int64]contents{3: {"S01E01": "1", "S01E02": "3", "S01E03": "1"}}, "after it")
	if _, err := version.Retain(t.Context(), s, b, 3, 1); err != nil {
		t.Error(err)
	}
	checkGarbage(t, s, 3)
}
