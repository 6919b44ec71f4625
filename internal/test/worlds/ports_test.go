package worlds

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/memqueue"
	"github.com/angel-nft/google-shuffle/messages"
)

// The world executes the calls, not their callers, so no context of a caller applies to them.
var always = context.Background()

// bucketPort is the bucket as one process sees it.
type bucketPort struct{ p *process }

func (b bucketPort) call(op, key string, k kind, what func() string) call {
	return call{op: op, on: key, kind: k, what: what, broken: func(err error) error {
		return &bucket.Error{Op: op, Key: key, Code: bucket.CodeTransport, Err: err}
	}}
}

// changing reports whether an object's content changes after its first write.
func changing(key string) bool {
	name := key[strings.LastIndexByte(key, '/')+1:]
	return name == "current.json" || name == "settings.json" || name == state.LedgerName || name == "latest.json" || name == "tags.json" || name == state.DeadName
}

func (b bucketPort) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	k := read
	if changing(key) {
		k = look
	}
	return ask(ctx, b.p, b.call("GetObject", key, k, noDetail), func() (bucket.Content, error) {
		return b.p.world.bucket.GetObject(always, key, ifNoneMatch)
	})
}

func (b bucketPort) HeadObject(ctx context.Context, key string) (bucket.Object, error) {
	return ask(ctx, b.p, b.call("HeadObject", key, look, noDetail), func() (bucket.Object, error) {
		return b.p.world.bucket.HeadObject(always, key)
	})
}

func (b bucketPort) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	k := read
	datasets := strings.HasPrefix(in.Prefix, layout.ML())
	if datasets || strings.HasPrefix(in.Prefix, layout.State()+"versions/") {
		k = look
	}
	return ask(ctx, b.p, b.call("ListObjectsV2", in.Prefix, k, func() string { return in.Delimiter }), func() (bucket.Page, error) {
		if datasets {
			b.p.world.judge.lists(b.p)
		}
		return b.p.world.bucket.ListObjects(always, in)
	})
}

func (b bucketPort) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	return ask(ctx, b.p, b.call("PutObject", key, write, func() string { return describeObject(key, body) }), func() (string, error) {
		etag, err := b.p.world.bucket.PutObject(always, key, body, cond)
		if err == nil {
			b.p.world.wrote(b.p, key, body)
		}
		return etag, err
	})
}

func (b bucketPort) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

// describeObject describes an object for the story.
func describeObject(key string, body []byte) string {
	var p state.Pointer
	if !strings.HasSuffix(key, "/current.json") || json.Unmarshal(body, &p) != nil {
		return ""
	}
	return fmt.Sprintf("generation %d %s, %d chunks sent, heartbeat %d", p.Generation, p.State, p.Published, p.Heartbeat)
}

func (b bucketPort) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	return ask(ctx, b.p, b.call("CopyObject", dst, write, noDetail), func() (string, error) {
		return b.p.world.copy(b.p, src, dst, ifMatch)
	})
}

func (b bucketPort) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	keys = slices.Sorted(slices.Values(keys))
	c := b.call("DeleteObjects", keys[0], write, func() string { return strings.Join(keys[1:], " ") })
	if len(keys) > 1 {
		c.partly = func() (any, error) {
			_, err := b.p.world.delete(b.p, keys[1:])
			return []*bucket.Error{{Op: "DeleteObjects", Key: keys[0], Code: bucket.CodeInternal, Err: errLost}}, err
		}
	}
	return ask(ctx, b.p, c, func() ([]*bucket.Error, error) { return b.p.world.delete(b.p, keys) })
}

// queuePort is a queue as one process sees it.
type queuePort struct {
	p    *process
	name string
	q    *memqueue.Queue
}

func (q queuePort) call(op string, k kind, what func() string) call {
	return call{op: op, on: q.name, kind: k, what: what, broken: func(err error) error {
		return fmt.Errorf("%s %s: %w", op, q.name, err)
	}}
}

func (q queuePort) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	// Sorted, because a worker's goroutines collect them in any order.
	ordered := slices.SortedFunc(slices.Values(entries), func(a, b queue.Entry) int { return strings.Compare(a.Body, b.Body) })
	c := q.call("SendMessageBatch", write, func() string { return describeMessages(ordered) })
	if len(entries) > 1 {
		c.partly = func() (any, error) {
			_, err := q.q.SendMessageBatch(always, ordered[1:])
			first := slices.IndexFunc(entries, func(e queue.Entry) bool { return e.Body == ordered[0].Body })
			return []queue.Failure{{Index: first, Code: "InternalError", Message: "try again"}}, err
		}
	}
	return ask(ctx, q.p, c, func() ([]queue.Failure, error) { return q.q.SendMessageBatch(always, ordered) })
}

func (q queuePort) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	c := q.call("ReceiveMessage", receive, noDetail)
	c.until = time.Now().Add(wait)
	c.ready = func() bool {
		at, ok := q.q.Next()
		return ok && !at.After(time.Now())
	}
	return ask(ctx, q.p, c, func() ([]queue.Message, error) { return q.q.ReceiveMessage(always, most, 0) })
}

func (q queuePort) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	return ask(ctx, q.p, q.call("DeleteMessageBatch", write, func() string { return listed(receipts) }), func() ([]queue.Failure, error) {
		return q.q.DeleteMessageBatch(always, receipts)
	})
}

func (q queuePort) ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error) {
	what := func() string { return fmt.Sprintf("%s %s", listed(receipts), timeout) }
	return ask(ctx, q.p, q.call("ChangeMessageVisibilityBatch", write, what), func() ([]queue.Failure, error) {
		return q.q.ChangeMessageVisibilityBatch(always, receipts, timeout)
	})
}

func (q queuePort) GetQueueAttributes(ctx context.Context) (queue.Attributes, error) {
	return ask(ctx, q.p, q.call("GetQueueAttributes", look, noDetail), func() (queue.Attributes, error) {
		return q.q.GetQueueAttributes(always)
	})
}

func listed(receipts []string) string {
	return strings.Join(slices.Sorted(slices.Values(receipts)), " ")
}

// describeMessages describes messages for the story.
func describeMessages(entries []queue.Entry) string {
	said := make([]string, len(entries))
	for i, e := range entries {
		said[i] = saying(e.Body)
	}
	return strings.Join(said, "; ")
}

func saying(body string) string {
	if t, err := messages.ParseTask(body); err == nil {
		return fmt.Sprintf("%s %s seq %d of generation %d, round %d", t.Op, t.Frame, t.Seq, t.Gen, t.Round)
	}
	r, err := messages.ParseResults(body)
	if err != nil {
		return body
	}
	said := make([]string, len(r.Results))
	for i, res := range r.Results {
		said[i] = fmt.Sprintf("seq %d %s", res.Seq, res.Outcome)
	}
	return fmt.Sprintf("generation %d: %s", r.Gen, listed(said))
}

// sheetPort is the sheets as one process sees them.
type sheetPort struct{ p *process }

func (s sheetPort) Values(ctx context.Context, spreadsheetID, _ string) (sheet.Values, error) {
	c := call{op: "values.batchGet", on: spreadsheetID, kind: read, what: noDetail, broken: func(err error) error { return err }}
	return ask(ctx, s.p, c, func() (sheet.Values, error) {
		e := dataset.Episode(spreadsheetID)
		s.p.read[e] = s.p.world.sheets[e]
		return s.p.read.values(e), nil
	})
}
