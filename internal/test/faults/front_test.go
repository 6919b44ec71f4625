package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/s3bucket"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
	"github.com/angel-nft/google-shuffle/messages"
)

// pair is the same bucket and queue, through a front and directly.
type pair struct {
	front          *faults.Front
	bucket, truth  *s3bucket.Bucket
	queue, waiting *sqsqueue.Queue
}

func newPair(t *testing.T) pair {
	t.Helper()
	server := benchserver.New(benchserver.Options{})
	server.Fill("b", []string{"src", "key"})
	behind := httptest.NewServer(server)
	t.Cleanup(behind.Close)
	u, err := url.Parse(behind.URL)
	must(t, err)
	front := faults.New(faults.Before(u), 7)
	before := httptest.NewServer(front)
	t.Cleanup(before.Close)
	open := func(url string) (*s3bucket.Bucket, *sqsqueue.Queue) {
		cfg := aws.Config{Region: "us-west-2", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("me", "secret", "")}
		client := sqsqueue.NewClient(cfg, 4)
		_, err := sqsqueue.Setup(t.Context(), client, queue.Spec{Name: "q", VisibilityTimeout: time.Minute})
		must(t, err)
		q, err := sqsqueue.New(t.Context(), client, "q")
		must(t, err)
		return s3bucket.New(s3bucket.NewClient(cfg, 4), "b"), q
	}
	p := pair{front: front}
	p.truth, p.waiting = open(behind.URL)
	p.bucket, p.queue = open(before.URL)
	return p
}

// TestFaultsOfS3: the result that a client gets for one copy, and whether the copy was made.
func TestFaultsOfS3(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind faults.Kind
		code string // "" is success
		made bool
	}{
		{faults.InternalError, bucket.CodeInternal, false}, {faults.SlowDown, bucket.CodeSlowDown, false},
		{faults.Denied, bucket.CodeAccessDenied, false}, {faults.Cut, bucket.CodeTransport, false},
		{faults.Hang, bucket.CodeTransport, false}, {faults.Slow, "", true},
		{faults.AppliedError, bucket.CodeInternal, true}, {faults.AppliedCut, bucket.CodeTransport, true},
		{faults.Crash, bucket.CodeTransport, false}, {faults.CrashAfter, bucket.CodeTransport, true}, {faults.Event, "", true},
	} {
		p, called := newPair(t), atomic.Int64{}
		p.front.Add(faults.Rule{Kind: tt.kind, Op: "CopyObject", From: "me", Target: "dst", First: 1, Do: func(faults.Request) { called.Add(1) }})
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		_, err := p.bucket.CopyObject(ctx, "src", "dst", "")
		cancel()
		var e *bucket.Error
		if got := errors.As(err, &e); got != (tt.code != "") || got && e.Code != tt.code {
			t.Errorf("%s: %v, want %q", tt.kind, err, tt.code)
		}
		_, err = p.truth.HeadObject(t.Context(), "dst")
		if made := err == nil; made != tt.made || p.front.Counts()[tt.kind] != 1 {
			t.Errorf("%s: made %t, want %t; counts %v", tt.kind, made, tt.made, p.front.Counts())
		}
		if does := tt.kind == faults.Crash || tt.kind == faults.CrashAfter || tt.kind == faults.Event; (called.Load() == 1) != does {
			t.Errorf("%s: Do was called %d times", tt.kind, called.Load())
		}
		if _, err := p.bucket.CopyObject(t.Context(), "src", "dst", ""); err != nil {
			t.Errorf("after %s: %v", tt.kind, err)
		}
	}
}

// TestNotFound: one request does not find an existing object.
func TestNotFound(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.front.Add(faults.Rule{Kind: faults.NotFound, Target: "x", First: 1})
	if _, err := p.bucket.PutObject(t.Context(), "x", []byte("body"), bucket.Condition{}); err != nil {
		t.Errorf("a write: %v", err)
	}
	if _, err := p.bucket.GetObject(t.Context(), "x", ""); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("the first read: %v", err)
	}
	if _, err := p.bucket.GetObject(t.Context(), "x", ""); err != nil {
		t.Errorf("the second: %v", err)
	}
}

// TestConditionalWrites: the refusals affect only conditional writes.
func TestConditionalWrites(t *testing.T) {
	t.Parallel()
	for _, kind := range []faults.Kind{faults.Conflict, faults.Precondition} {
		p := newPair(t)
		p.front.Add(faults.Rule{Kind: kind, First: 1, Times: -1})
		if _, err := p.bucket.PutObject(t.Context(), "x", nil, bucket.Condition{}); err != nil {
			t.Errorf("%s: a write without a condition: %v", kind, err)
		}
		if _, err := p.bucket.PutObject(t.Context(), "y", nil, bucket.Condition{IfNoneMatch: true}); !errors.Is(err, bucket.ErrPrecondition) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestPages: listings of a small bucket have many pages, and the seventh page can fail.
func TestPages(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for i := range 30 {
		_, err := p.truth.PutObject(t.Context(), fmt.Sprintf("many/%02d", i), nil, bucket.Condition{})
		must(t, err)
	}
	p.front.PageSize = 4
	p.front.Add(faults.Rule{Kind: faults.Denied, Op: "ListObjectsV2", Page: 7, First: 2})
	for _, fails := range []bool{false, true, false} {
		n := 0
		var last error
		for page, err := range bucket.Pages(t.Context(), p.bucket, bucket.ListInput{Prefix: "many/"}) {
			n, last = n+len(page.Objects), err
		}
		if fails && (last == nil || n != 24) || !fails && (last != nil || n != 30) {
			t.Errorf("%d keys, %v; expected to fail: %t", n, last, fails)
		}
	}
}

// TestSkew: the server's clock becomes wrong for a client. One request is refused for it, as by
// AWS, and ages stay right.
func TestSkew(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.front.Skew("me", time.Hour)
	c, err := p.bucket.GetObject(t.Context(), "key", "")
	if err != nil || c.Age < 0 || c.Age > time.Minute || p.front.Counts()[faults.Skewed] != 1 {
		t.Errorf("age %s, %v; %v", c.Age, err, p.front.Counts())
	}
	if _, err := p.queue.SendMessageBatch(t.Context(), []queue.Entry{{Body: "a"}}); err != nil || p.front.Counts()[faults.Skewed] != 2 {
		t.Errorf("send: %v; %v", err, p.front.Counts())
	}
}

// TestFaultsOfSQS sends three messages, receives and deletes them under a rule for one of the
// calls.
func TestFaultsOfSQS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind            faults.Kind
		op              string
		failed          bool // entries of the call failed
		sent, got, left int  // right after the call; left at the end; -1: some, not all
	}{
		{faults.FailedEntries, "SendMessageBatch", true, -1, -1, 0},
		{faults.Delayed, "SendMessageBatch", false, -1, -1, 0},
		{faults.Duplicated, "SendMessageBatch", false, 3, 3, 0},
		{faults.Redelivered, "ReceiveMessage", false, 3, 3, 0},
		{faults.Reordered, "ReceiveMessage", false, 3, 3, 0},
		{faults.FailedEntries, "DeleteMessageBatch", true, 3, 3, -1},
		{faults.LostDelete, "DeleteMessageBatch", false, 3, 3, -1},
	} {
		p := newPair(t)
		p.front.Add(faults.Rule{Kind: tt.kind, Op: tt.op, First: 1})
		failed, err := p.queue.SendMessageBatch(t.Context(), []queue.Entry{{Body: "a"}, {Body: "b"}, {Body: "c"}})
		must(t, err)
		sent := visible(t, p.waiting)
		messages, err := p.queue.ReceiveMessage(t.Context(), 10, time.Second)
		must(t, err)
		var receipts []string
		for _, m := range messages {
			receipts = append(receipts, m.Receipt)
		}
		if tt.kind == faults.Redelivered {
			if n := visible(t, p.waiting); n != 3 {
				t.Errorf("%d messages can be received again", n)
			}
		}
		more, err := p.queue.DeleteMessageBatch(t.Context(), receipts)
		must(t, err)
		a, err := p.waiting.GetQueueAttributes(t.Context())
		must(t, err)
		if is(len(messages), tt.got) || is(sent, tt.sent) || is(a.Visible+a.InFlight, tt.left) && p.front.Late() == 0 || (len(failed)+len(more) > 0) != tt.failed {
			t.Errorf("%s of %s: %d sent, %d received, %d left, %d and %d failed", tt.kind, tt.op, sent, len(messages), a.Visible+a.InFlight, len(failed), len(more))
		}
		must(t, until(t.Context(), "late messages", time.Minute, func(context.Context) (bool, error) { return p.front.Late() == 0, nil }))
		if n := visible(t, p.waiting); (n > 0) != (tt.kind == faults.Delayed || tt.kind == faults.Duplicated) {
			t.Errorf("%s of %s: %d messages came late", tt.kind, tt.op, n)
		}
	}
}

// is reports whether n equals want; a want of -1 means some of the three, and not all.
func is(n, want int) bool {
	if want < 0 {
		return n < 0 || n > 2
	}
	return n != want
}

func visible(t *testing.T, q *sqsqueue.Queue) int {
	t.Helper()
	a, err := q.GetQueueAttributes(t.Context())
	must(t, err)
	return a.Visible
}

// TestLostReceive: the messages are invisible, and the client has none of them.
func TestLostReceive(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.front.Add(faults.Rule{Kind: faults.LostReceive, First: 1}, faults.Rule{Kind: faults.WrongCounts, First: 1})
	_, err := p.queue.SendMessageBatch(t.Context(), []queue.Entry{{Body: "a"}})
	must(t, err)
	if visible(t, p.queue) != 0 || visible(t, p.waiting) != 1 {
		t.Error("the counts are not wrong")
	}
	messages, err := p.queue.ReceiveMessage(t.Context(), 10, time.Second)
	a, more := p.waiting.GetQueueAttributes(t.Context())
	if err != nil || more != nil || len(messages) != 0 || a.InFlight != 1 {
		t.Errorf("%d messages, %d hidden, %v", len(messages), a.InFlight, errors.Join(err, more))
	}
}

// TestSameSeed: only the seed decides what happens to the n-th request.
func TestSameSeed(t *testing.T) {
	t.Parallel()
	hits := func(seed uint64) (hit []int) {
		f := faults.New(http.NotFoundHandler(), seed)
		f.Add(faults.Rule{Kind: faults.InternalError, Share: 0.3}, faults.Rule{Kind: faults.SlowDown, Op: "GetObject", Share: 0.3})
		for range 200 {
			w := httptest.NewRecorder()
			f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/b/key", nil))
			hit = append(hit, w.Code)
		}
		return hit
	}
	one, again, other := fmt.Sprint(hits(1)), fmt.Sprint(hits(1)), fmt.Sprint(hits(2))
	if one != again || one == other || !strings.Contains(one, "500") || !strings.Contains(one, "503") || !strings.Contains(one, "404") {
		t.Errorf("seed 1: %s\nagain:  %s\nseed 2: %s", one, again, other)
	}
}

// TestAudit: the audit reports each kind of write that a guarantee forbids.
func TestAudit(t *testing.T) {
	t.Parallel()
	const frame = "TT_S01_E01_FRM-00-00-08-12"
	src, rare, junk := "b/tt/s01e01/"+frame+".jpg", "tt/ML/test/Rare/"+frame+".jpg", "tt/ML/test/Junk/"+frame+".jpg"
	put := func(key, body string) faults.Request {
		return faults.Request{Op: "PutObject", From: "plan1", Target: key, Keys: []string{key}, Body: []byte(body)}
	}
	copied := func(source, key string) faults.Request {
		return faults.Request{Op: "CopyObject", Target: key, Keys: []string{key}, Source: source}
	}
	deleted := func(key string) faults.Request {
		return faults.Request{Op: "DeleteObjects", Target: key, Keys: []string{key}}
	}
	asked := func(t *testing.T, key string) faults.Request {
		task := messages.Task{V: messages.Version, Run: "r", Gen: 1, Op: messages.Delete, Frame: frame, Del: []string{key}}
		return faults.Request{Op: "SendMessageBatch", Body: encode(t, map[string]any{"Entries": []any{map[string]string{"MessageBody": task.Encode()}}})}
	}
	listed := faults.Request{Op: "ListObjectsV2", From: "plan1", Target: "tt/ML/test/"}
	begun := put("tt/shuffle/current.json", `{"generation":1,"state":"planning"}`)
	for _, tt := range []struct {
		name string
		asks []faults.Request
		want string
	}{
		{"fine", []faults.Request{begun, copied(src, rare), copied(src, junk), deleted(rare)}, ""},
		{"elsewhere", []faults.Request{put("tt/manifests/x", "")}, "outside tt/shuffle/"},
		{"no frame", []faults.Request{copied(src, "tt/ML/test/Rare/x.jpg")}, "no frame's key"},
		{"another image", []faults.Request{copied("b/tt/s01e01/other.jpg", rare)}, "a copy of"},
		{"another bucket", []faults.Request{copied("c/tt/s01e01/"+frame+".jpg", rare)}, "a copy of"},
		{"a source", []faults.Request{deleted("tt/s01e01/" + frame + ".jpg")}, "deletion of"},
		{"absent", []faults.Request{copied(src, rare), deleted(rare)}, "stands nowhere"},
		{"stale", []faults.Request{begun, listed, copied(src, rare)}, "generation 1 has listed"},
		{"one of two", []faults.Request{copied(src, rare), copied(src, junk), asked(t, rare)}, ""},
		{"asked for", []faults.Request{copied(src, rare), asked(t, rare)}, "asks to delete " + frame},
	} {
		a := faults.NewAudit(dataset.Layout{Prefix: "tt"}, "b")
		for _, q := range tt.asks {
			a.Asked(q)
			a.Applied(q, nil)
		}
		if got := a.Violations(); (len(got) > 0) != (tt.want != "") || len(got) > 0 && !strings.Contains(got[0], tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	must(t, err)
	return body
}
