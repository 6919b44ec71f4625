package dirbucket

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// readers is how many files of a page are read in parallel for their ETags.
const readers = 4

// ListObjects lists the keys of a prefix in the order of their bytes, as ListObjectsV2 does. A
// folder that cannot be read is an error, because missing keys would count as absent objects.
//
// The cost of a page depends on its own length: the token is the end of the previous page, and the
// walk continues from there.
func (b *Bucket) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	from := cursor{key: in.StartAfter}
	if in.Token != "" {
		var err error
		if from, err = parseToken(in.Token); err != nil {
			return bucket.Page{}, &bucket.Error{Op: "ListObjectsV2", Key: in.Prefix, Code: "InvalidArgument",
				Status: http.StatusBadRequest, Err: err}
		}
	}
	const op = "ListObjectsV2"
	if err := b.here(op, in.Prefix); err != nil {
		return bucket.Page{}, err
	}
	w := walker{bucket: b, from: from}
	keys, page, err := w.page(ctx, in)
	if err != nil {
		return bucket.Page{}, fail(op, in.Prefix, err)
	}
	if page.Objects, err = b.objects(ctx, keys, in.KeysOnly); err != nil {
		return bucket.Page{}, fail(op, in.Prefix, err)
	}
	// A folder that was removed meanwhile is not an empty listing.
	return page, b.here(op, in.Prefix)
}

// page walks until the page is full. It then takes one more step to know whether there is another
// page.
func (w *walker) page(ctx context.Context, in bucket.ListInput) (keys []string, page bucket.Page, err error) {
	limit := in.MaxKeys
	if limit <= 0 || limit > bucket.MaxListKeys {
		limit = bucket.MaxListKeys
	}
	if err := w.start(in.Prefix); err != nil {
		return nil, page, err
	}
	for {
		key, err := w.next(ctx)
		if err != nil || key == "" {
			return keys, page, err
		}
		if path, kind, skipped := strings.Cut(key, notObject); skipped {
			if _, ok := rollUp(strings.TrimSuffix(path, "/"), in.Prefix, in.Delimiter); !ok {
				page.Skipped = append(page.Skipped, bucket.Skipped{Key: path, Kind: kind})
			}
			w.from = cursor{key: key}
			continue
		}
		if len(keys)+len(page.Prefixes) == limit {
			page.Next = w.from.token()
			return keys, page, nil
		}
		if rolled, ok := rollUp(key, in.Prefix, in.Delimiter); ok {
			page.Prefixes = append(page.Prefixes, rolled)
			w.seek(cursor{key: rolled, whole: true})
			continue
		}
		keys = append(keys, key)
		w.from = cursor{key: key}
	}
}

// rollUp returns the key up to and including the first delimiter after the prefix.
func rollUp(key, prefix, delimiter string) (string, bool) {
	if delimiter == "" {
		return "", false
	}
	i := strings.Index(key[len(prefix):], delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(prefix)+i+len(delimiter)], true
}

// objects looks up the keys of a page. It skips a file that was removed after its folder was read.
func (b *Bucket) objects(ctx context.Context, keys []string, keysOnly bool) ([]bucket.Object, error) {
	found := make([]bucket.Object, len(keys))
	g, ctx := errgroup.WithContext(ctx)
	for first := range min(readers, len(keys)) {
		g.Go(func() error {
			for i := first; i < len(keys); i += readers {
				if err := ctx.Err(); err != nil {
					return err
				}
				o, err := b.look(keys[i], keysOnly)
				if err != nil && !isAbsent(err) {
					return err
				}
				found[i] = o
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	objects := found[:0]
	for _, o := range found {
		if o.Key != "" {
			objects = append(objects, o)
		}
	}
	return objects, nil
}

// look is stat. With keysOnly it does not read the file, and returns no ETag.
func (b *Bucket) look(key string, keysOnly bool) (bucket.Object, error) {
	if !keysOnly {
		return b.stat(key)
	}
	st, err := b.root().Lstat(key)
	if err != nil || !st.Mode().IsRegular() {
		return bucket.Object{}, orNoObject(err)
	}
	return bucket.Object{Key: key, Size: st.Size()}, nil
}

// cursor is a position in a listing: after the key, or with whole after all keys that start with
// it.
type cursor struct {
	key   string
	whole bool
}

func (c cursor) token() string {
	kind := "k"
	if c.whole {
		kind = "p"
	}
	return base64.RawURLEncoding.EncodeToString([]byte(kind + c.key))
}

var errToken = errors.New("the continuation token is not one of this bucket's")

func parseToken(token string) (cursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) == 0 || raw[0] != 'k' && raw[0] != 'p' {
		return cursor{}, errToken
	}
	return cursor{key: string(raw[1:]), whole: raw[0] == 'p'}, nil
}
