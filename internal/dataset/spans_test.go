package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// sorted is a bucket of sorted keys with pages as large as S3's. The request with the number fails
// fails.
type sorted struct {
	keys  []string
	fails int

	mu       sync.Mutex
	requests int
}

var errPage = errors.New("no page")

func (b *sorted) ListObjects(_ context.Context, in bucket.ListInput) (page bucket.Page, err error) {
	b.mu.Lock()
	b.requests++
	failed := b.requests == b.fails
	b.mu.Unlock()
	if failed {
		return page, errPage
	}
	after := in.StartAfter
	if in.Token != "" {
		after = in.Token
	}
	from, _ := slices.BinarySearch(b.keys, max(in.Prefix, after))
	for _, key := range b.keys[from:] {
		if !strings.HasPrefix(key, in.Prefix) {
			break
		}
		if key <= after && after != "" {
			continue
		}
		if len(page.Objects) == bucket.MaxListKeys {
			page.Next = page.Objects[len(page.Objects)-1].Key
			break
		}
		page.Objects = append(page.Objects, bucket.Object{Key: key, ETag: "of " + key, Size: 1})
	}
	return page, nil
}

const spansPrefix = "frames/"

// episodeKeys are the images of this many frames of an episode, a share of each hundred of them by
// chance, among keys that are none.
func episodeKeys(t *rapid.T) (keys []string, images map[dataset.Frame]string) {
	const e = dataset.Episode("S01E01")
	images = map[dataset.Frame]string{}
	frames := rapid.IntRange(0, 40_000).Draw(t, "frames")
	share := rapid.IntRange(1, 8).Draw(t, "one in")
	for hundred := 0; hundred < frames; hundred += 100 {
		if share > 1 && rapid.IntRange(1, share).Draw(t, "lot") > 1 {
			continue
		}
		for i := hundred; i < min(hundred+100, frames); i++ {
			f := dataset.FrameAt(e, i)
			images[f] = "of " + spansPrefix + f.File()
			keys = append(keys, spansPrefix+f.File())
		}
	}
	for range rapid.IntRange(0, 5).Draw(t, "others") {
		f := dataset.FrameAt(e, rapid.IntRange(0, 30_000).Draw(t, "at"))
		keys = append(keys, spansPrefix+string(f)+rapid.SampledFrom([]string{"", "-", "/x.jpg", ".jpg.tmp", "/"}).Draw(t, "end"))
	}
	keys = append(keys, spansPrefix+"TT_S01_E01_", spansPrefix+"TT_S01_E01_~", spansPrefix+"TT_S01_E02_FRM-00-00-08-12.jpg")
	slices.Sort(keys)
	return slices.Compact(keys), images
}

// Cut into spans, a listing gives what it gives page by page, and takes hardly more requests.
func TestSpansAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys, images := episodeKeys(t)
		b := &sorted{keys: keys}
		got, err := dataset.Source(t.Context(), b, spansPrefix, "S01E01")
		if len(images) == 0 {
			if !errors.Is(err, dataset.ErrNoImages) {
				t.Fatalf("no images: %v", err)
			}
			return
		}
		if err != nil || !maps.Equal(got.ETags, images) {
			t.Fatalf("%d images of %d, %v", len(got.ETags), len(images), err)
		}
		if pages := len(keys)/bucket.MaxListKeys + 1; b.requests > 2*pages+30 {
			t.Fatalf("%d requests for %d pages", b.requests, pages)
		}
	})
}

// A whole episode takes a request more than it has pages.
func TestSpansOfAWholeEpisode(t *testing.T) {
	b := &sorted{}
	for i := range 28_800 {
		b.keys = append(b.keys, spansPrefix+dataset.FrameAt("S01E01", i).File())
	}
	got, err := dataset.Source(t.Context(), b, spansPrefix, "S01E01")
	if err != nil || len(got.ETags) != len(b.keys) || b.requests > 31 {
		t.Errorf("%d images by %d requests, %v", len(got.ETags), b.requests, err)
	}
}

// Whichever page fails, the listing fails: a part is never taken as the whole.
func TestSpansFailAsAWhole(t *testing.T) {
	var keys []string
	for i := range 5_000 {
		keys = append(keys, spansPrefix+dataset.FrameAt("S01E01", i).File())
	}
	for fails := range 6 {
		t.Run(fmt.Sprint("request ", fails+1), func(t *testing.T) {
			b := &sorted{keys: keys, fails: fails + 1}
			if got, err := dataset.Source(t.Context(), b, spansPrefix, "S01E01"); !errors.Is(err, errPage) {
				t.Errorf("%d images, %v", len(got.ETags), err)
			}
		})
	}
}
