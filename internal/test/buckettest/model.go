package buckettest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// model is what a bucket should hold, below a prefix of its own.
type model struct {
	ctx     context.Context //nolint:containedctx // The test's, for the life of the model.
	bucket  Bucket
	prefix  string
	objects map[string]string
}

// modelKeys are few, so that calls meet, and none is below another.
var modelKeys = rapid.SampledFrom([]string{"a-b", "a/b", "a/c/d", "a/c/e", "a0", "b_FRM-1", "b_FRM-2", "c/b_FRM-3"})

var modelBodies = rapid.SampledFrom([]string{"", "1", "2", "three"})

func testModel(t *testing.T, b Bucket) {
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		m := model{ctx: t.Context(), bucket: b, prefix: fmt.Sprintf("run-%d/", runs), objects: make(map[string]string)}
		steps := []func(*rapid.T){m.put, m.put, m.copy, m.delete, m.list}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			rapid.SampledFrom(steps).Draw(t, "step")(t)
		}
		m.same(t)
	})
}

func (m *model) put(t *rapid.T) {
	key, body := m.prefix+modelKeys.Draw(t, "key"), modelBodies.Draw(t, "body")
	old, there := m.objects[key]
	cond, want := bucket.Condition{}, error(nil)
	switch rapid.IntRange(0, 2).Draw(t, "condition") {
	case 1:
		cond.IfNoneMatch = true
		if there {
			want = bucket.ErrPrecondition
		}
	case 2:
		match := modelBodies.Draw(t, "match")
		cond.IfMatch = etagOf([]byte(match))
		if !there {
			want = bucket.ErrNotFound
		} else if match != old {
			want = bucket.ErrPrecondition
		}
	}
	if _, err := m.bucket.PutObject(m.ctx, key, []byte(body), cond); !errors.Is(err, want) {
		t.Fatalf("put %s %+v: %v, want %v", key, cond, err, want)
	}
	if want == nil {
		m.objects[key] = body
	}
}

func (m *model) copy(t *rapid.T) {
	src, dst := m.prefix+modelKeys.Draw(t, "src"), m.prefix+modelKeys.Draw(t, "dst")
	if src == dst {
		return // S3 refuses it, and no stage does it.
	}
	body, there := m.objects[src]
	match, want := "", error(nil)
	if rapid.Bool().Draw(t, "conditional") {
		matched := modelBodies.Draw(t, "match")
		match = etagOf([]byte(matched))
		if matched != body {
			want = bucket.ErrPrecondition
		}
	}
	if !there {
		want = bucket.ErrNotFound
	}
	if _, err := m.bucket.CopyObject(m.ctx, src, dst, match); !errors.Is(err, want) {
		t.Fatalf("copy %s %s: %v, want %v", src, dst, err, want)
	}
	if want == nil {
		m.objects[dst] = body
	}
}

func (m *model) delete(t *rapid.T) {
	keys := rapid.SliceOfNDistinct(modelKeys, 0, 4, rapid.ID).Draw(t, "keys")
	for i, key := range keys {
		keys[i] = m.prefix + key
		delete(m.objects, keys[i])
	}
	if failed, err := m.bucket.DeleteObjects(m.ctx, keys); err != nil || len(failed) > 0 {
		t.Fatalf("delete %q: %v, %v", keys, failed, err)
	}
}

func (m *model) list(t *rapid.T) {
	in := bucket.ListInput{
		Prefix:    m.prefix + rapid.SampledFrom([]string{"", "a", "a/", "a/c/", "b_", "c/b"}).Draw(t, "prefix"),
		Delimiter: rapid.SampledFrom([]string{"", "/", "_FRM-", "c"}).Draw(t, "delimiter"),
		MaxKeys:   rapid.IntRange(1, 5).Draw(t, "size"),
	}
	if in.Delimiter == "" && rapid.Bool().Draw(t, "start") {
		in.StartAfter = m.prefix + modelKeys.Draw(t, "after")
	}
	var got bucket.Page
	for page, err := range bucket.Pages(m.ctx, m.bucket, in) {
		if err != nil {
			t.Fatal(err)
		}
		got.Objects = append(got.Objects, page.Objects...)
		got.Prefixes = append(got.Prefixes, page.Prefixes...)
	}
	want := m.page(in)
	if !slices.Equal(got.Objects, want.Objects) || !slices.Equal(got.Prefixes, want.Prefixes) {
		t.Fatalf("list %+v:\n got %+v\nwant %+v", in, got, want)
	}
}

// page is the whole listing as the documentation of ListObjectsV2 words it.
func (m *model) page(in bucket.ListInput) (page bucket.Page) {
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		rest, ok := strings.CutPrefix(key, in.Prefix)
		if !ok || key <= in.StartAfter {
			continue
		}
		if before, _, found := strings.Cut(rest, in.Delimiter); found && in.Delimiter != "" {
			page.Prefixes = append(page.Prefixes, in.Prefix+before+in.Delimiter)
			continue
		}
		body := m.objects[key]
		page.Objects = append(page.Objects, bucket.Object{Key: key, ETag: etagOf([]byte(body)), Size: int64(len(body))})
	}
	page.Prefixes = slices.Compact(page.Prefixes)
	return page
}

// same compares every object's content.
func (m *model) same(t *rapid.T) {
	for key, body := range m.objects {
		c, err := m.bucket.GetObject(m.ctx, key, "")
		if err != nil || string(c.Body) != body {
			t.Fatalf("get %s: %q, %v; want %q", key, c.Body, err, body)
		}
	}
}
