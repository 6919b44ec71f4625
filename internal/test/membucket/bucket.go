// Package membucket is a bucket in memory, for tests that control everything that happens to it.
// Like every adapter it passes the contract of buckettest. It uses the process's clock, which in a
// synctest bubble is the bubble's.
package membucket

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // The ETag of S3 is the MD5.
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Bucket has objects. The zero value is an empty bucket. It is safe for concurrent use.
type Bucket struct {
	mu      sync.Mutex
	objects map[string]object
	keys    []string // of objects, in order
}

type object struct {
	body    []byte
	etag    string
	written time.Time
}

// maxKeyBytes is S3's limit ("Naming Amazon S3 objects").
const maxKeyBytes = 1024

var (
	errKey     = errors.New("a key has 1 to 1,024 bytes of UTF-8 without NUL")
	errAbsent  = errors.New("no such object")
	errChanged = errors.New("the object is not as the condition says")
	errKnown   = errors.New("the object is as the caller knows it")
	errTooMany = errors.New("a request deletes at most 1,000 keys")
)

// check is the beginning of every call.
func check(ctx context.Context, op string, keys ...string) error {
	if err := ctx.Err(); err != nil {
		return &bucket.Error{Op: op, Code: bucket.CodeTransport, Err: err}
	}
	for _, key := range keys {
		if key == "" || len(key) > maxKeyBytes || strings.IndexByte(key, 0) >= 0 || !utf8.ValidString(key) {
			return fail(op, key, bucket.CodeInvalidKey, http.StatusBadRequest, errKey)
		}
	}
	return nil
}

func fail(op, key, code string, status int, err error) *bucket.Error {
	return &bucket.Error{Op: op, Key: key, Code: code, Status: status, Err: err}
}

func absent(op, key string) error {
	return fail(op, key, bucket.CodeNoSuchKey, http.StatusNotFound, errAbsent)
}

func etagOf(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // The ETag of S3 is the MD5.
	return hex.EncodeToString(sum[:])
}

// find returns an object. The caller holds b.mu.
func (b *Bucket) find(op, key string) (object, error) {
	o, ok := b.objects[key]
	if !ok {
		return object{}, absent(op, key)
	}
	return o, nil
}

// set writes an object. The caller holds b.mu.
func (b *Bucket) set(key string, body []byte, etag string) {
	if b.objects == nil {
		b.objects = map[string]object{}
	}
	if i, found := slices.BinarySearch(b.keys, key); !found {
		b.keys = slices.Insert(b.keys, i, key)
	}
	b.objects[key] = object{body: body, etag: etag, written: time.Now()}
}

// GetObject reads an object, or returns bucket.ErrNotModified when its ETag is ifNoneMatch.
func (b *Bucket) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	if err := check(ctx, "GetObject", key); err != nil {
		return bucket.Content{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.find("GetObject", key)
	if err != nil {
		return bucket.Content{}, err
	}
	if ifNoneMatch == o.etag {
		return bucket.Content{}, fail("GetObject", key, bucket.CodeNotModified, http.StatusNotModified, errKnown)
	}
	return bucket.Content{Body: slices.Clone(o.body), ETag: o.etag, Age: time.Since(o.written).Truncate(time.Second)}, nil
}

// HeadObject returns an object as a listing does.
func (b *Bucket) HeadObject(ctx context.Context, key string) (bucket.Object, error) {
	if err := check(ctx, "HeadObject", key); err != nil {
		return bucket.Object{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.find("HeadObject", key)
	if err != nil {
		return bucket.Object{}, err
	}
	return bucket.Object{Key: key, ETag: o.etag, Size: int64(len(o.body))}, nil
}

// OpenObject reads an object as a stream.
func (b *Bucket) OpenObject(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	if err := check(ctx, "GetObject", key); err != nil {
		return nil, bucket.Object{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.find("GetObject", key)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	body := io.NopCloser(bytes.NewReader(slices.Clone(o.body)))
	return body, bucket.Object{Key: key, ETag: o.etag, Size: int64(len(o.body))}, nil
}

// PutObject writes an object if the condition is true.
func (b *Bucket) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	if err := check(ctx, "PutObject", key); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old, there := b.objects[key]
	switch {
	case cond.IfMatch != "" && !there:
		return "", absent("PutObject", key)
	case cond.IfNoneMatch && there, cond.IfMatch != "" && old.etag != cond.IfMatch:
		return "", fail("PutObject", key, bucket.CodePrecondition, http.StatusPreconditionFailed, errChanged)
	}
	etag := etagOf(body)
	b.set(key, slices.Clone(body), etag)
	return etag, nil
}

// PutObjectFrom is PutObject of a body that is read from its start.
func (b *Bucket) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return PutFrom(ctx, b.PutObject, key, body, cond)
}

// PutFrom is the PutObjectFrom of a bucket, or of what is before one, that has a PutObject.
func PutFrom(ctx context.Context, put func(context.Context, string, []byte, bucket.Condition) (string, error), key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	_, err := body.Seek(0, io.SeekStart)
	var all []byte
	if err == nil {
		all, err = io.ReadAll(body)
	}
	if err != nil {
		return "", &bucket.Error{Op: "PutObject", Key: key, Code: bucket.CodeTransport, Err: err}
	}
	return put(ctx, key, all, cond)
}

// CopyObject copies an object if the source's ETag is ifMatch, or unconditionally with "".
func (b *Bucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	if err := check(ctx, "CopyObject", src, dst); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.find("CopyObject", src)
	if err != nil {
		return "", err
	}
	if ifMatch != "" && ifMatch != o.etag {
		return "", fail("CopyObject", src, bucket.CodePrecondition, http.StatusPreconditionFailed, errChanged)
	}
	b.set(dst, o.body, o.etag)
	return o.etag, nil
}

// DeleteObjects deletes keys, there or not. Errors of single keys are in the answer.
func (b *Bucket) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	if err := check(ctx, "DeleteObjects"); err != nil {
		return nil, err
	}
	if len(keys) > bucket.MaxDeleteObjects {
		return nil, fail("DeleteObjects", "", "MalformedXML", http.StatusBadRequest, errTooMany)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var failed []*bucket.Error
	for _, key := range keys {
		var e *bucket.Error
		if errors.As(check(ctx, "DeleteObjects", key), &e) {
			failed = append(failed, e)
			continue
		}
		delete(b.objects, key)
		if i, found := slices.BinarySearch(b.keys, key); found {
			b.keys = slices.Delete(b.keys, i, i+1)
		}
	}
	return failed, nil
}
