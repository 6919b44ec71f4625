package version_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// tagBucket is the part of a bucket that tags and retention need.
type tagBucket interface {
	state.Bucket
	state.Remover
}

// interposed calls before right before its n-th request, counted from 1.
type interposed struct {
	tagBucket
	before func()

	mu sync.Mutex // other requests wait while before runs
	n  int
}

func (b *interposed) count() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n--; b.n == 0 {
		b.before()
	}
}

func (b *interposed) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	b.count()
	return b.tagBucket.GetObject(ctx, key, ifNoneMatch)
}

func (b *interposed) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	b.count()
	return b.tagBucket.PutObject(ctx, key, body, cond)
}

func (b *interposed) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

func (b *interposed) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	b.count()
	return b.tagBucket.ListObjects(ctx, in)
}

func (b *interposed) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	b.count()
	return b.tagBucket.DeleteObjects(ctx, keys)
}

// tagStores returns a store of each kind of bucket with the versions 1 to 4.
func tagStores(t *testing.T) map[string]*state.Store {
	t.Helper()
	dir, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	return map[string]*state.Store{"folder": tagStore(t, dir), "memory": tagStore(t, &membucket.Bucket{})}
}

func tagStore(t *testing.T, b tagBucket) *state.Store {
	t.Helper()
	s := &state.Store{Bucket: b, Layout: dataset.Layout{Prefix: "tuttle_twins"}}
	for g := range int64(4) {
		publishEmpty(t, s, state.Version{Generation: g + 1, Settings: state.Settings{Datasets: []string{"train"}}})
	}
	return s
}

func deleterOf(s *state.Store) state.Remover { return s.Bucket.(state.Remover) }

// checkTags fails the test when a tag names an incomplete version.
func checkTags(t *testing.T, s *state.Store, when string) map[string]int64 {
	t.Helper()
	all, err := version.Tags(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range all {
		if _, err := s.ReadVersion(t.Context(), g); err != nil {
			t.Errorf("%s: tag %s names version %d: %v", when, name, g, err)
		}
		if _, err := s.Read(t.Context(), state.VersionName(g, "train.csv")); err != nil {
			t.Errorf("%s: tag %s names version %d: %v", when, name, g, err)
		}
	}
	return all
}

func TestTags(t *testing.T) {
	for name, s := range tagStores(t) {
		steps := []struct {
			what    string
			do      func() (version.TagChange, error)
			want    version.TagChange
			refused string
		}{
			{"new", func() (version.TagChange, error) { return version.SetTag(t.Context(), s, "paper-2", 2, false) }, version.TagChange{"paper-2", 0, 2}, ""},
			{"again", func() (version.TagChange, error) { return version.SetTag(t.Context(), s, "paper-2", 2, false) }, version.TagChange{"paper-2", 0, 2}, ""},
			{"a second tag", func() (version.TagChange, error) { return version.SetTag(t.Context(), s, "v1.0_b", 2, false) }, version.TagChange{"v1.0_b", 0, 2}, ""},
			{"taken", func() (version.TagChange, error) { return version.SetTag(t.Context(), s, "paper-2", 3, false) }, version.TagChange{}, "paper-2 already names version 2; add --force to move it to version 3"},
			{"moved", func() (version.TagChange, error) { return version.SetTag(t.Context(), s, "paper-2", 3, true) }, version.TagChange{"paper-2", 2, 3}, ""},
			{"of no version", func() (version.TagChange, error) { return version.SetTag(t.Context(), s, "x", 7, false) }, version.TagChange{}, "version 7 has been removed"},
			{"removed", func() (version.TagChange, error) { return version.RemoveTag(t.Context(), s, "v1.0_b") }, version.TagChange{"v1.0_b", 2, 0}, ""},
			{"removed twice", func() (version.TagChange, error) { return version.RemoveTag(t.Context(), s, "v1.0_b") }, version.TagChange{}, `there is no tag "v1.0_b"`},
		}
		for _, step := range steps {
			got, err := step.do()
			switch {
			case step.refused != "":
				if !errors.Is(err, version.ErrTag) || !strings.Contains(err.Error(), step.refused) {
					t.Errorf("%s, %s: %v, expected %s", name, step.what, err, step.refused)
				}
			case err != nil || got != step.want:
				t.Errorf("%s, %s: %+v, %v, want %+v", name, step.what, got, err, step.want)
			}
		}
		if got := checkTags(t, s, name); !maps.Equal(got, map[string]int64{"paper-2": 3}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCheckTag(t *testing.T) {
	for _, name := range []string{"a", "paper-2", "v1.0", "1.0", "2026-11-23", "A_b.c-D", ".x", strings.Repeat("a", 64)} {
		if err := version.CheckTag(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "3", "007", "99999999999999999999999", "latest", "Latest", "-x", "a b", "a/b", "é", "a\n", "a\x1b[2J", strings.Repeat("a", 65)} {
		if err := version.CheckTag(name); !errors.Is(err, version.ErrTag) || len(err.Error()) > 300 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestRetainKeepsTagged(t *testing.T) {
	for name, s := range tagStores(t) {
		if _, err := version.SetTag(t.Context(), s, "first", 1, false); err != nil {
			t.Fatal(err)
		}
		if gone, err := version.Retain(t.Context(), s, deleterOf(s), 4, 2); err != nil || !slices.Equal(gone, []int64{2}) || !slices.Equal(listed(t, s), []int64{4, 3, 1}) {
			t.Errorf("%s: removed %v, %v; %v stay", name, gone, err, listed(t, s))
		}
		if _, err := version.RemoveTag(t.Context(), s, "first"); err != nil {
			t.Fatal(err)
		}
		if gone, err := version.Retain(t.Context(), s, deleterOf(s), 4, 2); err != nil || !slices.Equal(gone, []int64{1}) {
			t.Errorf("%s, untagged: removed %v, %v", name, gone, err)
		}
		if gone, err := version.Retain(t.Context(), s, deleterOf(s), 4, 2); err != nil || gone != nil {
			t.Errorf("%s, again: removed %v, %v", name, gone, err)
		}
	}
}

// If the tags cannot be read or decoded, every caller gets a clear error. Nothing is removed or
// overwritten.
func TestTagsThatCannotBeRead(t *testing.T) {
	for body, want := range map[string]string{
		"{":                              "unexpected end of JSON input; restore the object's last version",
		`[]`:                             "restore the object's last version",
		`{}`:                             `"v" is 0, expected 1`,
		`{"v":2,"tags":{"a":1}}`:         `"v" is 2, expected 1: use the newer shuffle`,
		`{"v":1,"tags":{"a":0}}`:         `"a" names version 0`,
		`{"v":1,"tags":{"latest":1}}`:    `"latest" names version 1`,
		`{"v":1,"tags":{"\u001b[2J":1}}`: `"\x1b[2J" names version 1`,
		`{"v":1,"tags":{"a":"1"}}`:       "restore the object's last version",
	} {
		for name, s := range tagStores(t) {
			if _, err := s.Write(t.Context(), "versions/tags.json", []byte(body), bucket.Condition{}); err != nil {
				t.Fatal(err)
			}
			_, read := version.Tags(t.Context(), s)
			_, set := version.SetTag(t.Context(), s, "b", 4, true)
			_, removed := version.RemoveTag(t.Context(), s, "a")
			gone, retained := version.Retain(t.Context(), s, deleterOf(s), 4, 1)
			for _, err := range []error{read, set, removed, retained} {
				if err == nil || errors.Is(err, version.ErrTag) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "tuttle_twins/shuffle/versions/tags.json") {
					t.Errorf("%s, %s: %v, expected %s", name, body, err, want)
				}
			}
			if got := listed(t, s); gone != nil || len(got) != 4 {
				t.Errorf("%s, %s: removed %v, %v stay", name, body, gone, got)
			}
			if c, err := s.Read(t.Context(), "versions/tags.json"); err != nil || string(c.Body) != body {
				t.Errorf("%s, %s: is now %s, %v", name, body, c.Body, err)
			}
		}
	}
}

// A whole retention runs before each request of tagging, and a whole tagging before each request of
// retention, as in the table at tags. Either the tag is set and its version stays, or the tag is
// refused.
func TestTagWhileRetaining(t *testing.T) {
	kept, refused := 0, 0
	for n := 1; n <= 14; n++ {
		for _, within := range []string{"tagging", "retention"} {
			inner := &membucket.Bucket{}
			outside := tagStore(t, inner)
			if _, err := version.SetTag(t.Context(), outside, "newest", 4, false); err != nil {
				t.Fatal(err)
			}
			i := &interposed{tagBucket: inner, n: n}
			s := &state.Store{Bucket: i, Layout: outside.Layout}
			var tagErr, retainErr error
			if within == "tagging" {
				i.before = func() {
					_, first := version.Retain(t.Context(), outside, inner, 4, 1)
					// This one finds nothing left to remove.
					_, second := version.Retain(t.Context(), outside, inner, 4, 1)
					retainErr = errors.Join(first, second)
				}
				_, tagErr = version.SetTag(t.Context(), s, "paper", 2, false)
			} else {
				i.before = func() { _, tagErr = version.SetTag(t.Context(), outside, "paper", 2, false) }
				_, retainErr = version.Retain(t.Context(), s, i, 4, 1)
			}
			if i.n > 0 {
				continue // there is no n-th request
			}
			all := checkTags(t, outside, within)
			if retainErr != nil || (tagErr == nil) != (all["paper"] == 2) || tagErr != nil && !errors.Is(tagErr, version.ErrTag) {
				t.Errorf("within %s, request %d: tags %v, %v, %v", within, n, all, tagErr, retainErr)
			}
			if tagErr == nil {
				kept++
			} else {
				refused++
			}
		}
	}
	if kept < 3 || refused < 3 {
		t.Errorf("kept %d times, refused %d times: expected each to come about often", kept, refused)
	}
}

// A retention that stops at any request leaves no incomplete version with a tag. The next retention
// completes the first one, even if it keeps more versions.
func TestTagAfterAnInterruptedRetention(t *testing.T) {
	for n := range 4 {
		for name, s := range tagStores(t) {
			if _, err := version.Retain(t.Context(), s, &cutOff{deleterOf(s), n}, 4, 2); !errors.Is(err, errCutOff) {
				t.Fatalf("cut off after %d requests: %v", n, err)
			}
			if _, err := version.SetTag(t.Context(), s, "late", 1, false); !errors.Is(err, version.ErrTag) {
				t.Errorf("%s, after %d requests: tagged what is being removed: %v", name, n, err)
			}
			if _, err := version.SetTag(t.Context(), s, "kept", 3, false); err != nil {
				t.Errorf("%s, after %d requests: %v", name, n, err)
			}
			if _, err := version.Retain(t.Context(), s, deleterOf(s), 4, 30); err != nil || !slices.Equal(listed(t, s), []int64{4, 3}) {
				t.Errorf("%s, after %d requests, the next retention leaves %v, %v", name, n, listed(t, s), err)
			}
			checkTags(t, s, name)
		}
	}
}

// Two retentions keep different numbers of versions. The one that keeps more does not undo the
// decision of the other.
func TestRetentionsAtOnce(t *testing.T) {
	for n := 1; n <= 12; n++ {
		inner := &membucket.Bucket{}
		outside := tagStore(t, inner)
		i := &interposed{tagBucket: inner, n: n, before: func() {
			if _, err := version.Retain(t.Context(), outside, inner, 4, 3); err != nil {
				t.Error(err)
			}
			if _, err := version.SetTag(t.Context(), outside, "two", 2, false); err != nil && !errors.Is(err, version.ErrTag) {
				t.Error(err)
			}
		}}
		s := &state.Store{Bucket: i, Layout: outside.Layout}
		if _, err := version.Retain(t.Context(), s, i, 4, 1); err != nil {
			t.Errorf("request %d: %v", n, err)
		}
		checkTags(t, outside, "two retentions")
	}
}

// A write whose response is lost is applied once.
func TestTagWithALostAnswer(t *testing.T) {
	for name, s := range tagStores(t) {
		inner := s.Bucket.(tagBucket)
		s.Bucket = &lostAnswer{tagBucket: inner}
		if c, err := version.SetTag(t.Context(), s, "paper", 2, false); err != nil || c != (version.TagChange{"paper", 0, 2}) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		s.Bucket = &lostAnswer{tagBucket: inner}
		if c, err := version.RemoveTag(t.Context(), s, "paper"); err != nil || c != (version.TagChange{"paper", 2, 0}) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// lostAnswer sends the first write twice, like a client that retries after a lost response.
type lostAnswer struct {
	tagBucket
	lost bool
}

func (b *lostAnswer) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	etag, err := b.tagBucket.PutObject(ctx, key, body, cond)
	if b.lost || err != nil {
		return etag, err
	}
	b.lost = true
	return b.tagBucket.PutObject(ctx, key, body, cond)
}

func (b *lostAnswer) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}
