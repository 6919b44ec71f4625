package benchserver_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/s3bucket"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
)

// openBucket opens a bucket of a server that holds the keys.
func openBucket(t *testing.T, o benchserver.Options, keys ...string) (*benchserver.Server, *s3bucket.Bucket) {
	t.Helper()
	s := benchserver.New(o)
	s.Fill("b", keys)
	return s, s3bucket.New(s3bucket.NewClient(awsConfig(t, s), 64), "b")
}

func TestStats(t *testing.T) {
	t.Parallel()
	s, b := openBucket(t, benchserver.Options{}, "a")
	for _, dst := range []string{"b", "c"} {
		if _, err := b.CopyObject(t.Context(), "a", dst, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.DeleteObjects(t.Context(), []string{"b", "c", "d"}); err != nil {
		t.Fatal(err)
	}
	got := s.Stats()
	if want := map[string]int{"CopyObject": 2, "DeleteObjects": 1}; !cmp.Equal(got.Requests, want) || got.Total() != 3 {
		t.Errorf("requests %v, want %v", got.Requests, want)
	}
	if got.Written != 5 || got.Refused != 0 || got.Connections != 1 || got.PeakConnections != 1 || got.Writing <= 0 {
		t.Errorf("stats %+v, want 5 objects written over one connection", got)
	}
	s.ResetStats()
	if got := s.Stats(); got.Total() != 0 || got.Written != 0 || got.Connections != 0 || got.OpenConnections > 1 {
		t.Errorf("stats after the reset: %+v, want the open connection at most", got)
	}
}

// TestSQSBilled: each started 64 KiB of messages is one billed request, for sends and receives. A
// queue holds the messages that are not deleted.
func TestSQSBilled(t *testing.T) {
	t.Parallel()
	s := benchserver.New(benchserver.Options{})
	client := sqsqueue.NewClient(awsConfig(t, s), 4)
	if _, err := sqsqueue.Setup(t.Context(), client, queue.Spec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	q, err := sqsqueue.New(t.Context(), client, "q")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name           string
		do             func() error
		billed, queued int
	}{
		{"a small message", func() error { return queue.SendAll(t.Context(), q, []queue.Entry{{Body: "a"}}) }, 1, 1},
		{"one of 64 KiB and another", func() error {
			return queue.SendAll(t.Context(), q, []queue.Entry{{Body: strings.Repeat("b", 64<<10)}, {Body: "c"}})
		}, 2, 3},
		{"all three received", func() error { _, err := q.ReceiveMessage(t.Context(), 10, 0); return err }, 2, 3},
		{"nothing received", func() error { _, err := q.ReceiveMessage(t.Context(), 10, 0); return err }, 1, 3},
	} {
		s.ResetStats()
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := s.Stats(); got.SQSBilled != step.billed || got.SQSRequests() != 1 || s.Messages("q") != step.queued {
			t.Errorf("%s: billed as %d, %d queued; want %d, %d", step.name, got.SQSBilled, s.Messages("q"), step.billed, step.queued)
		}
	}
	if n := s.Messages("none"); n != 0 {
		t.Errorf("a queue that does not exist holds %d", n)
	}
}

// TestAdd: added objects do not change the others.
func TestAdd(t *testing.T) {
	t.Parallel()
	s, b := openBucket(t, benchserver.Options{}, "p/a")
	s.Add("b", []string{"p/b", "q/a"})
	page, err := b.ListObjects(t.Context(), bucket.ListInput{})
	if err != nil || len(page.Objects) != 3 || page.Objects[0].ETag != page.Objects[2].ETag {
		t.Errorf("listed %+v, %v; want p/a, p/b and q/a, of the same content as p/a", page.Objects, err)
	}
}

// TestWritesBeyondTheLimit: one write is granted, and then none for most of a second.
func TestWritesBeyondTheLimit(t *testing.T) {
	t.Parallel()
	s, b := openBucket(t, benchserver.Options{WritesPerSecond: 1}, "a", "b", "c")
	failed, err := b.DeleteObjects(t.Context(), []string{"a", "b", "c"})
	if err != nil || len(failed) != 2 || failed[0].Key != "b" || failed[0].Code != bucket.CodeSlowDown {
		t.Errorf("deletes: failures %v, error %v; want b and c refused with %s", failed, err, bucket.CodeSlowDown)
	}
	s.Configure(benchserver.Options{})
	if _, err := b.CopyObject(t.Context(), "b", "d", ""); err != nil {
		t.Errorf("copy without a limit: %v", err)
	}
	if got := s.Stats(); got.Refused != 2 || got.Written != 2 {
		t.Errorf("stats %+v, want 2 written and 2 refused", got)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	const median = 30 * time.Millisecond
	_, b := openBucket(t, benchserver.Options{Write: benchserver.Latency{Median: median}}, "a")
	begun := time.Now()
	if _, err := b.CopyObject(t.Context(), "a", "b", ""); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < median {
		t.Errorf("a copy took %s, want at least %s", took, median)
	}
}

// TestOtherClients: the requests of clients other than the program.
func TestOtherClients(t *testing.T) {
	t.Parallel()
	s := benchserver.New(benchserver.Options{})
	s.Fill("b", []string{"p/a+b", "p/c&d/e", "q"})
	base := *awsConfig(t, s).BaseEndpoint
	for _, tc := range []struct {
		method, path, source string
		status               int
		body                 string // a part of the body
	}{
		{http.MethodHead, "/b", "", 200, ""},
		{http.MethodHead, "/none", "", 404, ""},
		{http.MethodGet, "/b?list-type=2&prefix=p/&delimiter=/", "", 200, "<Key>p/a+b</Key>"},
		{http.MethodGet, "/b?list-type=2&prefix=p/&delimiter=/", "", 200, "<Prefix>p/c&amp;d/</Prefix>"},
		{http.MethodGet, "/b?list-type=2&max-keys=0", "", 200, "<IsTruncated>false</IsTruncated>"},
		{http.MethodGet, "/b", "", 501, "NotImplemented"},
		{http.MethodPut, "/b/copy", "/b/p/c%26d/e", 200, "<CopyObjectResult"},
		{http.MethodPut, "/b/q", "b/q", 400, "InvalidRequest"},
		{http.MethodPut, "/b/x", "none/q", 404, "NoSuchBucket"},
		{http.MethodDelete, "/b/q", "", 204, ""},
		{http.MethodDelete, "/b", "", 409, "BucketNotEmpty"},
		{http.MethodPost, "/b?delete", "", 400, "MalformedXML"},
		{http.MethodPost, "/b/q?uploads", "", 501, "NotImplemented"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tc.method, base+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tc.source != "" {
			r.Header.Set("X-Amz-Copy-Source", tc.source)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != tc.status || !strings.Contains(string(body), tc.body) {
			t.Errorf("%s %s: %d %s, %v; want %d with %q", tc.method, tc.path, answer.StatusCode, body, err, tc.status, tc.body)
		}
	}
}

// TestOrder: a key that was deleted and written again is listed once.
func TestOrder(t *testing.T) {
	t.Parallel()
	var keys []string
	for i := range 50 {
		keys = append(keys, fmt.Sprintf("%02d", i))
	}
	_, b := openBucket(t, benchserver.Options{}, keys...)
	want := slices.Clone(keys)
	for i, key := range keys {
		if _, err := b.DeleteObjects(t.Context(), []string{key}); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if _, err := b.PutObject(t.Context(), key, nil, bucket.Condition{}); err != nil {
				t.Fatal(err)
			}
		} else {
			want = slices.DeleteFunc(want, func(k string) bool { return k == key })
		}
		page, err := b.ListObjects(t.Context(), bucket.ListInput{})
		var got []string
		for _, o := range page.Objects {
			got = append(got, o.Key)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("after %s: listed %q, %v; want %q", key, got, err, want)
		}
	}
}

// TestRange: a range of an object, which s5cmd requests. An object's content is the last part of
// its key.
func TestRange(t *testing.T) {
	t.Parallel()
	s := benchserver.New(benchserver.Options{})
	s.Fill("b", []string{"p/0123456789"})
	client := s3.NewFromConfig(awsConfig(t, s), func(o *s3.Options) { o.UsePathStyle = true })
	for asked, want := range map[string]string{"bytes=2-4": "234", "bytes=0-99999": "0123456789", "bytes=7-": "789"} {
		answer, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("p/0123456789"), Range: &asked})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil || string(body) != want || !strings.HasSuffix(aws.ToString(answer.ContentRange), "/10") {
			t.Errorf("%s: %q, %v, of range %s", asked, body, err, aws.ToString(answer.ContentRange))
		}
	}
}
