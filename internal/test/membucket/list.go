package membucket

import (
	"context"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// ListObjects returns a page of keys in the order of their bytes. The token of a page is the last
// entry of the previous page: a key or a common prefix.
func (b *Bucket) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	if err := check(ctx, "ListObjectsV2"); err != nil {
		return bucket.Page{}, err
	}
	if in.MaxKeys <= 0 || in.MaxKeys > bucket.MaxListKeys {
		in.MaxKeys = bucket.MaxListKeys
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var page bucket.Page
	last := ""
	for i := b.first(in); i < len(b.keys) && strings.HasPrefix(b.keys[i], in.Prefix); i++ {
		key := b.keys[i]
		if n := len(page.Prefixes); n > 0 && page.Prefixes[n-1] == last && strings.HasPrefix(key, last) {
			continue // rolled up already
		}
		if len(page.Objects)+len(page.Prefixes) == in.MaxKeys {
			page.Next = last
			return page, nil
		}
		last = key
		if before, _, found := strings.Cut(key[len(in.Prefix):], in.Delimiter); found && in.Delimiter != "" {
			last = in.Prefix + before + in.Delimiter
			page.Prefixes = append(page.Prefixes, last)
			continue
		}
		o := b.objects[key]
		page.Objects = append(page.Objects, bucket.Object{Key: key, ETag: o.etag, Size: int64(len(o.body))})
	}
	return page, nil
}

// first returns the index of a listing's first key. The caller holds b.mu.
func (b *Bucket) first(in bucket.ListInput) int {
	i, _ := slices.BinarySearch(b.keys, in.Prefix)
	after := max(in.StartAfter, in.Token)
	if after < in.Prefix {
		return i
	}
	for ; i < len(b.keys); i++ {
		key := b.keys[i]
		rolled := in.Delimiter != "" && in.Token != "" && strings.HasSuffix(in.Token, in.Delimiter) && strings.HasPrefix(key, in.Token)
		if key > after && !rolled {
			return i
		}
	}
	return i
}
