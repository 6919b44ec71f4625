package dirbucket

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

func put(t testing.TB, b *Bucket, key, body string) string {
	t.Helper()
	etag, err := b.PutObject(t.Context(), key, []byte(body), bucket.Condition{})
	if err != nil {
		t.Fatal(err)
	}
	return etag
}

func keys(t testing.TB, b *Bucket, prefix string) (keys []string) {
	t.Helper()
	for page, err := range bucket.Pages(t.Context(), b, bucket.ListInput{Prefix: prefix}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

// age sets the file's times back, so that its sum is remembered.
func age(t testing.TB, path string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func TestObjectsAreFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "bucket")
	b := open(t, dir)
	put(t, b, "ML/train/x.jpg", "image")
	if body, err := os.ReadFile(filepath.Join(dir, "ML/train/x.jpg")); err != nil || string(body) != "image" {
		t.Errorf("file: %q, %v", body, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ML/train/y.jpg"), []byte("by hand"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := b.GetObject(t.Context(), "ML/train/y.jpg", ""); err != nil || string(c.Body) != "by hand" {
		t.Errorf("get: %q, %v", c.Body, err)
	}
	if got := keys(t, b, ""); !slices.Equal(got, []string{"ML/train/x.jpg", "ML/train/y.jpg"}) {
		t.Errorf("listed %q", got)
	}
	if _, err := b.DeleteObjects(t.Context(), keys(t, b, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ML")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the emptied folder is still there: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, tempDir, writePrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestKeysNoFolderTakes(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	put(t, b, "a", "")
	put(t, b, "f/x", "")
	for _, key := range []string{
		"/a", "a/", "x//y", ".", "..", "../a", "x/../a", "x/./a", ".tmp", ".tmp/lock-00", ".TMP/x",
		"a/below", "a/far/below", "f", strings.Repeat("x", 300),
	} {
		_, err := b.PutObject(t.Context(), key, nil, bucket.Condition{})
		if e := (*bucket.Error)(nil); !errors.As(err, &e) || e.Code != bucket.CodeInvalidKey {
			t.Errorf("put %.20q: %v, want %s", key, err, bucket.CodeInvalidKey)
		}
	}
	for _, prefix := range []string{"/", "../", "x//", ".tmp/", ".", "./", "a/"} {
		if got := keys(t, b, prefix); len(got) > 0 {
			t.Errorf("prefix %q lists %q", prefix, got)
		}
	}
	if got := keys(t, b, ""); !slices.Equal(got, []string{"a", "f/x"}) {
		t.Errorf("listed %q", got)
	}
}

func TestEmptyFolderInTheWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o750); err != nil {
		t.Fatal(err)
	}
	put(t, b, "a/b", "object")
	if got := keys(t, b, ""); !slices.Equal(got, []string{"a/b"}) {
		t.Errorf("listed %q", got)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	b := open(t, dir)
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"out": outside, "file": filepath.Join(outside, "secret")} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := keys(t, b, ""); len(got) > 0 {
		t.Errorf("listed %q", got)
	}
	if _, err := b.ListObjects(t.Context(), bucket.ListInput{Prefix: "out/"}); err == nil {
		t.Error("a link out of the folder was listed")
	}
	_, err := b.GetObject(t.Context(), "file", "")
	wantCode(t, err, bucket.CodeNoSuchKey)
	_, err = b.GetObject(t.Context(), "out/secret", "")
	wantCode(t, err, bucket.CodeAccessDenied)
	_, err = b.PutObject(t.Context(), "out/new", nil, bucket.Condition{})
	wantCode(t, err, bucket.CodeAccessDenied)
	failed, err := b.DeleteObjects(t.Context(), []string{"out/secret"})
	if err != nil || len(failed) != 1 || failed[0].Code != bucket.CodeAccessDenied {
		t.Errorf("delete: %v, %v", failed, err)
	}
	put(t, b, "file", "replaces the link")
	if body, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(body) != "secret" {
		t.Errorf("outside: %q, %v", body, err)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if e := (*bucket.Error)(nil); !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

func TestOpenRemovesWhatDeadProcessesLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, tempDir), dirMode); err != nil {
		t.Fatal(err)
	}
	for name, by := range map[string]time.Duration{"write-old": 2 * time.Hour, "write-new": 0, "lock-00": 2 * time.Hour} {
		path := filepath.Join(dir, tempDir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		age(t, path, by)
	}
	open(t, dir)
	entries, err := os.ReadDir(filepath.Join(dir, tempDir))
	if err != nil || len(entries) != 2 || entries[0].Name() != "lock-00" || entries[1].Name() != "write-new" {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestReadingWritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	if page, err := b.ListObjects(t.Context(), bucket.ListInput{}); err != nil || len(page.Objects) > 0 {
		t.Errorf("listed %v, %v", page, err)
	}
	_, err := b.GetObject(t.Context(), "a/b", "")
	wantCode(t, err, bucket.CodeNoSuchKey)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("in the folder: %v, %v", entries, err)
	}
}

func TestTempFolderRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	put(t, b, "a/a", "")
	if err := os.RemoveAll(filepath.Join(dir, tempDir)); err != nil {
		t.Fatal(err)
	}
	put(t, b, "a/b", "")
}

func TestBadToken(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	for _, token := range []string{"%", "eA", "x"} {
		_, err := b.ListObjects(t.Context(), bucket.ListInput{Token: token})
		wantCode(t, err, "InvalidArgument")
	}
}

// TestProcesses counts up from several processes at once: this test binary, started again.
func TestProcesses(t *testing.T) {
	const env, processes, updates = "DIRBUCKET_TEST_DIR", 3, 20
	if dir := os.Getenv(env); dir != "" {
		b := open(t, dir)
		for range updates {
			count(t, b)
		}
		return
	}
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	put(t, b, "n", "0")
	var started []*exec.Cmd
	for range processes {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcesses$")
		cmd.Env = append(os.Environ(), env+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started = append(started, cmd)
	}
	for _, cmd := range started {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	c, err := b.GetObject(t.Context(), "n", "")
	if want := fmt.Sprint(processes * updates); err != nil || string(c.Body) != want {
		t.Errorf("counted to %s, %v; want %s", c.Body, err, want)
	}
}

func count(t *testing.T, b *Bucket) {
	t.Helper()
	for {
		c, err := b.GetObject(t.Context(), "n", "")
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(string(c.Body))
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.PutObject(t.Context(), "n", []byte(strconv.Itoa(n+1)), bucket.Condition{IfMatch: c.ETag})
		if err == nil {
			return
		}
		if !errors.Is(err, bucket.ErrPrecondition) {
			t.Fatal(err)
		}
	}
}
