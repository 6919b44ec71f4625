package pull

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a bucket with images and dataset versions, and a folder to pull to.
type world struct {
	t      testing.TB
	bucket *tap
	store  *state.Store
	dir    string
}

// tap is a bucket that counts the downloaded images, and changes the chosen ones.
type tap struct {
	*dirbucket.Bucket
	mu   sync.Mutex
	gets []string
	// change, when set, changes the answer to the nth GET of an image, from 1.
	change func(key string, nth int, c bucket.Content) (bucket.Content, error)
}

func (b *tap) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	c, err := b.Bucket.GetObject(ctx, key, ifNoneMatch)
	if !strings.HasSuffix(key, ".jpg") {
		return c, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gets = append(b.gets, key)
	if err == nil && b.change != nil {
		return b.change(key, len(b.gets), c)
	}
	return c, err
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	b, err := dirbucket.Open(filepath.Join(dir, "bucket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	tapped := &tap{Bucket: b}
	return &world{t: t, bucket: tapped, store: &state.Store{Bucket: tapped, Layout: layout}, dir: filepath.Join(dir, "out")}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func imageOf(i, content int) string { return fmt.Sprintf("image %d, %d", i, content) }

// stood is frame i of a version: its place, and the content of its image.
type stood struct {
	place   dataset.Place
	content int
}

// publish makes the datasets these images, and a version of them.
func (w *world) publish(generation int64, images map[int]stood) state.Version {
	w.t.Helper()
	var rows []version.Row
	for page, err := range bucket.Pages(context.Background(), w.bucket, bucket.ListInput{Prefix: layout.ML()}) {
		w.must(err)
		for _, o := range page.Objects {
			_, err := w.bucket.DeleteObjects(context.Background(), []string{o.Key})
			w.must(err)
		}
	}
	for i, im := range images {
		r := version.Row{Place: im.place, Frame: dataset.FrameAt("S01E01", i)}
		var err error
		r.ETag, err = w.bucket.PutObject(context.Background(), layout.Key(r.Place, r.Frame), []byte(imageOf(i, im.content)), bucket.Condition{})
		w.must(err)
		r.SrcETag = r.ETag
		rows = append(rows, r)
	}
	v, err := versiontest.Publish(context.Background(), w.store, state.Version{Generation: generation, Run: "20261123T212443Z-1", Settings: settings,
		Digests: map[dataset.Episode]string{"S01E01": "x"}, Bases: map[dataset.Episode]string{"S01E01": base}}, rows)
	w.must(err)
	return v
}

// source writes source images.
func (w *world) source(content int, frames ...int) {
	w.t.Helper()
	for _, i := range frames {
		_, err := w.bucket.PutObject(context.Background(), base+dataset.FrameAt("S01E01", i).File(), []byte(imageOf(i, content)), bucket.Condition{})
		w.must(err)
	}
}

func (w *world) options(v state.Version) Options {
	return Options{Store: w.store, Bucket: w.bucket, Version: v, Dir: w.dir, Parallel: 4}
}

// pull pulls; the result must be whole.
func (w *world) pull(v state.Version, change func(*Options)) Result {
	w.t.Helper()
	opt := w.options(v)
	if change != nil {
		change(&opt)
	}
	r, err := Pull(context.Background(), opt)
	w.must(err)
	return r
}

// tree is every file and folder below the folder except for the pull's own, with its content.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return err
		case name == ownDir:
			return fs.SkipDir
		case e.IsDir():
			all[name+"/"] = ""
			return nil
		}
		body, err := os.ReadFile(path)
		all[name] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func images(all map[string]string) map[string]string {
	maps.DeleteFunc(all, func(name, _ string) bool { return !strings.HasSuffix(name, ".jpg") })
	return all
}

func (w *world) write(name, body string) {
	w.t.Helper()
	w.must(os.MkdirAll(filepath.Dir(filepath.Join(w.dir, name)), 0o755))
	w.must(os.WriteFile(filepath.Join(w.dir, name), []byte(body), 0o600))
}

var three = map[int]stood{0: {trainRare, 1}, 1: {trainCommon, 1}, 2: {validateRare, 1}}

func fileAt(p dataset.Place, i int) string {
	return p.String() + "/" + dataset.FrameAt("S01E01", i).File()
}
