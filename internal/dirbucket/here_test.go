package dirbucket

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// A folder that is removed is not an empty bucket, and one that is made again is the bucket.
func TestFolderComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close() //nolint:errcheck // The test is over.
	put := func(body string) error {
		_, err := b.PutObject(t.Context(), "a/x", []byte(body), bucket.Condition{})
		return err
	}
	if err := put("first"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, get := b.GetObject(t.Context(), "a/x", "")
	_, head := b.HeadObject(t.Context(), "a/x")
	_, list := b.ListObjects(t.Context(), bucket.ListInput{})
	_, deleted := b.DeleteObjects(t.Context(), []string{"a/x"})
	for name, err := range map[string]error{"get": get, "head": head, "list": list, "delete": deleted, "put": put("lost")} {
		if err == nil || errors.Is(err, bucket.ErrNotFound) {
			t.Errorf("%s while the folder is gone: %v", name, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a", "y"), []byte("restored"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := b.GetObject(t.Context(), "a/y", ""); err != nil || string(c.Body) != "restored" {
		t.Errorf("once the folder is there again: %q, %v", c.Body, err)
	}
	if err := put("second"); err != nil {
		t.Error(err)
	}
	if page, err := b.ListObjects(t.Context(), bucket.ListInput{}); err != nil || len(page.Objects) != 2 {
		t.Errorf("%d objects, %v; expected 2", len(page.Objects), err)
	}
}
