package planner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
)

// call is one request to the bucket.
type call struct {
	op, key string // key or prefix
	at      time.Time
}

// tap is a bucket that records its requests and fails the ones that a test chooses.
type tap struct {
	*dirbucket.Bucket
	page int // the keys on a page of a listing; 0 is the limit of S3

	mu    sync.Mutex
	fail  func(c call, nth int) error // nth counts the calls with this op and key, from 1
	lose  string                      // the key of a PUT whose response will be lost
	calls []call
}

var errBroken = errors.New("the bucket is broken")

func (b *tap) note(op, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := call{op: op, key: key, at: time.Now()}
	b.calls = append(b.calls, c)
	if b.fail == nil {
		return nil
	}
	nth := 0
	for _, before := range b.calls {
		if before.op == op && before.key == key {
			nth++
		}
	}
	return b.fail(c, nth)
}

func (b *tap) failing(fail func(c call, nth int) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls, b.fail = nil, fail
}

// noted returns the calls since failing was called.
func (b *tap) noted() []call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

func (b *tap) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	if err := b.note("LIST", in.Prefix); err != nil {
		return bucket.Page{}, err
	}
	in.MaxKeys = b.page
	return b.Bucket.ListObjects(ctx, in)
}

func (b *tap) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	if err := b.note("GET", key); err != nil {
		return bucket.Content{}, err
	}
	return b.Bucket.GetObject(ctx, key, ifNoneMatch)
}

func (b *tap) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	if err := b.note("PUT", key); err != nil {
		return "", err
	}
	etag, err := b.Bucket.PutObject(ctx, key, body, cond)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil && key == b.lose {
		b.lose = ""
		err = errBroken
	}
	return etag, err
}

func (b *tap) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

// losing makes the next PUT of the key succeed and its response fail.
func (b *tap) losing(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lose = key
}

// sheetTap is a folder of sheets that fails the reads that a test chooses.
type sheetTap struct {
	Sheets
	mu   sync.Mutex
	fail map[string]error // by spreadsheet
	read []string
	// before, when set, is called before a sheet is read.
	before func(ctx context.Context, spreadsheetID string) error
}

func (s *sheetTap) Values(ctx context.Context, spreadsheetID, gid string) (sheet.Values, error) {
	s.mu.Lock()
	s.read = append(s.read, spreadsheetID)
	err := s.fail[spreadsheetID]
	s.mu.Unlock()
	if err == nil && s.before != nil {
		err = s.before(ctx, spreadsheetID)
	}
	if err != nil {
		return sheet.Values{}, err
	}
	return s.Sheets.Values(ctx, spreadsheetID, gid)
}

// memQueue is a queue that keeps its messages.
type memQueue struct {
	mu   sync.Mutex
	kept []string
	fail func(sent int) error // called before a batch; sent is the number of messages so far
}

func (q *memQueue) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(entries) == 0 || len(entries) > queue.MaxBatch {
		return nil, fmt.Errorf("batch of %d", len(entries))
	}
	if q.fail != nil {
		if err := q.fail(len(q.kept)); err != nil {
			return nil, err
		}
	}
	for _, e := range entries {
		q.kept = append(q.kept, e.Body)
	}
	return nil, nil
}

func (q *memQueue) bodies() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.kept)
}

func (q *memQueue) purge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.kept = nil
}
