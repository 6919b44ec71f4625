package pull

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
)

// refused is the error of a pull that must not be carried out.
func (w *world) refused(v state.Version, change func(*Options), expected string) {
	w.t.Helper()
	opt := w.options(v)
	if change != nil {
		change(&opt)
	}
	if _, err := Pull(context.Background(), opt); err == nil || !strings.Contains(err.Error(), expected) {
		w.t.Errorf("%v, expected something of %q", err, expected)
	}
}

func TestPullRefusesTheFolderOfSomebodyElse(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	w.write("README.md", "my project")
	w.refused(v, nil, `"README.md" among them`)
	if got := tree(t, w.dir); len(got) != 2 || got["README.md"] != "my project" {
		t.Errorf("the folder has %v", got)
	}
	if _, err := os.Stat(filepath.Join(w.dir, ownDir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written into it: %v", err)
	}
}

func TestPullOneDatasetAfterTheOther(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	only := func(name string) func(*Options) {
		return func(o *Options) { o.Datasets = []string{name} }
	}
	w.refused(v, only("val"), "version 3 has test, train, validate")
	w.pull(v, only("validate"))
	if got := tree(t, w.dir); len(images(got)) != 1 || !strings.Contains(tree(t, w.dir)["README.md"], `"validate/*/*.jpg"`) {
		t.Errorf("validate alone: %v", got)
	}
	w.pull(v, only("train"))
	got := tree(t, w.dir)
	card := got["README.md"]
	if len(images(got)) != 3 || !strings.Contains(card, `"train/*/*.jpg"`) || !strings.Contains(card, `"validate/*/*.jpg"`) {
		t.Errorf("train too: %s", card)
	}
	// Of a newer version one alone would be beside another version's.
	newer := w.publish(4, map[int]stood{2: {trainRare, 1}})
	w.refused(newer, only("train"), "has validate of version 3")
	w.pull(newer, func(o *Options) { o.Datasets, o.Delete = []string{"train"}, true })
	if got := tree(t, w.dir); len(images(got)) != 1 || got["validate.csv"] != "" || strings.Contains(got["README.md"], "validate") {
		t.Errorf("with --delete: %v", got)
	}
}

// Of two pulls into one folder the later one is refused until the first has ended, and has touched
// nothing.
func TestPullKeepsOthersOut(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	second := errors.New("no second pull was tried")
	var before, after map[string]string
	w.bucket.change = func(_ string, nth int, c bucket.Content) (bucket.Content, error) {
		if nth == 1 {
			before = tree(t, w.dir)
			_, second = Pull(context.Background(), w.options(v))
			after = tree(t, w.dir)
		}
		return c, nil
	}
	w.pull(v, func(o *Options) { o.Parallel = 1 })
	if second == nil || !strings.Contains(second.Error(), "another pull writes to "+w.dir) {
		t.Errorf("the second pull: %v", second)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the second pull, -before +after:\n%s", diff)
	}
	if r := w.pull(v, nil); r.Present != 3 {
		t.Errorf("after it: %+v", r)
	}
}

// A link in the folder never leads out of it.
func TestPullStaysInItsFolder(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	w.pull(v, nil)
	outside := t.TempDir()
	victim := filepath.Join(outside, dataset.FrameAt("S01E01", 7).File())
	w.must(os.WriteFile(victim, []byte("theirs"), 0o600))
	w.must(os.RemoveAll(filepath.Join(w.dir, "train", "Rare")))
	w.must(os.Symlink(outside, filepath.Join(w.dir, "train", "Rare")))
	w.refused(v, func(o *Options) { o.Delete = true }, "train/Rare")
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside stands %v, %v", entries, err)
	}
}

// Whoever can write to the bucket can write the objects of a version.
func TestPullOfHostileVersion(t *testing.T) {
	header := "file_name,label,key,etag,source_etag,frame\n"
	row := func(name string) string { return header + name + ",Rare,k,1,1,TT_S01_E01_FRM-00-00-08-12\n" }
	for _, body := range []string{row("train/../TT_S01_E01_FRM-00-00-08-12.jpg"), row("../../TT_S01_E01_FRM-00-00-08-12.jpg"), row("train/Rare/.bashrc"), "", header + "\x00"} {
		w := newWorld(t)
		v := w.format1(w.publish(2, three))
		_, err := w.store.Write(t.Context(), state.VersionName(3, "train.csv"), []byte(body), bucket.Condition{})
		w.must(err)
		w.refused(v, nil, "train.csv")
		if _, err := os.Stat(w.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q: something was written: %v", body, err)
		}
	}
	for _, class := range []string{"..", "../../etc", "a/b", "a\x00b", "a\\b"} {
		w := newWorld(t)
		v := w.publish(3, three)
		v.Classes = append(v.Classes[:len(v.Classes):len(v.Classes)], class)
		w.refused(v, nil, "is no name of a class")
	}
	w := newWorld(t)
	v := w.publish(3, three)
	v.Counts = map[string]map[string]int{"../escape": {"Rare": 1}}
	w.refused(v, nil, "is no name of a dataset")
}

// format1 is the version as a release before format 2 has published it, with the generation 3.
func (w *world) format1(v state.Version) state.Version {
	w.t.Helper()
	rows, err := versiontest.Rows(w.t.Context(), w.store, v)
	w.must(err)
	v.Generation = 3
	v, err = versiontest.PublishFormat1(w.t.Context(), w.store, v, rows)
	w.must(err)
	return v
}

// Under KMS an ETag is no MD5: what was downloaded is noted, so that it need not be downloaded
// again.
func TestPullOfOpaqueETags(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	rows, err := versiontest.Rows(t.Context(), w.store, v)
	w.must(err)
	for i := range rows { // as the version knows them
		rows[i].ETag, rows[i].SrcETag = "kms"+rows[i].ETag, ""
	}
	v.Generation = 4
	v, err = versiontest.Publish(t.Context(), w.store, v, rows)
	w.must(err)
	w.bucket.change = func(_ string, _ int, c bucket.Content) (bucket.Content, error) {
		c.ETag = "kms" + c.ETag
		return c, nil
	}
	opt := func(o *Options) { o.Parallel = 1 }
	if r := w.pull(v, opt); r.Fetched != 3 || r.Unproved != 3 || len(w.bucket.gets) != 4 {
		t.Errorf("%+v in %d GETs, expected one more than there are files", r, len(w.bucket.gets))
	}
	if r := w.pull(v, opt); r.Present != 3 || r.Fetched != 0 {
		t.Errorf("again: %+v", r)
	}
	notes := filepath.Join(w.dir, noteFile)
	body, err := os.ReadFile(notes)
	w.must(err)
	w.must(os.WriteFile(notes, body[:len(body)-9], 0o600)) // killed while it wrote the last one
	for i, want := range []int{1, 0} {
		if r := w.pull(v, opt); r.Fetched != want || r.Present != 3-want {
			t.Errorf("after a line that was cut off, pull %d: %+v", i+1, r)
		}
	}
}

// A body that was garbled on its way is got again.
func TestPullOfGarbledBody(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, map[int]stood{0: {trainRare, 1}})
	garbled := 1
	w.bucket.change = func(_ string, nth int, c bucket.Content) (bucket.Content, error) {
		if nth <= garbled {
			c.Body = []byte("garbled " + strings.Repeat("x", nth))
		}
		return c, nil
	}
	if r := w.pull(v, nil); r.Fetched != 1 || r.Unproved != 0 {
		t.Errorf("%+v", r)
	}
	if got := tree(t, w.dir)[fileAt(trainRare, 0)]; got != imageOf(0, 1) {
		t.Errorf("the file holds %q", got)
	}
	w.dir += "-always"
	garbled = 100
	w.refused(v, nil, "differently each time")
}
