//go:build unix

package dirbucket

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Entries that are not objects are listed once, on any page, and do not hide objects.
func TestSkipped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	for _, key := range []string{"f/a.jpg", "f/d.jpg/x", "f/z.jpg"} {
		put(t, b, key, "content")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink(filepath.Join(dir, "f", "a.jpg"), filepath.Join(dir, "f", "b.jpg")))
	must(syscall.Mkfifo(filepath.Join(dir, "f", "c.jpg"), 0o600))
	must(os.MkdirAll(filepath.Join(dir, "f", "e.jpg"), 0o750))
	must(os.Symlink("nowhere", filepath.Join(dir, "f", "z.jpg.link")))
	want := []bucket.Skipped{
		{Key: "f/b.jpg", Kind: bucket.KindLink}, {Key: "f/c.jpg", Kind: bucket.KindPipe}, {Key: "f/e.jpg/", Kind: bucket.KindFolder},
		{Key: "f/z.jpg.link", Kind: bucket.KindLink},
	}
	for size := range 4 {
		var keys []string
		var skipped []bucket.Skipped
		for page, err := range bucket.Pages(t.Context(), b, bucket.ListInput{Prefix: "f/", MaxKeys: size + 1}) {
			must(err)
			for _, o := range page.Objects {
				keys = append(keys, o.Key)
			}
			skipped = append(skipped, page.Skipped...)
		}
		if diff := cmp.Diff(want, skipped); diff != "" || strings.Join(keys, " ") != "f/a.jpg f/d.jpg/x f/z.jpg" {
			t.Errorf("pages of %d: %q and (-want +got)\n%s", size+1, keys, diff)
		}
	}
	page, err := b.ListObjects(t.Context(), bucket.ListInput{Delimiter: "/"})
	if err != nil || !slices.Equal(page.Prefixes, []string{"f/"}) || len(page.Skipped) > 0 {
		t.Errorf("rolled up: %+v, %v", page, err)
	}
	page, err = b.ListObjects(t.Context(), bucket.ListInput{Prefix: "f/b.jpg"})
	if err != nil || len(page.Skipped) != 1 || len(page.Objects) > 0 {
		t.Errorf("by name: %+v, %v", page, err)
	}
}

// A listing of keys alone reads no file.
func TestKeysOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	put(t, b, "f/a", "content")
	if err := os.Chmod(filepath.Join(dir, "f", "a"), 0); err != nil {
		t.Fatal(err)
	}
	page, err := b.ListObjects(t.Context(), bucket.ListInput{KeysOnly: true})
	if err != nil || len(page.Objects) != 1 || page.Objects[0] != (bucket.Object{Key: "f/a", Size: 7}) {
		t.Errorf("%+v, %v", page, err)
	}
}
