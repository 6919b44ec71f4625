package worker

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
)

// memBucket is a bucket in memory. Its calls, except for the pointer's, take latency, and fail as
// fail decides before they do anything.
type memBucket struct {
	latency time.Duration
	// fail is asked at the beginning of each call, with S3's name of the call and its keys.
	fail func(ctx context.Context, op string, keys ...string) error
	kms  bool // copies get an ETag of their own

	mu      sync.Mutex
	objects map[string]string // key → body
	writes  []string          // "CopyObject key", "DeleteObjects key"
	calls   map[string]int
}

func newBucket(objects map[string]string) *memBucket {
	return &memBucket{objects: maps.Clone(objects), calls: map[string]int{}}
}

func etagOf(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// enter is the beginning of every call. The caller holds no lock.
func (b *memBucket) enter(ctx context.Context, op string, keys ...string) error {
	b.mu.Lock()
	b.calls[op]++
	b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(ctx, op, keys...); err != nil {
			return err
		}
	}
	if op != "GetObject" && retry.Sleep(ctx, b.latency) != nil {
		return s3Error(op, bucket.CodeTransport, 0)
	}
	return nil
}

func s3Error(op, code string, status int) *bucket.Error {
	return &bucket.Error{Op: op, Code: code, Status: status, Err: errors.New("refused by S3")}
}

func (b *memBucket) etag(key string) string {
	if etag, own := strings.CutPrefix(b.objects[key], "kms:"); own {
		return "kms-" + etagOf(etag)
	}
	return etagOf(b.objects[key])
}

func (b *memBucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	if err := b.enter(ctx, "CopyObject", src, dst); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, there := b.objects[src]
	switch {
	case !there:
		return "", s3Error("CopyObject", bucket.CodeNoSuchKey, 404)
	case ifMatch != "" && ifMatch != etagOf(body):
		return "", s3Error("CopyObject", bucket.CodePrecondition, 412)
	}
	if b.kms {
		body = "kms:" + body
	}
	b.objects[dst] = body
	b.writes = append(b.writes, "CopyObject "+dst)
	return b.etag(dst), nil
}

func (b *memBucket) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	if err := b.enter(ctx, "DeleteObjects", keys...); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		delete(b.objects, key)
		b.writes = append(b.writes, "DeleteObjects "+key)
	}
	return nil, nil
}

func (b *memBucket) HeadObject(ctx context.Context, key string) (bucket.Object, error) {
	if err := b.enter(ctx, "HeadObject", key); err != nil {
		return bucket.Object{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, there := b.objects[key]
	if !there {
		return bucket.Object{}, s3Error("HeadObject", bucket.CodeNoSuchKey, 404)
	}
	return bucket.Object{Key: key, ETag: b.etag(key), Size: int64(len(body))}, nil
}

// GetObject and PutObject are for the state alone.
func (b *memBucket) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	if err := b.enter(ctx, "GetObject", key); err != nil {
		return bucket.Content{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, there := b.objects[key]
	switch {
	case !there:
		return bucket.Content{}, s3Error("GetObject", bucket.CodeNoSuchKey, 404)
	case ifNoneMatch == etagOf(body):
		return bucket.Content{}, s3Error("GetObject", bucket.CodeNotModified, 304)
	}
	return bucket.Content{Body: []byte(body), ETag: etagOf(body)}, nil
}

func (b *memBucket) PutObject(_ context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, there := b.objects[key]
	if cond.IfNoneMatch && there || cond.IfMatch != "" && (!there || etagOf(old) != cond.IfMatch) {
		return "", s3Error("PutObject", bucket.CodePrecondition, 412)
	}
	b.objects[key] = string(body)
	return etagOf(string(body)), nil
}

func (b *memBucket) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

// ListObjects is for the question whether the state has a run.
func (b *memBucket) ListObjects(_ context.Context, in bucket.ListInput) (page bucket.Page, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.objects {
		if strings.HasPrefix(key, in.Prefix) && len(page.Objects) < in.MaxKeys {
			page.Objects = append(page.Objects, bucket.Object{Key: key})
		}
	}
	return page, nil
}

func (b *memBucket) written() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.writes)
}

// images are all objects but the program's own.
func (b *memBucket) images() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := maps.Clone(b.objects)
	maps.DeleteFunc(all, func(key, _ string) bool { return strings.HasPrefix(key, layout.State()) })
	return all
}
