package dirbucket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// GetObject reads a whole object. With ifNoneMatch, it returns bucket.ErrNotModified when the
// object has that ETag.
func (b *Bucket) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	const op = "GetObject"
	f, st, err := b.begin(ctx, op, key)
	if err != nil {
		return bucket.Content{}, err
	}
	defer f.Close() //nolint:errcheck // It was only read.
	var body bytes.Buffer
	body.Grow(int(st.Size()))
	sum, _, err := sumOf(f, &body)
	if err != nil {
		return bucket.Content{}, fail(op, key, err)
	}
	if ifNoneMatch != "" && sum.etag() == ifNoneMatch {
		return bucket.Content{}, &bucket.Error{Op: op, Key: key, Code: bucket.CodeNotModified,
			Status: http.StatusNotModified, Err: errors.New("the object still has that ETag")}
	}
	// For a time in the future, which a person may set, the age is negative, which means unknown.
	return bucket.Content{Body: body.Bytes(), ETag: sum.etag(), Age: time.Since(st.ModTime())}, nil
}

// HeadObject returns the ETag and size of an object.
func (b *Bucket) HeadObject(ctx context.Context, key string) (bucket.Object, error) {
	const op = "HeadObject"
	if err := b.check(ctx, op, key); err != nil {
		return bucket.Object{}, err
	}
	o, err := b.stat(key)
	if err != nil {
		return bucket.Object{}, fail(op, key, err)
	}
	return o, nil
}

// OpenObject opens an object for reading. The reader returns the content at the time of the
// opening, also when the object is overwritten or deleted meanwhile.
func (b *Bucket) OpenObject(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	const op = "GetObject"
	f, st, err := b.begin(ctx, op, key)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	o, err := b.object(key, f, st)
	if err != nil {
		_ = f.Close()
		return nil, bucket.Object{}, fail(op, key, err)
	}
	return f, o, nil
}

// begin checks the key and opens its file.
func (b *Bucket) begin(ctx context.Context, op, key string) (*os.File, fs.FileInfo, error) {
	if err := b.check(ctx, op, key); err != nil {
		return nil, nil, err
	}
	f, st, err := b.open(key)
	if err != nil && isAbsent(err) {
		if gone := b.here(op, key); gone != nil {
			return nil, nil, gone
		}
	}
	if err != nil {
		return nil, nil, fail(op, key, err)
	}
	return f, st, nil
}
