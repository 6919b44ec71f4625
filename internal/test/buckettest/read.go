package buckettest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

func testRead(t *testing.T, b Bucket) {
	const key = "a/b/c.json"
	for _, body := range []string{"first", "", strings.Repeat("a large one", 20_000)} {
		etag, err := b.PutObject(t.Context(), key, []byte(body), bucket.Condition{})
		if err != nil {
			t.Fatal(err)
		}
		want := bucket.Object{Key: key, ETag: etagOf([]byte(body)), Size: int64(len(body))}
		if etag != want.ETag {
			t.Errorf("put: ETag %q, want %q", etag, want.ETag)
		}
		wantContent(t, b, want, body)
	}
}

func wantContent(t *testing.T, b Bucket, want bucket.Object, body string) {
	t.Helper()
	c, err := b.GetObject(t.Context(), want.Key, "")
	if err != nil || string(c.Body) != body || c.ETag != want.ETag || c.Age < 0 {
		t.Errorf("get: %d bytes, ETag %q, age %v, %v; want %d bytes, %q, an age", len(c.Body), c.ETag, c.Age, err, len(body), want.ETag)
	}
	if got, err := b.HeadObject(t.Context(), want.Key); err != nil || got != want {
		t.Errorf("head: %+v, %v; want %+v", got, err, want)
	}
	r, got, err := b.OpenObject(t.Context(), want.Key)
	if err != nil {
		t.Fatal(err)
	}
	read, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil || string(read) != body || got != want {
		t.Errorf("open: %d bytes, %+v, %v; want %d bytes, %+v", len(read), got, err, len(body), want)
	}
}

func testAbsent(t *testing.T, b Bucket) {
	put(t, b, "folder/key")
	for _, key := range []string{"absent", "folder", "folder/absent", "folder/key/below"} {
		_, err := b.GetObject(t.Context(), key, "")
		wantError(t, err, bucket.ErrNotFound, bucket.CodeNoSuchKey)
		_, err = b.HeadObject(t.Context(), key)
		wantError(t, err, bucket.ErrNotFound, bucket.CodeNoSuchKey)
		_, _, err = b.OpenObject(t.Context(), key)
		wantError(t, err, bucket.ErrNotFound, bucket.CodeNoSuchKey)
		_, err = b.CopyObject(t.Context(), key, "copy", "")
		wantError(t, err, bucket.ErrNotFound, bucket.CodeNoSuchKey)
	}
}

func testNotModified(t *testing.T, b Bucket) {
	put(t, b, "state")
	c, err := b.GetObject(t.Context(), "state", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.GetObject(t.Context(), "state", c.ETag)
	wantError(t, err, bucket.ErrNotModified, bucket.CodeNotModified)
	if _, err := b.PutObject(t.Context(), "state", []byte("new"), bucket.Condition{}); err != nil {
		t.Fatal(err)
	}
	if c, err = b.GetObject(t.Context(), "state", c.ETag); err != nil || string(c.Body) != "new" {
		t.Errorf("get after a change: %q, %v", c.Body, err)
	}
}

var oddKeys = []string{
	"a+b %é/ü.jpg", "plus+and space", "100%", "%41", "quote'\"&<>;=?#", "tilde~*()!$,:@", "back\\slash", "日本/語.jpg",
	"dot.folder./.hidden", "..a/b..", "tab\tand\nnewline", strings.Repeat("long/", 200) + "key",
}

func testOddKeys(t *testing.T, b Bucket) {
	put(t, b, oddKeys...)
	if got := list(t, b, bucket.ListInput{}); len(got.keys) != len(oddKeys) {
		t.Errorf("listed %q, want %q", got.keys, oddKeys)
	}
	for i, key := range oddKeys {
		want := bucket.Object{Key: key, ETag: etagOf([]byte(key)), Size: int64(len(key))}
		wantContent(t, b, want, key)
		if _, err := b.CopyObject(t.Context(), key, fmt.Sprintf("copy %d%%+é", i), want.ETag); err != nil {
			t.Errorf("copy %q: %v", key, err)
		}
	}
	if failed, err := b.DeleteObjects(t.Context(), oddKeys); err != nil || len(failed) > 0 {
		t.Errorf("delete: %v, %v", failed, err)
	}
	for _, key := range list(t, b, bucket.ListInput{Prefix: "a+b %é/"}).keys {
		t.Errorf("%q is still there", key)
	}
}

func testInvalidKeys(t *testing.T, b Bucket) {
	put(t, b, "good")
	for _, key := range []string{"", strings.Repeat("x", 1025), "nul\x00", "not UTF-8 \xff"} {
		_, err := b.PutObject(t.Context(), key, nil, bucket.Condition{})
		wantError(t, err, nil, bucket.CodeInvalidKey)
		_, err = b.GetObject(t.Context(), key, "")
		wantError(t, err, nil, bucket.CodeInvalidKey)
		_, err = b.HeadObject(t.Context(), key)
		wantError(t, err, nil, bucket.CodeInvalidKey)
		_, _, err = b.OpenObject(t.Context(), key)
		wantError(t, err, nil, bucket.CodeInvalidKey)
		_, err = b.CopyObject(t.Context(), "good", key, "")
		wantError(t, err, nil, bucket.CodeInvalidKey)
		_, err = b.CopyObject(t.Context(), key, "copy", "")
		wantError(t, err, nil, bucket.CodeInvalidKey)
		failed, err := b.DeleteObjects(t.Context(), []string{key})
		if err != nil || len(failed) != 1 || failed[0].Code != bucket.CodeInvalidKey || failed[0].Key != key {
			t.Errorf("delete %.20q: %v, %v; want its own error %s", key, failed, err, bucket.CodeInvalidKey)
		}
	}
}

func testCancelled(t *testing.T, b Bucket) {
	put(t, b, "key")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.ListObjects(ctx, bucket.ListInput{})
	wantError(t, err, context.Canceled, bucket.CodeTransport)
	_, err = b.GetObject(ctx, "key", "")
	wantError(t, err, context.Canceled, bucket.CodeTransport)
	_, err = b.CopyObject(ctx, "key", "copy", "")
	wantError(t, err, context.Canceled, bucket.CodeTransport)
	_, err = b.DeleteObjects(ctx, []string{"key"})
	wantError(t, err, context.Canceled, bucket.CodeTransport)
}
