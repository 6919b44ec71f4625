package dataset_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// objects is a bucket of these objects and skipped entries.
type objects struct {
	all     []bucket.Object
	skipped []bucket.Skipped
}

func (b objects) ListObjects(_ context.Context, in bucket.ListInput) (page bucket.Page, err error) {
	for _, o := range b.all {
		rest, ok := strings.CutPrefix(o.Key, in.Prefix)
		at := strings.Index(rest, in.Delimiter)
		switch {
		case !ok:
		case in.Delimiter != "" && at >= 0:
			page.Prefixes = append(page.Prefixes, in.Prefix+rest[:at+len(in.Delimiter)])
		default:
			page.Objects = append(page.Objects, o)
		}
	}
	slices.Sort(page.Prefixes)
	page.Prefixes = slices.Compact(page.Prefixes)
	slices.SortFunc(page.Objects, func(a, b bucket.Object) int { return strings.Compare(a.Key, b.Key) })
	for _, s := range b.skipped {
		if strings.HasPrefix(s.Key, in.Prefix) {
			page.Skipped = append(page.Skipped, s)
		}
	}
	return page, nil
}

// Each kind of what may be in the place of an image, alone and beside the image itself.
func TestSource(t *testing.T) {
	t.Parallel()
	const f = dataset.Frame("TT_S01_E01_FRM-00-00-08-12")
	image := bucket.Object{Key: "p/" + f.File(), ETag: "e", Size: 1}
	named := func(name string) bucket.Object { return bucket.Object{Key: "p/" + name, ETag: "x", Size: 1} }
	stored := func(class string) bucket.Object {
		return bucket.Object{Key: image.Key, ETag: "e", Size: 1, StorageClass: class}
	}
	lower := strings.ToLower(f.File())
	for _, test := range []struct {
		name     string
		objects  []bucket.Object
		skipped  []bucket.Skipped
		etag     string
		unusable string
		beside   string
	}{
		{name: "an image", objects: []bucket.Object{image}, etag: "e"},
		{name: "size not given", objects: []bucket.Object{{Key: image.Key, ETag: "e", Size: -1}}, etag: "e"},
		{name: "empty", objects: []bucket.Object{{Key: image.Key, ETag: "e"}}, unusable: "empty (0 bytes)"},
		{name: "GLACIER", objects: []bucket.Object{stored("GLACIER")}, unusable: "storage class GLACIER"},
		{name: "DEEP_ARCHIVE", objects: []bucket.Object{stored("DEEP_ARCHIVE")}, unusable: "storage class DEEP_ARCHIVE"},
		{name: "GLACIER_IR", objects: []bucket.Object{stored("GLACIER_IR")}, etag: "e"},
		{name: "INTELLIGENT_TIERING", objects: []bucket.Object{stored("INTELLIGENT_TIERING")}, etag: "e"},
		{name: "JPG", objects: []bucket.Object{named(string(f) + ".JPG")}, unusable: `the ending ".JPG"`},
		{name: "jpeg", objects: []bucket.Object{named(string(f) + ".jpeg")}, unusable: `the ending ".jpeg"`},
		{name: "png", objects: []bucket.Object{named(string(f) + ".png")}, unusable: `the ending ".png"`},
		{name: "WebP", objects: []bucket.Object{named(string(f) + ".WebP")}, unusable: `the ending ".WebP"`},
		{name: "lower case", objects: []bucket.Object{named(lower)}, unusable: `the name "` + lower + `"`},
		{name: "partly lower case", objects: []bucket.Object{named(strings.Replace(f.File(), "FRM", "frm", 1))}, unusable: "the name"},
		{name: "two others", objects: []bucket.Object{named(string(f) + ".png"), named(string(f) + ".JPG")}, unusable: `the ending ".JPG"`},
		{name: "JPG beside", objects: []bucket.Object{image, named(string(f) + ".JPG")}, etag: "e", beside: `the ending ".JPG"`},
		{name: "JPG beside an empty one", objects: []bucket.Object{{Key: image.Key}, named(string(f) + ".JPG")}, unusable: "empty (0 bytes)"},
		{name: "a file of another kind beside", objects: []bucket.Object{image, named(string(f) + ".json")}, etag: "e"},
		{name: "a file of another kind", objects: []bucket.Object{named(string(f) + ".json")}},
		{name: "a part of an upload", objects: []bucket.Object{named(f.File() + ".tmp")}, unusable: `the ending ".jpg.tmp"`},
		{name: "no ending", objects: []bucket.Object{named(string(f))}, unusable: "the name"},
		{name: "a second download", objects: []bucket.Object{named(string(f) + " (1).jpg")}, unusable: "(1).jpg"},
		{name: "an unusual ending", objects: []bucket.Object{named(string(f) + ".exr")}, unusable: `the ending ".exr"`},
		{name: "a part of an upload beside", objects: []bucket.Object{image, named(f.File() + ".tmp")}, etag: "e"},
		{name: "the beginning in another case", objects: []bucket.Object{named("Tt_s01_E01_FRM-00-00-08-12.jpg")}, unusable: "the name"},
		{name: "another episode in another case", objects: []bucket.Object{named("tt_s01_e02_frm-00-00-08-12.jpg")}},
		{name: "a folder with keys", objects: []bucket.Object{named(f.File() + "/x")}, unusable: "is a folder"},
		{name: "a folder beside", objects: []bucket.Object{image, named(f.File() + "/x")}, etag: "e"},
		{name: "a link", skipped: []bucket.Skipped{{Key: image.Key, Kind: bucket.KindLink}}, unusable: "is a symbolic link"},
		{name: "a pipe", skipped: []bucket.Skipped{{Key: image.Key, Kind: bucket.KindPipe}}, unusable: "is a named pipe"},
		{name: "an empty folder", skipped: []bucket.Skipped{{Key: image.Key + "/", Kind: bucket.KindFolder}}, unusable: "is an empty folder"},
		{name: "nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := objects{all: test.objects, skipped: test.skipped}
			im, err := dataset.Source(t.Context(), b, "p/", "S01E01")
			if got := errors.Is(err, dataset.ErrNoImages); got != (test.etag == "") || !got && err != nil {
				t.Errorf("error %v", err)
			}
			if im.ETags[f] != test.etag {
				t.Errorf("ETag %q, expected %q", im.ETags[f], test.etag)
			}
			for what, pair := range map[string][2]string{"unusable": {im.Unusable[f], test.unusable}, "beside": {im.Beside[f], test.beside}} {
				if !strings.Contains(pair[0], pair[1]) || (pair[0] == "") != (pair[1] == "") {
					t.Errorf("%s: %q, expected %q", what, pair[0], pair[1])
				}
			}
			if (im.Summary() == "") != (test.unusable == "") || !strings.Contains(im.Summary(), test.unusable) {
				t.Errorf("summary %q", im.Summary())
			}
		})
	}
}

// What is below ML/ and no frame is counted once, whichever listing has seen it.
func TestStrays(t *testing.T) {
	t.Parallel()
	const f = "TT_S01_E01_FRM-00-00-08-12"
	l := dataset.Layout{Prefix: "tt"}
	var b pages
	strays := []string{
		"notes.txt", "pred/Rare/" + f + ".jpg", "pred/Rare/" + f + ".png", "train//" + f + ".jpg", "train/Rare//" + f + ".jpg", "train/Rare/.DS_Store",
		"train/Rare/" + f + ".JPG", "train/Rare/" + f + ".jpg.bak", "train/Rare/TT_S01_E01_FRM-00-00-99-12.jpg", "train/Rare/TT_X_FRM-1.jpg",
		"train/Rare/sub/" + f + ".jpg", "train/Rare/sub/x", "train/Rare/zz", "train/classes.txt",
	}
	for _, name := range append([]string{"", "train/", "train/Rare/", "train/Rare/" + f + ".jpg", "train/" + f + ".jpg", "old/Rare/" + f + ".jpg", "train/Epic/" + f + ".jpg"}, strays...) {
		b.put(l.ML() + name)
	}
	examples := []string{
		"notes.txt", "pred/Rare/" + f + ".jpg", "pred/Rare/" + f + ".png", "train//" + f + ".jpg", "train/Rare/.DS_Store", "train/Rare//" + f + ".jpg",
		"train/Rare/" + f + ".JPG", "train/Rare/" + f + ".jpg.bak", "train/Rare/sub/" + f + ".jpg", "train/classes.txt",
	}
	for i := range examples {
		examples[i] = l.ML() + examples[i]
	}
	want := &dataset.StrayCount{Count: len(strays), Examples: examples}
	d := dataset.Destination{Bucket: &b, Layout: l, Datasets: []string{"train", "test", "old"}, Parallel: 2}
	got, err := d.AllStrays(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("all: %v\n%s", err, diff)
	}

	d.Strays = &dataset.Strays{}
	folders, err := d.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // an episode may be listed more than once
		if _, err := d.Episode(t.Context(), folders, "S01E01"); err != nil {
			t.Fatal(err)
		}
	}
	got, err = d.CountStrays(t.Context(), true)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("by a plan's listings: %v\n%s", err, diff)
	}

	var clean pages
	clean.put(l.ML() + "train/Rare/" + f + ".jpg")
	d.Bucket, d.Strays = &clean, &dataset.Strays{}
	if got, err = d.CountStrays(t.Context(), false); got != nil || err != nil {
		t.Errorf("without strays: %+v, %v", got, err)
	}
}

// A plan looks into a folder for one page of keys, and one that may not be listed fails nothing.
func TestStraysOfLargeFolders(t *testing.T) {
	t.Parallel()
	l := dataset.Layout{Prefix: "tt"}
	var b pages
	for _, name := range []string{"1", "2", "3"} {
		b.put(l.ML() + "pred/" + name)
	}
	d := dataset.Destination{Bucket: &b, Layout: l, Datasets: []string{"train"}, Strays: &dataset.Strays{}}
	got, err := d.CountStrays(t.Context(), false)
	if err != nil || got == nil || got.Count != 2 || !got.AtLeast {
		t.Errorf("a folder of two pages: %+v, %v", got, err)
	}
	d.Strays = &dataset.Strays{}
	if got, err = d.CountStrays(t.Context(), true); err != nil || got == nil || got.Count != 3 || got.AtLeast {
		t.Errorf("to its end: %+v, %v", got, err)
	}
	d.Bucket, d.Strays = refusing{d.Bucket, l.ML() + "pred/"}, &dataset.Strays{}
	got, err = d.CountStrays(t.Context(), false)
	if err != nil || got == nil || got.Count != 1 || !got.AtLeast || got.Unlisted != "s3:ListBucket is not granted for tt/ML/pred/" {
		t.Errorf("not to be listed: %+v, %v", got, err)
	}
}

// refusing is a bucket that may not be listed below a prefix.
type refusing struct {
	bucket.Lister
	prefix string
}

func (b refusing) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	if in.Prefix == b.prefix {
		return bucket.Page{}, &bucket.Error{Op: "ListObjectsV2", Key: in.Prefix, Code: bucket.CodeAccessDenied, Err: errors.New("no")}
	}
	return b.Lister.ListObjects(ctx, in)
}
