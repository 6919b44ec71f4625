package dataset_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
)

// pages is a bucket whose pages hold two entries.
type pages struct{ membucket.Bucket }

func (b *pages) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	in.MaxKeys = 2
	return b.Bucket.ListObjects(ctx, in)
}

// put writes an object, and reports whether a bucket takes such a key.
func (b *pages) put(key string) bool {
	_, err := b.PutObject(context.Background(), key, []byte(key), bucket.Condition{})
	return err == nil
}

// FuzzListing: whatever keys are in the datasets, a listing of everything gives each frame's key
// once, under its episode and in order, and nothing else; and a listing of one episode the same.
func FuzzListing(f *testing.F) {
	f.Add("train/Rare/TT_S01_E01_FRM-00-00-08-12.jpg\ntrain/Junk/TT_S01_E01_FRM-00-00-08-12.jpg\ntest/Rare/TT_S01_E02_FRM-00-00-08-12.jpg")
	f.Add("train/TT_S01_E01_FRM-00-00-08-12.jpg\ntrain/TT_S01_E01_FRM-/TT_S01_E01_FRM-00-00-08-12.jpg\ntrain/../TT_S01_E01_FRM-00-00-08-12.jpg")
	f.Add("test/Rare/TT_S01_E01_FRM-00-00-60-00.jpg\ntest/Rare/a/TT_S01_E01_FRM-00-00-08-12.jpg\ntest//TT_S01_E01_FRM-00-00-08-12.jpg\ntest/Rare/TT_S01_E01_FRM-00-00-08-12.JPG")
	l := dataset.Layout{Prefix: "tt"}
	f.Fuzz(func(t *testing.T, lines string) {
		var b pages
		want := map[string]bool{}
		for line := range strings.SplitSeq(lines, "\n") {
			key := l.ML() + line
			p, _, ok := l.Parse(key)
			if b.put(key) && ok && (p.Class == "" || dataset.CheckKey(p.Class) == nil) && (p.Dataset == "train" || p.Dataset == "test") {
				want[key] = true
			}
		}
		d := dataset.Destination{Bucket: &b, Layout: l, Datasets: []string{"train", "test"}, Parallel: 2}
		folders, err := d.Folders(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for e, places := range dataset.Located(folders) {
			images, err := d.Images(t.Context(), places, e)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSortedFunc(images, dataset.Image.Compare) {
				t.Fatalf("%s out of order: %v", e, images)
			}
			for _, i := range images {
				key := l.Key(i.Place, i.Frame)
				if !want[key] || i.Frame.Episode() != e || l.CheckDestination(key, i.Frame) != nil {
					t.Fatalf("%q is listed as %+v of %s", key, i, e)
				}
				delete(want, key)
			}
			standing, err := d.Episode(t.Context(), folders, e)
			if err != nil || standing.Digest() != dataset.DigestOf(images) {
				t.Fatalf("%s alone is listed as %v, %v; its images as %v", e, standing, err, images)
			}
		}
		if len(want) > 0 {
			t.Fatalf("not listed: %v", want)
		}
	})
}

// FuzzParseFrame: a name that reads is the name of the frame at its place in its episode.
func FuzzParseFrame(f *testing.F) {
	f.Add("TT_S01_E01_FRM-00-00-08-12")
	f.Add("TT_S99_E99_FRM-99-59-59-99")
	f.Add("TT_S01_E01_FRM-00-60-08-12")
	f.Fuzz(func(t *testing.T, name string) {
		frame, err := dataset.ParseFrame(name)
		if err != nil {
			return
		}
		if string(frame) != name || !strings.HasPrefix(name, frame.Episode().FramePrefix()) {
			t.Fatalf("%q is read as %q of %s", name, frame, frame.Episode())
		}
		if again := dataset.FrameAt(frame.Episode(), frame.Index()); name[24:] < "24" && again != frame {
			t.Fatalf("frame %d of %s is %q, not %q", frame.Index(), frame.Episode(), again, frame)
		}
	})
}
