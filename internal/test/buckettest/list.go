package buckettest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// inOrder has folders and names that sort around the slash, and bytes that sort otherwise than
// characters of UTF-16.
var inOrder = []string{
	"A", "a!/x", "a-b", "a-b-c/d", "a.txt", "a/b", "a/b-c", "a/c/d", "a/c0", "a0/0x", "b/a/a/a", "b/a/b", "b0/x",
	"é", "\uffee", "\U0001f600",
}

func testListOrder(t *testing.T, b Bucket) {
	keys := slices.Sorted(slices.Values(inOrder))
	backwards := slices.Clone(keys)
	slices.Reverse(backwards)
	put(t, b, backwards...)
	if got := list(t, b, bucket.ListInput{}); !slices.Equal(got.keys, keys) {
		t.Errorf("got %q\nwant %q", got.keys, keys)
	}
	// LocalStack loses its place at a key that is not ASCII.
	keys = keys[:slices.Index(keys, "é")]
	if _, err := b.DeleteObjects(t.Context(), backwards[:len(backwards)-len(keys)]); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 5} {
		if got := list(t, b, bucket.ListInput{MaxKeys: size}); !slices.Equal(got.keys, keys) {
			t.Errorf("pages of %d:\n got %q\nwant %q", size, got.keys, keys)
		}
	}
}

func testListPrefix(t *testing.T, b Bucket) {
	put(t, b, "x/a/1", "x/ab/2", "x/abc", "x/b/3", "xa/4", "y")
	tests := []struct {
		prefix string
		want   []string
	}{
		{"x", []string{"x/a/1", "x/ab/2", "x/abc", "x/b/3", "xa/4"}},
		{"x/", []string{"x/a/1", "x/ab/2", "x/abc", "x/b/3"}},
		{"x/a", []string{"x/a/1", "x/ab/2", "x/abc"}},
		{"x/ab", []string{"x/ab/2", "x/abc"}},
		{"x/a/", []string{"x/a/1"}},
		{"x/abc", []string{"x/abc"}},
		{"x/abc/", nil},
		{"y/", nil},
		{"absent/", nil},
		{"z", nil},
	}
	for _, tt := range tests {
		if got := list(t, b, bucket.ListInput{Prefix: tt.prefix}); !slices.Equal(got.keys, tt.want) {
			t.Errorf("prefix %q: got %q, want %q", tt.prefix, got.keys, tt.want)
		}
	}
}

func testListPages(t *testing.T, b Bucket) {
	var keys []string
	for i := range 23 {
		keys = append(keys, fmt.Sprintf("f%d/%02d", i/10, i))
	}
	put(t, b, keys...)
	for _, tt := range []struct{ size, pages int }{{1, 23}, {10, 3}, {22, 2}, {23, 1}, {24, 1}, {5000, 1}} {
		got := list(t, b, bucket.ListInput{MaxKeys: tt.size})
		if !slices.Equal(got.keys, keys) || got.pages != tt.pages {
			t.Errorf("pages of %d: %d pages of %q, want %d", tt.size, got.pages, got.keys, tt.pages)
		}
	}
}

func testListStartAfter(t *testing.T, b Bucket) {
	keys := []string{"a/1", "a/2", "a/3/x", "b"}
	put(t, b, keys...)
	for after, want := range map[string][]string{
		"A": keys, "a/": keys, "a/1": keys[1:], "a/15": keys[1:], "a/3": keys[2:], "a/3/x": keys[3:], "a/3/z": keys[3:],
		"a0": keys[3:], "b": nil, "c": nil,
	} {
		for _, size := range []int{0, 1} {
			if got := list(t, b, bucket.ListInput{StartAfter: after, MaxKeys: size}); !slices.Equal(got.keys, want) {
				t.Errorf("after %q, pages of %d: got %q, want %q", after, size, got.keys, want)
			}
		}
	}
	if got := list(t, b, bucket.ListInput{Prefix: "a/", StartAfter: "a/2"}); !slices.Equal(got.keys, keys[2:3]) {
		t.Errorf("after a/2 with prefix a/: got %q", got.keys)
	}
}

// episodes is a folder of frames as the planner finds it, by a delimiter that is no slash.
var episodes = []string{
	"ML/train/Rare/TT_S01_E01_FRM-1.jpg", "ML/train/Rare/TT_S01_E01_FRM-2.jpg", "ML/train/Rare/TT_S01_E02_FRM-1.jpg",
	"ML/train/Rare/notes.txt", "ML/train/old/deep/TT_S01_E03_FRM-1.jpg", "ML/train/stray.jpg",
}

func testListDelimiter(t *testing.T, b Bucket) {
	put(t, b, episodes...)
	tests := []struct {
		prefix, delimiter string
		keys, prefixes    []string
	}{
		{"", "/", nil, []string{"ML/"}},
		{"ML/", "/", nil, []string{"ML/train/"}},
		{"ML/train/", "/", []string{"ML/train/stray.jpg"}, []string{"ML/train/Rare/", "ML/train/old/"}},
		{"ML/train/R", "/", nil, []string{"ML/train/Rare/"}},
		{"ML/train/Rare/", "_FRM-", []string{"ML/train/Rare/notes.txt"},
			[]string{"ML/train/Rare/TT_S01_E01_FRM-", "ML/train/Rare/TT_S01_E02_FRM-"}},
		{"ML/train/Rare/TT_", "_FRM-", nil, []string{"ML/train/Rare/TT_S01_E01_FRM-", "ML/train/Rare/TT_S01_E02_FRM-"}},
		{"ML/train/old", "_FRM-", nil, []string{"ML/train/old/deep/TT_S01_E03_FRM-"}},
		{"ML/tr", "in/", nil, []string{"ML/train/"}},
		{"ML/train/old/", "/", nil, []string{"ML/train/old/deep/"}},
		{"ML/absent/", "/", nil, nil},
	}
	for _, tt := range tests {
		got := list(t, b, bucket.ListInput{Prefix: tt.prefix, Delimiter: tt.delimiter})
		if !slices.Equal(got.keys, tt.keys) || !slices.Equal(got.prefixes, tt.prefixes) {
			t.Errorf("prefix %q, delimiter %q: got %q and %q, want %q and %q",
				tt.prefix, tt.delimiter, got.keys, got.prefixes, tt.keys, tt.prefixes)
		}
	}
}

func testListDelimiterPages(t *testing.T, b Bucket) {
	put(t, b, episodes...)
	for _, delimiter := range []string{"/", "_FRM-", "r"} {
		whole := list(t, b, bucket.ListInput{Prefix: "ML/train/", Delimiter: delimiter})
		for size := 1; size <= 4; size++ {
			got := list(t, b, bucket.ListInput{Prefix: "ML/train/", Delimiter: delimiter, MaxKeys: size})
			if !slices.Equal(got.keys, whole.keys) || !slices.Equal(got.prefixes, whole.prefixes) {
				t.Errorf("delimiter %q, pages of %d: got %q and %q, want %q and %q",
					delimiter, size, got.keys, got.prefixes, whole.keys, whole.prefixes)
			}
		}
	}
}

// testListKeysOnly: without the ETags, which some buckets then leave out, a listing has the same
// keys and sizes.
func testListKeysOnly(t *testing.T, b Bucket) {
	put(t, b, "a/1", "a/b/2", "a/c")
	page, err := b.ListObjects(t.Context(), bucket.ListInput{Prefix: "a/", Delimiter: "/", KeysOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range page.Objects {
		page.Objects[i].ETag = ""
	}
	want := []bucket.Object{{Key: "a/1", Size: 3}, {Key: "a/c", Size: 3}}
	if !slices.Equal(page.Objects, want) || !slices.Equal(page.Prefixes, []string{"a/b/"}) {
		t.Errorf("%+v", page)
	}
}
