package pull

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/testenv"
)

// The folder loads in the real library of Hugging Face, each image with the number that classes.json gives its class:
// also where a class has no image in some dataset or in any, and where all images are of one.
func TestHuggingFaceLoadsIt(t *testing.T) {
	python := testenv.DatasetsPython(t)
	file := func(i int) string { return dataset.FrameAt("S01E01", i).File() }
	for _, test := range []struct {
		places map[int]dataset.Place
		want   map[string]map[string]int
	}{
		{
			map[int]dataset.Place{0: trainRare, 1: trainCommon, 2: trainRare, 3: {Dataset: "validate", Class: "Common"}, 4: validateRare, 5: {Dataset: "test", Class: "Rare"}},
			map[string]map[string]int{"train": {file(0): 2, file(1): 0, file(2): 2}, "validation": {file(3): 0, file(4): 2}, "test": {file(5): 2}},
		},
		{map[int]dataset.Place{0: trainRare}, map[string]map[string]int{"train": {file(0): 2}}},
	} {
		w := newWorld(t)
		w.pull(w.publishJPEGs(test.places), nil)
		got := load(t, python, w.dir)
		if diff := cmp.Diff(test.want, got.Splits); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for split, names := range got.Names {
			if !slices.Equal(names, []string{"Common", "Junk", "Rare"}) {
				t.Errorf("%s has the classes %q", split, names)
			}
		}
	}
}

// loaded is what testdata/load.py says of a folder: the labels of the images by split and file, and the names of the labels.
type loaded struct {
	Splits map[string]map[string]int
	Names  map[string][]string
}

func load(t *testing.T, python, dir string) (l loaded) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "load.py"), dir)
	cmd.Env = append(os.Environ(), "HF_HOME="+t.TempDir(), "HF_HUB_OFFLINE=1")
	var logs bytes.Buffer
	cmd.Stderr = &logs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, logs.String())
	}
	if err := json.Unmarshal(out, &l); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return l
}

// ImageFolder of torchvision and image_dataset_from_directory of Keras number the sorted class folders of each dataset.
func TestClassFoldersAreNumberedAlike(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, map[int]stood{0: {trainRare, 1}})
	w.pull(v, nil)
	for _, name := range settings.Datasets {
		entries, err := os.ReadDir(filepath.Join(w.dir, name)) // sorted by name
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for i, e := range entries {
			got[e.Name()] = i
		}
		if diff := cmp.Diff(v.ClassIndex(), got); diff != "" {
			t.Errorf("%s: -classes.json +folders:\n%s", name, diff)
		}
	}
}

// publishJPEGs publishes a version of images that decode.
func (w *world) publishJPEGs(places map[int]dataset.Place) state.Version {
	w.t.Helper()
	var rows []state.VersionRow
	for i, p := range places {
		var body bytes.Buffer
		w.must(jpeg.Encode(&body, image.NewGray(image.Rect(0, 0, 2, 2)), nil))
		fmt.Fprintf(&body, "frame %d", i) // after the image's end, to tell them apart
		r := state.VersionRow{Place: p, Frame: dataset.FrameAt("S01E01", i)}
		var err error
		r.ETag, err = w.bucket.PutObject(w.t.Context(), layout.Key(p, r.Frame), body.Bytes(), bucket.Condition{})
		w.must(err)
		rows = append(rows, r)
	}
	v, err := w.store.PublishVersion(w.t.Context(), state.Version{Generation: 3, Settings: settings}, rows)
	w.must(err)
	return v
}
