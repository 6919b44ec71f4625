package tracker_test

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
)

// memBucket is a bucket with S3's conditions, order of listings and pages.
type memBucket struct {
	mu      sync.Mutex
	objects map[string]object
	maxKeys int // of a page; small, so that the tests page
}

type object struct {
	body    []byte
	etag    string
	written time.Time
}

func newMemBucket() *memBucket { return &memBucket{objects: map[string]object{}, maxKeys: 7} }

func etagOf(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

func fault(op, key, code string, status int) error {
	return &bucket.Error{Op: op, Key: key, Code: code, Status: status, Err: errors.New(code)}
}

func (b *memBucket) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	if err := cmp.Or(ctx.Err(), nil); err != nil {
		return bucket.Content{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.objects[key]
	switch {
	case !ok:
		return bucket.Content{}, fault("GetObject", key, bucket.CodeNoSuchKey, 404)
	case ifNoneMatch == o.etag:
		return bucket.Content{}, fault("GetObject", key, bucket.CodeNotModified, 304)
	}
	return bucket.Content{Body: slices.Clone(o.body), ETag: o.etag, Age: time.Since(o.written)}, nil
}

func (b *memBucket) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.objects[key]
	switch {
	case cond.IfNoneMatch && ok, cond.IfMatch != "" && ok && o.etag != cond.IfMatch:
		return "", fault("PutObject", key, bucket.CodePrecondition, 412)
	case cond.IfMatch != "" && !ok:
		return "", fault("PutObject", key, bucket.CodeNoSuchKey, 404)
	}
	etag := etagOf(string(body))
	b.objects[key] = object{body: slices.Clone(body), etag: etag, written: time.Now()}
	return etag, nil
}

func (b *memBucket) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

// put writes an image.
func (b *memBucket) put(key, body string) {
	b.putAs(key, body, etagOf(body))
}

// putAs writes an image with an ETag of its own, as KMS and multipart uploads make it.
func (b *memBucket) putAs(key, body, etag string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects[key] = object{body: []byte(body), etag: etag, written: time.Now()}
}

func (b *memBucket) get(key string) (object, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.objects[key]
	return o, ok
}

func (b *memBucket) remove(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, key)
}

func (b *memBucket) keys(prefix string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(b.objects)), func(k string) bool { return !strings.HasPrefix(k, prefix) })
	return keys
}

func (b *memBucket) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	if ctx.Err() != nil {
		return bucket.Page{}, ctx.Err()
	}
	var page bucket.Page
	after := cmp.Or(in.Token, in.StartAfter)
	last := ""
	for _, key := range b.keys(in.Prefix) {
		if key <= after || strings.HasSuffix(after, in.Delimiter) && in.Delimiter != "" && strings.HasPrefix(key, after) {
			continue
		}
		if len(page.Objects)+len(page.Prefixes) == b.maxKeys {
			page.Next = last
			return page, nil
		}
		if i := strings.Index(key[len(in.Prefix):], in.Delimiter); in.Delimiter != "" && i >= 0 {
			rolled := key[:len(in.Prefix)+i+len(in.Delimiter)]
			if last != rolled {
				page.Prefixes = append(page.Prefixes, rolled)
			}
			last = rolled
			continue
		}
		o, _ := b.get(key)
		page.Objects = append(page.Objects, bucket.Object{Key: key, ETag: o.etag, Size: int64(len(o.body))})
		last = key
	}
	return page, nil
}

// memQueue is a queue with a visibility timeout and receive counts. Its time is the test bubble's.
type memQueue struct {
	visibility time.Duration

	mu       sync.Mutex
	messages []*memMessage
	sent     int
	wake     chan struct{}
}

type memMessage struct {
	queue.Message
	visible time.Time
}

func newMemQueue() *memQueue {
	return &memQueue{visibility: time.Minute, wake: make(chan struct{})}
}

func (q *memQueue) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(entries) == 0 || len(entries) > queue.MaxBatch {
		return nil, fmt.Errorf("batch of %d", len(entries))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range entries {
		q.sent++
		m := &memMessage{Message: queue.Message{ID: fmt.Sprintf("m%d", q.sent), Body: e.Body, Attributes: e.Attributes}}
		q.messages = append(q.messages, m)
	}
	close(q.wake)
	q.wake = make(chan struct{})
	return nil, nil
}

func (q *memQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	deadline := time.Now().Add(wait)
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		got, wake := q.take(most)
		left := time.Until(deadline)
		if len(got) > 0 || left <= 0 {
			return got, nil
		}
		timer := time.NewTimer(min(left, time.Second))
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (q *memQueue) take(most int) ([]queue.Message, <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var got []queue.Message
	for _, m := range q.messages {
		if len(got) < most && !time.Now().Before(m.visible) {
			m.ReceiveCount++
			m.Receipt = fmt.Sprintf("%s/%d", m.ID, m.ReceiveCount)
			m.visible = time.Now().Add(q.visibility)
			got = append(got, m.Message)
		}
	}
	return got, q.wake
}

func (q *memQueue) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var failed []queue.Failure
	for i, r := range receipts {
		at := slices.IndexFunc(q.messages, func(m *memMessage) bool { return m.Receipt == r })
		if at < 0 {
			failed = append(failed, queue.Failure{Index: i, Code: "ReceiptHandleIsInvalid", SenderFault: true})
			continue
		}
		q.messages = slices.Delete(q.messages, at, at+1)
	}
	return failed, nil
}

func (q *memQueue) ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var failed []queue.Failure
	for i, r := range receipts {
		at := slices.IndexFunc(q.messages, func(m *memMessage) bool { return m.Receipt == r })
		if at < 0 {
			failed = append(failed, queue.Failure{Index: i, Code: "ReceiptHandleIsInvalid", SenderFault: true})
			continue
		}
		q.messages[at].visible = time.Now().Add(timeout)
	}
	return failed, ctx.Err()
}

func (q *memQueue) GetQueueAttributes(ctx context.Context) (a queue.Attributes, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.messages {
		if time.Now().Before(m.visible) {
			a.InFlight++
		} else {
			a.Visible++
		}
	}
	return a, ctx.Err()
}

func (q *memQueue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.messages)
}

// purge empties the queue, as a person may do in the console.
func (q *memQueue) purge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = nil
}
