package pull

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// The folder loads in the libraries that the README names, each image with the number that
// classes.json gives its class: also where a class has no image in some dataset or in any, and
// where all images are of one.
func TestLibrariesLoadIt(t *testing.T) {
	python := testenv.DatasetsPython(t)
	for _, places := range []map[int]dataset.Place{
		{0: trainRare, 1: trainCommon, 2: trainRare, 3: {Dataset: "validate", Class: "Common"}, 4: validateRare, 5: {Dataset: "test", Class: "Rare"}},
		{0: trainRare},
	} {
		w := newWorld(t)
		w.pull(w.publishJPEGs(places), nil)
		labels := map[string]map[string]int{}
		for _, name := range settings.Datasets {
			labels[name] = map[string]int{}
		}
		for i, p := range places {
			labels[p.Dataset][dataset.FrameAt("S01E01", i).File()] = map[string]int{"Common": 0, "Junk": 1, "Rare": 2}[p.Class]
		}
		load(t, python, labels, "torchvision", append([]string{w.dir}, settings.Datasets...)...)
		// The others take no dataset without images.
		maps.DeleteFunc(labels, func(_ string, files map[string]int) bool { return len(files) == 0 })
		load(t, python, labels, "keras", append([]string{w.dir}, slices.Collect(maps.Keys(labels))...)...)
		if files, ok := labels["validate"]; ok {
			delete(labels, "validate")
			labels["validation"] = files
		}
		load(t, python, labels, "datasets", w.dir)
	}
}

// load loads a folder with a library. The labels must be these, by split and file.
func load(t *testing.T, python string, want map[string]map[string]int, library string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("testdata", "load.py"), library}, args...)...)
	cmd.Env = append(os.Environ(), "HF_HOME="+t.TempDir(), "HF_HUB_OFFLINE=1", "PYTHONDONTWRITEBYTECODE=1")
	var logs bytes.Buffer
	cmd.Stderr = &logs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", library, err, logs.String())
	}
	var got struct {
		Splits map[string]map[string]int
		Names  map[string][]string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%s: %v: %s", library, err, out)
	}
	if diff := cmp.Diff(want, got.Splits); diff != "" {
		t.Errorf("%s: -want +got:\n%s", library, diff)
	}
	for split, names := range got.Names {
		if !slices.Equal(names, []string{"Common", "Junk", "Rare"}) {
			t.Errorf("%s: %s has the classes %q", library, split, names)
		}
	}
}

// publishJPEGs publishes a version of images that decode.
func (w *world) publishJPEGs(places map[int]dataset.Place) state.Version {
	w.t.Helper()
	var rows []version.Row
	for i, p := range places {
		var body bytes.Buffer
		w.must(jpeg.Encode(&body, image.NewGray(image.Rect(0, 0, 2, 2)), nil))
		fmt.Fprintf(&body, "frame %d", i) // after the image's end, to tell them apart
		r := version.Row{Place: p, Frame: dataset.FrameAt("S01E01", i)}
		var err error
		r.ETag, err = w.bucket.PutObject(w.t.Context(), layout.Key(p, r.Frame), body.Bytes(), bucket.Condition{})
		w.must(err)
		rows = append(rows, r)
	}
	v, err := versiontest.Publish(w.t.Context(), w.store, state.Version{Generation: 3, Settings: settings}, rows)
	w.must(err)
	return v
}
