package buckettest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

func testConditions(t *testing.T, b Bucket) {
	write := func(body string, cond bucket.Condition) (string, error) {
		return b.PutObject(t.Context(), "shuffle/current.json", []byte(body), cond)
	}
	_, err := write("0", bucket.Condition{IfMatch: etagOf(nil)})
	wantError(t, err, bucket.ErrNotFound, bucket.CodeNoSuchKey)
	first, err := write("1", bucket.Condition{IfNoneMatch: true})
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	_, err = write("2", bucket.Condition{IfNoneMatch: true})
	wantError(t, err, bucket.ErrPrecondition, bucket.CodePrecondition)
	second, err := write("2", bucket.Condition{IfMatch: first})
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	_, err = write("3", bucket.Condition{IfMatch: first})
	wantError(t, err, bucket.ErrPrecondition, bucket.CodePrecondition)
	if c, err := b.GetObject(t.Context(), "shuffle/current.json", ""); err != nil || string(c.Body) != "2" || c.ETag != second {
		t.Errorf("get: %q, %q, %v; want \"2\"", c.Body, c.ETag, err)
	}
}

// forward is a body of many equal blocks that is in memory nowhere.
type forward struct {
	block  []byte
	blocks int64
	at     int64
}

func (f *forward) Read(p []byte) (int, error) {
	if f.at == f.blocks*int64(len(f.block)) {
		return 0, io.EOF
	}
	n := copy(p, f.block[f.at%int64(len(f.block)):])
	f.at += int64(n)
	return n, nil
}

func (f *forward) Seek(offset int64, whence int) (int64, error) {
	f.at = offset + []int64{0, f.at, f.blocks * int64(len(f.block))}[whence]
	return f.at, nil
}

func testPutFrom(t *testing.T, b Bucket) {
	body := &forward{block: []byte("a line of forty characters, just about\n"), blocks: 100_000, at: 1234}
	want := bytes.Repeat(body.block, int(body.blocks))
	etag, err := b.PutObjectFrom(t.Context(), "versions/3/train.csv", body, bucket.Condition{IfNoneMatch: true})
	if err != nil || etag != etagOf(want) {
		t.Fatalf("put: %q, %v; want %q", etag, err, etagOf(want))
	}
	if c, err := b.GetObject(t.Context(), "versions/3/train.csv", ""); err != nil || !bytes.Equal(c.Body, want) {
		t.Errorf("get: %d bytes, %v; want %d", len(c.Body), err, len(want))
	}
	_, err = b.PutObjectFrom(t.Context(), "versions/3/train.csv", body, bucket.Condition{IfNoneMatch: true})
	wantError(t, err, bucket.ErrPrecondition, bucket.CodePrecondition)
	body.blocks = 0
	if etag, err = b.PutObjectFrom(t.Context(), "versions/3/train.csv", body, bucket.Condition{IfMatch: etag}); err != nil || etag != etagOf(nil) {
		t.Errorf("put nothing over it: %q, %v; want %q", etag, err, etagOf(nil))
	}
}

func testRacingCreators(t *testing.T, b Bucket) {
	const writers = 8
	won := make([]bool, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			_, err := b.PutObject(t.Context(), "lock", []byte(strconv.Itoa(i)), bucket.Condition{IfNoneMatch: true})
			if err != nil && !errors.Is(err, bucket.ErrPrecondition) {
				t.Errorf("put: %v", err)
			}
			won[i] = err == nil
		})
	}
	wg.Wait()
	winner := slices.Index(won, true)
	if winner < 0 || slices.Contains(won[winner+1:], true) {
		t.Fatalf("winners: %v, want one", won)
	}
	if c, err := b.GetObject(t.Context(), "lock", ""); err != nil || string(c.Body) != strconv.Itoa(winner) {
		t.Errorf("get: %q, %v; want %d", c.Body, err, winner)
	}
}

func testRacingUpdates(t *testing.T, b Bucket) {
	const writers, updates = 4, 5
	if _, err := b.PutObject(t.Context(), "n", []byte("0"), bucket.Condition{}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range updates {
				if err := increment(t, b, "n"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if c, err := b.GetObject(t.Context(), "n", ""); err != nil || string(c.Body) != strconv.Itoa(writers*updates) {
		t.Errorf("get: %s, %v; want %d", c.Body, err, writers*updates)
	}
}

// increment counts up by compare-and-swap.
func increment(t *testing.T, b Bucket, key string) error {
	for {
		c, err := b.GetObject(t.Context(), key, "")
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(c.Body))
		if err != nil {
			return err
		}
		_, err = b.PutObject(t.Context(), key, []byte(strconv.Itoa(n+1)), bucket.Condition{IfMatch: c.ETag})
		if !errors.Is(err, bucket.ErrPrecondition) {
			return err
		}
	}
}

func testCopy(t *testing.T, b Bucket) {
	put(t, b, "src/1.jpg", "src/2.jpg")
	for _, src := range []string{"src/1.jpg", "src/2.jpg"} { // The second overwrites the first.
		want := etagOf([]byte(src))
		if etag, err := b.CopyObject(t.Context(), src, "dst/new/x.jpg", want); err != nil || etag != want {
			t.Errorf("copy: %q, %v; want %q", etag, err, want)
		}
		wantContent(t, b, bucket.Object{Key: "dst/new/x.jpg", ETag: want, Size: int64(len(src))}, src)
	}
	if _, err := b.PutObject(t.Context(), "src/2.jpg", []byte("changed"), bucket.Condition{}); err != nil {
		t.Fatal(err)
	}
	wantContent(t, b, bucket.Object{Key: "dst/new/x.jpg", ETag: etagOf([]byte("src/2.jpg")), Size: 9}, "src/2.jpg")
	if etag, err := b.CopyObject(t.Context(), "src/2.jpg", "dst/new/x.jpg", ""); err != nil || etag != etagOf([]byte("changed")) {
		t.Errorf("copy without a condition: %q, %v", etag, err)
	}
}

func testCopyStale(t *testing.T, b Bucket) {
	put(t, b, "src", "dst")
	_, err := b.CopyObject(t.Context(), "src", "dst", etagOf([]byte("older")))
	wantError(t, err, bucket.ErrPrecondition, bucket.CodePrecondition)
	_, err = b.CopyObject(t.Context(), "src", "new", etagOf([]byte("older")))
	wantError(t, err, bucket.ErrPrecondition, bucket.CodePrecondition)
	if got := list(t, b, bucket.ListInput{}); !slices.Equal(got.keys, []string{"dst", "src"}) {
		t.Errorf("listed %q, want dst and src", got.keys)
	}
}

func testDelete(t *testing.T, b Bucket) {
	put(t, b, "a/b/1", "a/b/2", "a/c", "d")
	for _, keys := range [][]string{nil, {"a/b/1"}, {"a/b/1", "absent", "a/absent/x", "a/c"}, {"a", "a/b"}} {
		if failed, err := b.DeleteObjects(t.Context(), keys); err != nil || len(failed) > 0 {
			t.Errorf("delete %q: %v, %v", keys, failed, err)
		}
	}
	if got := list(t, b, bucket.ListInput{}); !slices.Equal(got.keys, []string{"a/b/2", "d"}) {
		t.Errorf("listed %q, want a/b/2 and d", got.keys)
	}
	if failed, err := b.DeleteObjects(t.Context(), []string{"a/b/2"}); err != nil || len(failed) > 0 {
		t.Errorf("delete: %v, %v", failed, err)
	}
	if got := list(t, b, bucket.ListInput{Delimiter: "/"}); len(got.prefixes) > 0 {
		t.Errorf("an emptied folder is still listed: %q", got.prefixes)
	}
	put(t, b, "a/b/2", "a/b/3")
}

func testDeleteLimit(t *testing.T, b Bucket) {
	put(t, b, "k0000", "k0999", "k1000")
	var keys []string
	for i := range bucket.MaxDeleteObjects + 1 {
		keys = append(keys, fmt.Sprintf("k%04d", i))
	}
	_, err := b.DeleteObjects(t.Context(), keys)
	wantError(t, err, nil, "MalformedXML")
	if got := list(t, b, bucket.ListInput{}); len(got.keys) != 3 {
		t.Errorf("a refused request deleted something: %q is left", got.keys)
	}
	if failed, err := b.DeleteObjects(t.Context(), keys[:bucket.MaxDeleteObjects]); err != nil || len(failed) > 0 {
		t.Errorf("delete: %v, %v", failed, err)
	}
	if got := list(t, b, bucket.ListInput{}); !slices.Equal(got.keys, []string{"k1000"}) {
		t.Errorf("listed %q, want k1000", got.keys)
	}
}

// testFolderRace has deletes empty folders while others write into them.
func testFolderRace(t *testing.T, b Bucket) {
	put(t, b, "src")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			keys := []string{fmt.Sprintf("x/y/z/%d", i), fmt.Sprintf("x/y/%d", i)}
			for range 15 {
				_, err := b.CopyObject(t.Context(), "src", keys[0], "")
				_, perr := b.PutObject(t.Context(), keys[1], nil, bucket.Condition{})
				failed, derr := b.DeleteObjects(t.Context(), keys)
				if err = errors.Join(err, perr, derr); err != nil || len(failed) > 0 {
					t.Errorf("%v, %v", err, failed)
				}
			}
		})
	}
	wg.Wait()
	if got := list(t, b, bucket.ListInput{}); !slices.Equal(got.keys, []string{"src"}) {
		t.Errorf("listed %q, want src", got.keys)
	}
}
