package pull

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const base = "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"

var (
	layout       = dataset.Layout{Prefix: "tuttle_twins"}
	settings     = state.Settings{Definition: state.Definition{Seed: "seed", Split: "train=0.7,validate=0.1,test=0.2", Classes: []string{"Junk", "Common", "Rare"}}, Datasets: []string{"train", "validate", "test"}}
	trainRare    = dataset.Place{Dataset: "train", Class: "Rare"}
	trainCommon  = dataset.Place{Dataset: "train", Class: "Common"}
	validateRare = dataset.Place{Dataset: "validate", Class: "Rare"}
)

func TestPull(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	r := w.pull(v, nil)
	if want := (Result{Version: 3, Digest: r.Digest, Dir: w.dir, Frames: 3, Fetched: 3, Bytes: 30, Failed: []Failure{}}); cmp.Diff(want, r) != "" {
		t.Error(cmp.Diff(want, r))
	}
	got := tree(t, w.dir)
	if got["classes.json"] != "{\n \"classes\": {\n  \"Common\": 0,\n  \"Junk\": 1,\n  \"Rare\": 2\n }\n}\n" {
		t.Errorf("classes.json is %s", got["classes.json"])
	}
	want := []string{"./", "README.md", "classes.json", LockName, "test.csv", "train.csv", "validate.csv"}
	for _, name := range settings.Datasets {
		want = append(want, name+"/")
		// In every dataset, so that loaders number them alike.
		for _, class := range settings.Classes {
			want = append(want, name+"/"+class+"/")
		}
	}
	for i, im := range three {
		want = append(want, fileAt(im.place, i))
		if got[fileAt(im.place, i)] != imageOf(i, im.content) {
			t.Errorf("frame %d holds %q", i, got[fileAt(im.place, i)])
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, name := range settings.Datasets {
		c, err := w.store.Read(t.Context(), state.VersionName(3, name+".csv"))
		if err != nil || got[name+".csv"] != string(c.Body) {
			t.Errorf("%s.csv is %q, %v", name, got[name+".csv"], err)
		}
	}
}

// Somebody may have deleted what is beside the version for people to read.
func TestPullWithoutCSV(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	w.pull(v, nil)
	before := tree(t, w.dir)
	if _, err := w.bucket.DeleteObjects(t.Context(), []string{layout.State() + state.VersionName(3, "train.csv")}); err != nil {
		t.Fatal(err)
	}
	w.dir = t.TempDir()
	w.pull(v, nil)
	if diff := cmp.Diff(before, tree(t, w.dir)); diff != "" {
		t.Errorf("-with it +without:\n%s", diff)
	}
}

func TestPullAgain(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	w.pull(v, nil)
	before, gets := tree(t, w.dir), len(w.bucket.gets)
	if r := w.pull(v, nil); r.Fetched != 0 || r.Present != 3 || len(w.bucket.gets) != gets {
		t.Errorf("pulled %+v with %d GETs", r, len(w.bucket.gets)-gets)
	}
	if diff := cmp.Diff(before, tree(t, w.dir)); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
	w.write(fileAt(trainRare, 0), "edited by hand")
	if r := w.pull(v, nil); r.Fetched != 1 || r.Present != 2 {
		t.Errorf("after an edit: %+v", r)
	}
	if diff := cmp.Diff(before, tree(t, w.dir)); diff != "" {
		t.Errorf("after an edit, -before +after:\n%s", diff)
	}
}

// What has become of an object since the version was made, and what of its source image.
func TestPullOfWhatHasChanged(t *testing.T) {
	tests := []struct {
		name    string
		now     map[int]stood
		source  int // content of the source image; 0: none
		fetched int
		problem string
	}{
		{"as it was", map[int]stood{0: {trainRare, 1}}, 0, 1, ""},
		{"relabelled, the source is as it was", map[int]stood{0: {trainCommon, 1}}, 1, 1, ""},
		{"repainted, nobody has the old image", map[int]stood{0: {trainRare, 2}}, 2, 0, "has changed since"},
		{"gone, the source is repainted", nil, 2, 0, "is gone; nor is its source to be had"},
		{"gone, and so is the source", nil, 0, 0, "is gone; nor is its source to be had"},
	}
	for _, test := range tests {
		w := newWorld(t)
		v := w.publish(3, map[int]stood{0: {trainRare, 1}})
		w.publish(4, test.now)
		if test.source > 0 {
			w.source(test.source, 0)
		}
		r := w.pull(v, nil)
		if r.Fetched != test.fetched || r.Whole() != (test.problem == "") {
			t.Errorf("%s: %+v", test.name, r)
		}
		if test.problem == "" {
			continue
		}
		if len(r.Failed) != 1 || r.Failed[0].File != fileAt(trainRare, 0) || !strings.Contains(r.Failed[0].Problem, test.problem) {
			t.Errorf("%s: %+v, expected %q", test.name, r.Failed, test.problem)
		}
		if got := images(tree(t, w.dir)); len(got) != 0 {
			t.Errorf("%s: the folder has %v", test.name, got)
		}
	}
}

// Of an old version every file may be lost. Only the first are named.
func TestPullNamesFirstLostFiles(t *testing.T) {
	w, rows := newWorld(t), map[int]stood{}
	const lost = maxFailed + 5
	for i := range lost {
		rows[i] = stood{trainRare, 1}
	}
	v := w.publish(3, rows)
	w.publish(4, nil)
	if r := w.pull(v, nil); r.Lost != lost || len(r.Failed) != maxFailed || r.Whole() {
		t.Errorf("%d lost, %d named, whole %t", r.Lost, len(r.Failed), r.Whole())
	}
}

func TestPullDeletesFramesOnly(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	w.pull(v, nil)
	theirs := []string{"notes.txt", "train/notes.txt", "train/Rare/notes.txt", "train/Rare/deep/" + dataset.FrameAt("S01E01", 7).File(), "other/Rare/" + dataset.FrameAt("S01E01", 7).File(), "train/Rare/TT_S01_E01_FRM-00-00-00-99.png"}
	ours := []string{fileAt(trainCommon, 0), fileAt(trainRare, 9), "train/Gone/" + dataset.FrameAt("S01E01", 3).File(), "train/" + dataset.FrameAt("S01E01", 4).File()}
	for _, name := range slices.Concat(theirs, ours) {
		w.write(name, "x")
	}
	w.must(os.Symlink(filepath.Join(w.dir, "notes.txt"), filepath.Join(w.dir, fileAt(trainRare, 8))))
	before := tree(t, w.dir)
	if r := w.pull(v, nil); r.Leftover != len(ours) || r.Removed != 0 || r.Whole() {
		t.Errorf("without --delete: %+v", r)
	}
	if diff := cmp.Diff(before, tree(t, w.dir)); diff != "" {
		t.Errorf("without --delete, -before +after:\n%s", diff)
	}
	if r := w.pull(v, func(o *Options) { o.Delete = true }); r.Leftover != 0 || r.Removed != len(ours) || !r.Whole() {
		t.Errorf("with --delete: %+v", r)
	}
	for _, name := range append(ours, "train/Gone/") {
		delete(before, name)
	}
	if diff := cmp.Diff(before, tree(t, w.dir)); diff != "" {
		t.Errorf("with --delete, -want +got:\n%s", diff)
	}
}

// Whatever was pulled before, with --delete the folder becomes what a fresh one is.
func TestPullOverAnother(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 0))
		w := newWorld(t)
		old, now := w.publish(3, anyImages(random)), w.publish(4, anyImages(random))
		w.source(1, 0, 1, 2, 3, 4, 5)
		if r := w.pull(old, nil); r.Fetched+len(r.Failed) != r.Frames {
			t.Errorf("seed %d: %+v", seed, r)
		}
		if r := w.pull(now, func(o *Options) { o.Delete = true }); !r.Whole() {
			t.Errorf("seed %d: %+v", seed, r)
		}
		got := tree(t, w.dir)
		w.dir += "-fresh"
		w.pull(now, nil)
		if diff := cmp.Diff(tree(t, w.dir), got); diff != "" {
			t.Errorf("seed %d: -fresh +over another:\n%s", seed, diff)
		}
	}
}

func anyImages(random *rand.Rand) map[int]stood {
	all := map[int]stood{}
	classes := []string{"Junk", "Rare", "Rarr"}
	for i := range 6 {
		if random.IntN(3) > 0 {
			p := dataset.Place{Dataset: settings.Datasets[random.IntN(3)], Class: classes[random.IntN(3)]}
			all[i] = stood{p, 1 + random.IntN(2)}
		}
	}
	return all
}

var errBroken = errors.New("the connection is broken")

// A pull that the bucket breaks off is gone on with: what is there is whole, and is not downloaded
// again.
func TestPullGoesOn(t *testing.T) {
	w := newWorld(t)
	all := map[int]stood{}
	for i := range 40 {
		all[i] = stood{trainRare, 1}
	}
	v := w.publish(3, all)
	w.bucket.change = func(_ string, nth int, c bucket.Content) (bucket.Content, error) {
		if nth > 20 {
			return bucket.Content{}, errBroken
		}
		return c, nil
	}
	if _, err := Pull(t.Context(), w.options(v)); !errors.Is(err, errBroken) {
		t.Fatalf("pulled with %v", err)
	}
	there := images(tree(t, w.dir))
	for i, im := range all {
		if body, ok := there[fileAt(im.place, i)]; ok && body != imageOf(i, 1) {
			t.Errorf("frame %d holds %q", i, body)
		}
	}
	w.bucket.change = nil
	if r := w.pull(v, nil); r.Present != len(there) || r.Fetched != 40-len(there) {
		t.Errorf("after %d files: %+v", len(there), r)
	}
}
