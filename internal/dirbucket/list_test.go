package dirbucket

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// fill makes n frames in one folder, past the bucket.
func fill(t testing.TB, dir string, n int) {
	t.Helper()
	folder := filepath.Join(dir, "frames")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("TT_S01_E01_FRM-%06d.jpg", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPageIs1000Keys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir, 2500)
	b := open(t, dir)
	var sizes []int
	for page, err := range bucket.Pages(t.Context(), b, bucket.ListInput{Prefix: "frames/TT_"}) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.Objects))
	}
	if !slices.Equal(sizes, []int{1000, 1000, 500}) {
		t.Errorf("pages of %d keys", sizes)
	}
}

// TestPagesOfOddKeys is here because not every server of the contract does it.
func TestPagesOfOddKeys(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	want := []string{"a b/%", "a+b %é/ü.jpg", "é/..x", "\uffee", "\U0001f600"}
	for _, key := range want {
		put(t, b, key, "")
	}
	for size := range 4 {
		var got []string
		for page, err := range bucket.Pages(t.Context(), b, bucket.ListInput{MaxKeys: size + 1}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Objects {
				got = append(got, o.Key)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: got %q, want %q", size+1, got, want)
		}
	}
}

// TestCachesForgetChanges edits what has been listed, in each way that an editor or another process
// does.
func TestCachesForgetChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, other := open(t, dir), open(t, dir)
	put(t, b, "a/1", "one")
	path := filepath.Join(dir, "a/1")
	changes := []struct {
		name   string
		change func() error
		want   string
	}{
		{"nothing", func() error { return nil }, "one"},
		{"in place, at once", func() error { return os.WriteFile(path, []byte("two"), 0o600) }, "two"},
		{"with the old time", func() error {
			st, err := os.Stat(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte("six"), 0o600); err != nil {
				return err
			}
			return os.Chtimes(path, st.ModTime(), st.ModTime())
		}, "six"},
		{"by another process", func() error { put(t, other, "a/1", "ten"); return nil }, "ten"},
	}
	for _, c := range changes {
		age(t, path, time.Hour)
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		page, err := b.ListObjects(t.Context(), bucket.ListInput{})
		if err != nil || len(page.Objects) != 1 {
			t.Fatalf("%s: %+v, %v", c.name, page, err)
		}
		if want := etagOf(t, c.want); page.Objects[0].ETag != want {
			t.Errorf("%s: ETag %s, want that of %q", c.name, page.Objects[0].ETag, c.want)
		}
	}
}

func etagOf(t *testing.T, body string) string {
	t.Helper()
	sum, _, err := sumOf(strings.NewReader(body), &strings.Builder{})
	if err != nil {
		t.Fatal(err)
	}
	return sum.etag()
}

func TestCaches(t *testing.T) {
	t.Parallel()
	now := time.Now()
	young := fingerprint{inode: 1, modified: now.Add(-time.Hour).UnixNano(), moved: now.Add(-time.Second).UnixNano()}
	if young.settledBy(now) || !young.settledBy(now.Add(time.Minute)) {
		t.Error("a file that changed a second ago counts as settled")
	}
	var etags etagCache
	etags.put(young, digest{1})
	if got, ok := etags.get(young); !ok || got != (digest{1}) {
		t.Errorf("remembered %v, %v", got, ok)
	}
	var folders folderCache
	for i := range 3 * keptFolders {
		folders.put(fmt.Sprint(i), folder{mark: young, names: []string{"x"}})
	}
	if names, ok := folders.get(fmt.Sprint(3*keptFolders-1), young); !ok || len(names) != 1 || len(folders.kept) > keptFolders {
		t.Errorf("%q, %v, %d folders kept", names, ok, len(folders.kept))
	}
	if _, ok := folders.get(fmt.Sprint(3*keptFolders-1), fingerprint{}); ok {
		t.Error("a changed folder is taken from the cache")
	}
}

// TestCursorCutsAsOnePassDoes compares the binary search with a search of all names.
func TestCursorCutsAsOnePassDoes(t *testing.T) {
	t.Parallel()
	segment := rapid.StringOfN(rapid.RuneFrom([]rune("ab-0")), 1, 3, -1)
	rapid.Check(t, func(t *rapid.T) {
		var names []string
		for _, name := range rapid.SliceOfNDistinct(segment, 0, 8, rapid.ID).Draw(t, "names") {
			if rapid.Bool().Draw(t, "folder") {
				name += "/"
			}
			names = append(names, name)
		}
		slices.Sort(names)
		path := rapid.SampledFrom([]string{"", "a/", "b/a/"}).Draw(t, "path")
		c := cursor{key: strings.Join(rapid.SliceOfN(segment, 0, 3).Draw(t, "key"), "/"), whole: rapid.Bool().Draw(t, "whole")}
		if rapid.Bool().Draw(t, "slash") && c.key != "" {
			c.key += "/"
		}
		var want []string
		for _, name := range names {
			if holdsAfter(path+name, c) {
				want = append(want, name)
			}
		}
		if got := c.after(path, names); !slices.Equal(got, want) {
			t.Fatalf("after %+v in %q: %q of %q, want %q", c, path, got, names, want)
		}
	})
}

// holdsAfter is whether a file, or a folder with any key below it, is behind the cursor.
func holdsAfter(name string, c cursor) bool {
	if c.key == "" && !c.whole {
		return true
	}
	if c.whole && strings.HasPrefix(name, c.key) {
		return false
	}
	return name > c.key || strings.HasSuffix(name, "/") && strings.HasPrefix(c.key, name)
}

func FuzzToken(f *testing.F) {
	f.Add(cursor{key: "a/b"}.token())
	f.Add(cursor{key: "a/", whole: true}.token())
	f.Add("%")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := parseToken(token)
		if err != nil {
			return
		}
		if again, err := parseToken(c.token()); err != nil || again != c {
			t.Errorf("%+v became %+v, %v", c, again, err)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, key := range []string{"a/b", "../a", "a//b", ".tmp/x", "a/..", "é/\x00"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if checkKey(key) == nil && !filepath.IsLocal(filepath.FromSlash(key)) {
			t.Errorf("%q leads out of the folder", key)
		}
	})
}

// BenchmarkList lists an episode's frames again, when their sums are known.
func BenchmarkList(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, 28_800)
	bk := open(b, dir)
	for b.Loop() {
		if n := len(keys(b, bk, "frames/")); n != 28_800 {
			b.Fatal(n)
		}
	}
}

func BenchmarkCopy(b *testing.B) {
	bk := open(b, b.TempDir())
	etag := put(b, bk, "src.jpg", strings.Repeat("x", 20_000))
	for i := 0; b.Loop(); i++ {
		if _, err := bk.CopyObject(b.Context(), "src.jpg", fmt.Sprintf("dst/%d.jpg", i), etag); err != nil {
			b.Fatal(err)
		}
	}
}
