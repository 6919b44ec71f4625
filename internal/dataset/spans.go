package dataset

import (
	"context"
	"path"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// A listing of one episode's frames is split by the timecodes in their names, so that its pages are
// requested in parallel. S3 needs about 60 ms for a page, and an episode's images are 29 pages.
const (
	// usualFrames is the assumed length of an episode. The rest of a longer one is listed page by
	// page. For a shorter one some spans are empty.
	usualFrames = 20 * 60 * FPS
	// spanKeys is the expected number of keys in a span. It is less than a page, because frames of
	// one class are often consecutive.
	spanKeys = bucket.MaxListKeys * 95 / 100
)

// listFrames lists every entry below a prefix that ends with an episode's FramePrefix, page by page
// and in no order. When the first page is full and not the last, its keys show how dense the frames
// are. The rest is split accordingly and listed in parallel. Each key is in exactly one span,
// whatever its form, because spans end at keys and not at frames.
func listFrames(ctx context.Context, b bucket.Lister, prefix string, found func(bucket.Page)) error {
	first, err := bucket.List(ctx, b, bucket.ListInput{Prefix: prefix})
	if err != nil {
		return err
	}
	found(first)
	if first.Next == "" {
		return nil
	}
	var lock sync.Mutex
	s := span{bucket: b, prefix: prefix, found: func(page bucket.Page) {
		lock.Lock()
		defer lock.Unlock()
		found(page)
	}}
	cuts := cut(first.Objects)
	if len(cuts) == 0 {
		return s.list(ctx, bucket.ListInput{Prefix: prefix, Token: first.Next}, "")
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, after := range cuts {
		end := ""
		if i+1 < len(cuts) {
			end = cuts[i+1]
		}
		g.Go(func() error { return s.list(ctx, bucket.ListInput{Prefix: prefix, StartAfter: after}, end) })
	}
	return g.Wait()
}

// span lists a part of the keys below a prefix.
type span struct {
	bucket bucket.Lister
	prefix string
	found  func(bucket.Page)
}

// list lists from the start of the input to the key end, inclusive, or to the last key when end is
// "".
func (s span) list(ctx context.Context, from bucket.ListInput, end string) error {
	for page, err := range bucket.Pages(ctx, s.bucket, from) {
		if err != nil {
			return err
		}
		n := len(page.Objects)
		if end != "" {
			for n > 0 && page.Objects[n-1].Key > end {
				n--
			}
		}
		whole := len(page.Objects)
		page.Objects = page.Objects[:n]
		s.found(page)
		if n < whole || n > 0 && page.Objects[n-1].Key == end {
			return nil // the next span has the rest
		}
	}
	return nil
}

// cut returns the keys after which the spans start: the last key of the first page, then names
// between frames. It returns none when splitting does not help, or when the keys are not suitable.
func cut(page []bucket.Object) (after []string) {
	if len(page) < bucket.MaxListKeys {
		return nil
	}
	last := page[len(page)-1].Key
	from, ok := frameOf(path.Base(page[0].Key))
	to, also := frameOf(path.Base(last))
	if !ok || !also || to.Index() <= from.Index() {
		return nil
	}
	left := usualFrames - to.Index()
	keysPerFrame := float64(len(page)) / float64(to.Index()-from.Index()+1)
	spans := int(float64(left) * keysPerFrame / spanKeys)
	if spans < 2 {
		return nil
	}
	after = append(after, last)
	folder := strings.TrimSuffix(last, to.File())
	for i := 1; i < spans; i++ {
		after = append(after, folder+string(FrameAt(to.Episode(), to.Index()+left*i/spans)))
	}
	return after
}
