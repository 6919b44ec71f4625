package pull

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

const bucketName = "media.angel-nft.com"

// ofBucket are the options of a pull that names its bucket and tag.
func ofBucket(tag string) func(*Options) {
	return func(o *Options) { o.BucketName, o.Tag = bucketName, tag }
}

// lockOf reads the lock file of the world's folder.
func (w *world) lockOf() LockFile {
	w.t.Helper()
	l, err := ReadLockFile(filepath.Join(w.dir, LockName))
	w.must(err)
	return l
}

// pullLocked pulls the version of a lock file, as the command does.
func (w *world) pullLocked(l LockFile) (Result, error) {
	w.t.Helper()
	v, err := l.Find(w.t.Context(), w.store, bucketName)
	if err != nil {
		return Result{}, err
	}
	opt := w.options(v)
	opt.BucketName, opt.Tag, opt.Locked = bucketName, l.Tag, &l
	return Pull(w.t.Context(), opt)
}

// The same version gives the same bytes, in any folder and at any time, and so does the pull by the
// lock file.
func TestLockFile(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	r := w.pull(v, ofBucket("paper-2"))
	inForce, err := json.MarshalIndent(v.Settings, " ", " ")
	w.must(err)
	want := `{
 "v": 1,
 "bucket": "media.angel-nft.com",
 "prefix": "tuttle_twins",
 "version": 3,
 "run": "20261123T212443Z-1",
 "tag": "paper-2",
 "datasets": [
  "train",
  "validate",
  "test"
 ],
 "settings": ` + string(inForce) + `,
 "counts": {
  "test": {},
  "train": {
   "Common": 1,
   "Rare": 1
  },
  "validate": {
   "Rare": 1
  }
 },
 "digest": "` + r.Digest + `"
}
`
	first := tree(t, w.dir)
	if diff := cmp.Diff(want, first[LockName]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if want := digestOfCSV(first); r.Digest != want {
		t.Errorf("digest %s, of the CSV files %s", r.Digest, want)
	}
	lock := w.lockOf()
	w.publish(4, map[int]stood{0: {trainCommon, 1}, 1: {trainCommon, 1}, 2: {validateRare, 1}})
	w.source(1, 0)
	w.dir += "-elsewhere"
	if r, err := w.pullLocked(lock); err != nil || !r.Whole() || r.Version != 3 || r.Tag != "paper-2" {
		t.Errorf("%+v, %v", r, err)
	}
	if diff := cmp.Diff(first, tree(t, w.dir)); diff != "" {
		t.Errorf("-first +by its lock file:\n%s", diff)
	}
}

// digestOfCSV computes the digest from the CSV files of a folder, as a shell does:
// tail -qn +2 *.csv | cut -d, -f1,4 | LC_ALL=C sort | sha256sum
func digestOfCSV(files map[string]string) string {
	var lines []string
	for name, body := range files {
		if !strings.HasSuffix(name, ".csv") {
			continue
		}
		for _, line := range strings.Split(body, "\n")[1:] {
			if cells := strings.Split(line, ","); len(cells) > 3 {
				lines = append(lines, cells[0]+","+cells[3]+"\n")
			}
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// A lock file names the datasets of the folder. Its digest covers the whole version.
func TestLockFileOfOneDataset(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	all := w.pull(v, ofBucket("")).Digest
	w.dir += "-one"
	w.pull(v, func(o *Options) { o.Datasets = []string{"validate"}; ofBucket("")(o) })
	lock := w.lockOf()
	if !slices.Equal(lock.Datasets, []string{"validate"}) || lock.Digest != all {
		t.Errorf("%+v, the digest of all is %s", lock, all)
	}
	w.dir += "-again"
	r, err := w.pullLocked(lock)
	if err != nil || r.Frames != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := images(tree(t, w.dir)); len(got) != 1 || got[fileAt(validateRare, 2)] == "" {
		t.Errorf("the folder has %v", slices.Sorted(maps.Keys(got)))
	}
	w.pull(v, func(o *Options) { o.Datasets = []string{"train"}; ofBucket("")(o) })
	if lock := w.lockOf(); !slices.Equal(lock.Datasets, []string{"train", "validate"}) {
		t.Errorf("with train beside it: %v", lock.Datasets)
	}
}

// Names of datasets of which one is the beginning of another, and of classes with marks that sort
// before a slash or a comma.
func TestDigestIsOfSortedLines(t *testing.T) {
	v := state.Version{Counts: map[string]map[string]int{}}
	var rows []version.Row
	var lines []string
	for i, p := range []dataset.Place{{Dataset: "train", Class: "Rare"}, {Dataset: "train-b", Class: "Rare"}, {Dataset: "train", Class: "Rare+"}, {Dataset: "train", Class: "A b"}, {Dataset: "tr", Class: "!"}, {Dataset: "train", Class: ""}, {Dataset: "train", Class: "TT_S01_E01_FRM-00-00-00-12"}} {
		r := version.Row{Place: p, Frame: dataset.FrameAt("S01E01", 20-i), ETag: "e"}
		rows, v.Counts[p.Dataset] = append(rows, r), nil
		lines = append(lines, r.File()+",e\n")
		r.Frame = dataset.FrameAt("S01E01", i) // around the class that is named like a frame
		rows = append(rows, r)
		lines = append(lines, r.File()+",e\n")
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	parts, _, err := versiontest.Parts(layout, rows)
	if err != nil {
		t.Fatal(err)
	}
	p := &puller{Options: Options{Store: &state.Store{Layout: layout}, Version: v}, parts: parts}
	got, err := p.digestRows()
	if want := "sha256:" + hex.EncodeToString(sum[:]); got != want || err != nil {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

// What a lock file asks for and is not there any more, or never was: nothing is written.
func TestLockFileOfWhatIsNotThere(t *testing.T) {
	tests := []struct {
		name   string
		change func(*world, *LockFile)
		usage  bool
		want   string
	}{
		{"removed by retention", func(w *world, _ *LockFile) {
			_, err := version.Retain(t.Context(), w.store, w.bucket, 4, 1)
			w.must(err)
		}, false, "version 3 of the lock file is not there any more: it had no tag, and --keep-versions (SHUFFLE_KEEP_VERSIONS) removes old versions; the latest is version 4"},
		{"changed rows", func(w *world, _ *LockFile) {
			v, err := w.store.ReadVersion(t.Context(), 3)
			w.must(err)
			w.format1(v)
			c, err := w.store.Read(t.Context(), state.VersionName(3, "train.csv"))
			w.must(err)
			body := strings.Replace(string(c.Body), "/Rare/", "/Common/", 1)
			_, err = w.store.Write(t.Context(), state.VersionName(3, "train.csv"), []byte(body), bucket.Condition{})
			w.must(err)
		}, false, "version 3 is not what the lock file has any more: the digest of its rows is sha256:"},
		{"a changed digest", func(_ *world, l *LockFile) { l.Digest = "sha256:" + strings.Repeat("0", 500) }, false, "in the lock file \"sha256:0000"},
		{"another bucket", func(_ *world, l *LockFile) { l.Bucket = "theirs" }, true, `is of prefix "tuttle_twins" in bucket "theirs", this command reads prefix "tuttle_twins" in bucket "media.angel-nft.com"`},
		{"another prefix", func(_ *world, l *LockFile) { l.Prefix = "other" }, true, `is of prefix "other" in bucket`},
		{"a folder of the same name", func(_ *world, l *LockFile) { l.Run = "20250101T000000Z-3" }, true, `its version 3 is of run "20250101T000000Z-3", here version 3 is of run "20261123T212443Z-1"`},
		{"never published here", func(_ *world, l *LockFile) { l.Version = 17 }, true, "its version 17 was never published here, only versions up to 4"},
		{"a dataset of none", func(_ *world, l *LockFile) { l.Datasets = []string{"../escape"} }, true, `dataset of the lock file: "../escape": version 3 has test, train, validate`},
	}
	for _, test := range tests {
		w := newWorld(t)
		w.pull(w.publish(3, three), ofBucket(""))
		lock := w.lockOf()
		w.pull(w.publish(4, map[int]stood{0: {trainRare, 1}}), func(o *Options) { o.Delete = true; ofBucket("")(o) })
		test.change(w, &lock)
		before := tree(t, w.dir)
		_, err := w.pullLocked(lock)
		if err == nil || errors.Is(err, ErrUsage) != test.usage || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 600 {
			t.Errorf("%s: %v, expected %s", test.name, err, test.want)
		}
		if diff := cmp.Diff(before, tree(t, w.dir)); diff != "" {
			t.Errorf("%s: the folder has changed:\n%s", test.name, diff)
		}
	}
}

// An image that no longer exists is named, and the rest is pulled.
func TestLockFileWithAMissingImage(t *testing.T) {
	w := newWorld(t)
	w.pull(w.publish(3, three), ofBucket(""))
	lock := w.lockOf()
	w.publish(4, map[int]stood{0: {trainRare, 1}, 1: {trainCommon, 2}, 2: {validateRare, 1}})
	w.dir += "-later"
	r, err := w.pullLocked(lock)
	if err != nil || r.Whole() || r.Fetched != 2 || len(r.Failed) != 1 || r.Failed[0].File != fileAt(trainCommon, 1) || !strings.Contains(r.Failed[0].Problem, "has changed since") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestReadLockFile(t *testing.T) {
	good := LockFile{V: 1, Bucket: "b", Version: 3, Run: "r", Datasets: []string{"train"}, Digest: "sha256:00"}
	dir := t.TempDir()
	path := filepath.Join(dir, "any name.json")
	for _, test := range []struct {
		name string
		body any
		want string
	}{
		{"good", good, ""},
		{"with an unknown field", json.RawMessage(`{"v":1,"bucket":"b","version":3,"run":"r","datasets":["train"],"digest":"sha256:00","more":1}`), ""},
		{"newer", func() LockFile { l := good; l.V = 2; return l }(), `"v" is 2, expected 1: use the newer shuffle`},
		{"another program's", json.RawMessage(`{"lockfileVersion":3,"packages":{}}`), "expected a file shuffle.lock.json that a pull has written"},
		{"a list", json.RawMessage(`[]`), "expected a file shuffle.lock.json"},
		{"without a digest", func() LockFile { l := good; l.Digest = ""; return l }(), "with v, version, run, datasets and digest"},
		{"a negative version", func() LockFile { l := good; l.Version = -3; return l }(), "with v, version"},
		{"a hostile tag", func() LockFile { l := good; l.Tag = "\x1b[2J" + strings.Repeat("x", 9999); return l }(), `is no tag`},
		{"too large", strings.Repeat("x", maxLockBytes), "it has 1048578 bytes"},
	} {
		body, err := json.Marshal(test.body)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = ReadLockFile(path)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (!errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) || len(err.Error()) > 600):
			t.Errorf("%s: %v, expected %s", test.name, err, test.want)
		}
	}
	for _, missing := range []string{filepath.Join(dir, "nothing"), dir, ""} {
		if _, err := ReadLockFile(missing); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v", missing, err)
		}
	}
}

// A fresh clone of a repository has the lock file in a folder, and not the images.
func TestPullBesideItsLockFile(t *testing.T) {
	w := newWorld(t)
	w.pull(w.publish(3, three), ofBucket(""))
	first := tree(t, w.dir)
	w.dir += "-clone"
	w.write(LockName, first[LockName])
	if r, err := w.pullLocked(w.lockOf()); err != nil || !r.Whole() {
		t.Errorf("%+v, %v", r, err)
	}
	if diff := cmp.Diff(first, tree(t, w.dir)); diff != "" {
		t.Errorf("-first +clone:\n%s", diff)
	}
}

// A class that comes or goes renumbers others. A pull into a folder with other numbers says so
// before it changes anything.
func TestPullSaysOtherClassNumbers(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	said := func(v state.Version) (names []string) {
		t.Helper()
		before := tree(t, w.dir)
		r := w.pull(v, func(o *Options) {
			o.Renumbered = func(changes []state.ClassNumber) {
				if diff := cmp.Diff(before, tree(t, w.dir)); diff != "" {
					t.Errorf("something was changed before it was said:\n%s", diff)
				}
				for _, c := range changes {
					names = append(names, c.Class)
				}
			}
		})
		var inResult []string
		for _, c := range r.ClassNumbers {
			inResult = append(inResult, c.Class)
		}
		if !slices.Equal(names, inResult) {
			t.Errorf("said %q, the result has %q", names, inResult)
		}
		return names
	}
	w.must(os.MkdirAll(w.dir, 0o755))
	for i, step := range []struct {
		classes []string
		want    []string
	}{
		{[]string{"Junk", "Common", "Rare"}, nil},
		{[]string{"Junk", "Common", "Rare"}, nil},
		{[]string{"Junk", "Common", "Rare", "Epic"}, []string{"Epic", "Junk", "Rare"}},
		{[]string{"Junk", "Common", "Rare", "Epic", "Zero"}, []string{"Zero"}},
		{[]string{"Common", "Rare"}, []string{"Epic", "Junk", "Rare", "Zero"}},
	} {
		v.Classes = step.classes
		if got := said(v); !slices.Equal(got, step.want) {
			t.Errorf("step %d: said %q, expected %q", i, got, step.want)
		}
	}
	for _, body := range []string{"", "{", `{"classes":[]}`, `{}`} {
		w.write(classesFile, body)
		if got := said(v); got != nil {
			t.Errorf("classes.json %q: said %q", body, got)
		}
	}
}
