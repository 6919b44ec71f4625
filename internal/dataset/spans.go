package dataset

import (
	"context"
	"path"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Where the keys of a listing are frames of one episode, the timecodes in their names tell where to cut it, so that its pages
// need not wait for one another: a page takes S3 60 ms or so, and an episode's images are 29 pages.
const (
	// usualFrames is where an episode is taken to end. If it is longer, its rest is listed page by page; if it is shorter,
	// some spans come back empty.
	usualFrames = 20 * 60 * FPS
	// spanKeys are expected in a span: less than a page holds, since frames of one class come in runs.
	spanKeys = bucket.MaxListKeys * 9 / 10
)

// listFrames hands out every entry below a prefix that ends with an episode's FramePrefix, in no
// order, one page at a time. A page that is full and not the last tells how close the frames stand;
// what comes after it is cut accordingly and listed at once. Each key falls into exactly one span,
// whatever its form: spans are bounded by keys, not by frames.
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

// list walks from where the input begins up to and with the key end; to the last key when that is "".
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

// cut gives the keys after which the spans begin that follow a first page: its last key, then names between frames. None means that
// there is nothing to gain, or that the keys do not tell.
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
