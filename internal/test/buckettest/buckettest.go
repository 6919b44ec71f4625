// Package buckettest has the contract of every bucket adapter: the behaviour of S3 on which the
// stages rely.
package buckettest

import (
	"context"
	"crypto/md5" //nolint:gosec // The ETag of S3 is the MD5.
	"encoding/hex"
	"errors"
	"io"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Bucket is all that an adapter does. A stage declares the few calls of it that it makes.
type Bucket interface {
	ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error)
	GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error)
	HeadObject(ctx context.Context, key string) (bucket.Object, error)
	PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (etag string, err error)
	PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (etag string, err error)
	CopyObject(ctx context.Context, src, dst, ifMatch string) (etag string, err error)
	DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error)
	OpenObject(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error)
}

// Run runs the contract. open returns a new empty bucket at each call.
func Run(t *testing.T, open func(t *testing.T) Bucket) {
	parts := []struct {
		name string
		test func(t *testing.T, b Bucket)
	}{
		{"put, get, head and open agree", testRead},
		{"an absent key is not found", testAbsent},
		{"a conditional get", testNotModified},
		{"odd keys", testOddKeys},
		{"keys that no bucket takes", testInvalidKeys},
		{"a listing is in the order of bytes", testListOrder},
		{"prefixes end anywhere", testListPrefix},
		{"pages", testListPages},
		{"StartAfter", testListStartAfter},
		{"delimiters", testListDelimiter},
		{"pages of rolled-up prefixes", testListDelimiterPages},
		{"a listing of keys only", testListKeysOnly},
		{"conditional puts", testConditions},
		{"a body that is not in memory", testPutFrom},
		{"one of many creators wins", testRacingCreators},
		{"no update is lost", testRacingUpdates},
		{"copy", testCopy},
		{"copy of a stale source", testCopyStale},
		{"delete", testDelete},
		{"delete takes 1,000 keys", testDeleteLimit},
		{"creates and deletes in one folder", testFolderRace},
		{"a cancelled context", testCancelled},
		{"any sequence of calls agrees with a map", testModel},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.test(t, open(t))
		})
	}
}

func etagOf(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // The ETag of S3 is the MD5.
	return hex.EncodeToString(sum[:])
}

// put writes objects whose body is their key.
func put(t *testing.T, b Bucket, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if _, err := b.PutObject(t.Context(), key, []byte(key), bucket.Condition{}); err != nil {
			t.Fatalf("put %q: %v", key, err)
		}
	}
}

// listing is every page of a listing, put together.
type listing struct {
	keys, prefixes []string
	pages          int
}

func list(t *testing.T, b Bucket, in bucket.ListInput) (l listing) {
	t.Helper()
	for page, err := range bucket.Pages(t.Context(), b, in) {
		if err != nil {
			t.Fatalf("list %+v: %v", in, err)
		}
		if in.MaxKeys > 0 && len(page.Objects)+len(page.Prefixes) > in.MaxKeys {
			t.Fatalf("a page of %d keys and %d prefixes; MaxKeys is %d", len(page.Objects), len(page.Prefixes), in.MaxKeys)
		}
		for _, o := range page.Objects {
			l.keys = append(l.keys, o.Key)
			if want := etagOf([]byte(o.Key)); o.ETag != want || o.Size != int64(len(o.Key)) {
				t.Errorf("list: %+v, want ETag %s and size %d", o, want, len(o.Key))
			}
		}
		l.prefixes = append(l.prefixes, page.Prefixes...)
		l.pages++
	}
	return l
}

// wantError fails unless err is the sentinel and an *Error of that code; a nil sentinel or an empty
// code is not compared.
func wantError(t *testing.T, err, sentinel error, code string) {
	t.Helper()
	var e *bucket.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want a *bucket.Error", err, err)
	}
	if sentinel != nil && !errors.Is(err, sentinel) {
		t.Errorf("error %v, want %v", err, sentinel)
	}
	if code != "" && e.Code != code {
		t.Errorf("code %s, want %s", e.Code, code)
	}
}
