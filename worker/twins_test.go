package worker

import (
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
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/messages"
)

// memBucket is a bucket in memory. Its calls, except for the pointer's, take latency, and fail as
// fail says before they do anything.
type memBucket struct {
	latency time.Duration
	// fail is asked at the beginning of each call, with S3's name of the call and its keys.
	fail func(ctx context.Context, op string, keys ...string) error
	kms  bool // copies get an ETag of their own

	mu      sync.Mutex
	objects map[string]string // key → body
	writes  []string          // "CopyObject key", "DeleteObjects key"
	calls   map[string]int
}

func newBucket(objects map[string]string) *memBucket {
	return &memBucket{objects: maps.Clone(objects), calls: map[string]int{}}
}

func etagOf(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// enter is the beginning of every call; who calls holds no lock.
func (b *memBucket) enter(ctx context.Context, op string, keys ...string) error {
	b.mu.Lock()
	b.calls[op]++
	b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(ctx, op, keys...); err != nil {
			return err
		}
	}
	if op != "GetObject" && retry.Sleep(ctx, b.latency) != nil {
		return s3Error(op, bucket.CodeTransport, 0)
	}
	return nil
}

func s3Error(op, code string, status int) *bucket.Error {
	return &bucket.Error{Op: op, Code: code, Status: status, Err: errors.New("said S3")}
}

func (b *memBucket) etag(key string) string {
	if etag, own := strings.CutPrefix(b.objects[key], "kms:"); own {
		return "kms-" + etagOf(etag)
	}
	return etagOf(b.objects[key])
}

func (b *memBucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	if err := b.enter(ctx, "CopyObject", src, dst); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, there := b.objects[src]
	switch {
	case !there:
		return "", s3Error("CopyObject", bucket.CodeNoSuchKey, 404)
	case ifMatch != "" && ifMatch != etagOf(body):
		return "", s3Error("CopyObject", bucket.CodePrecondition, 412)
	}
	if b.kms {
		body = "kms:" + body
	}
	b.objects[dst] = body
	b.writes = append(b.writes, "CopyObject "+dst)
	return b.etag(dst), nil
}

func (b *memBucket) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	if err := b.enter(ctx, "DeleteObjects", keys...); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		delete(b.objects, key)
		b.writes = append(b.writes, "DeleteObjects "+key)
	}
	return nil, nil
}

func (b *memBucket) HeadObject(ctx context.Context, key string) (bucket.Object, error) {
	if err := b.enter(ctx, "HeadObject", key); err != nil {
		return bucket.Object{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, there := b.objects[key]
	if !there {
		return bucket.Object{}, s3Error("HeadObject", bucket.CodeNoSuchKey, 404)
	}
	return bucket.Object{Key: key, ETag: b.etag(key), Size: int64(len(body))}, nil
}

// GetObject and PutObject are for the state alone.
func (b *memBucket) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	if err := b.enter(ctx, "GetObject", key); err != nil {
		return bucket.Content{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, there := b.objects[key]
	switch {
	case !there:
		return bucket.Content{}, s3Error("GetObject", bucket.CodeNoSuchKey, 404)
	case ifNoneMatch == etagOf(body):
		return bucket.Content{}, s3Error("GetObject", bucket.CodeNotModified, 304)
	}
	return bucket.Content{Body: []byte(body), ETag: etagOf(body)}, nil
}

func (b *memBucket) PutObject(_ context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, there := b.objects[key]
	if cond.IfNoneMatch && there || cond.IfMatch != "" && (!there || etagOf(old) != cond.IfMatch) {
		return "", s3Error("PutObject", bucket.CodePrecondition, 412)
	}
	b.objects[key] = string(body)
	return etagOf(string(body)), nil
}

func (b *memBucket) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

// ListObjects is for the question whether the state has a run.
func (b *memBucket) ListObjects(_ context.Context, in bucket.ListInput) (page bucket.Page, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.objects {
		if strings.HasPrefix(key, in.Prefix) && len(page.Objects) < in.MaxKeys {
			page.Objects = append(page.Objects, bucket.Object{Key: key})
		}
	}
	return page, nil
}

func (b *memBucket) written() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.writes)
}

// images are all objects but the program's own.
func (b *memBucket) images() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := maps.Clone(b.objects)
	maps.DeleteFunc(all, func(key, _ string) bool { return strings.HasPrefix(key, layout.State()) })
	return all
}

// memQueue is a queue in memory, with SQS's visibility timeout and receive count.
type memQueue struct {
	latency     time.Duration
	visibility  time.Duration
	maxReceives int
	fail        func(op string) error

	mu       sync.Mutex
	messages []*memMessage
	sent     []queue.Entry
	lastSent time.Time
	calls    map[string]int
	arrived  chan struct{}
	extended []time.Duration // of every ChangeMessageVisibilityBatch, one a receipt
}

type memMessage struct {
	body     string
	receives int
	visible  time.Time
	gone     bool
}

func newQueue(bodies ...string) *memQueue {
	q := &memQueue{visibility: 60 * time.Second, calls: map[string]int{}, arrived: make(chan struct{}, 1)}
	for _, body := range bodies {
		q.messages = append(q.messages, &memMessage{body: body})
	}
	return q
}

func (q *memQueue) enter(ctx context.Context, op string) error {
	q.mu.Lock()
	q.calls[op]++
	q.mu.Unlock()
	if retry.Sleep(ctx, q.latency) != nil {
		return ctx.Err()
	}
	if q.fail != nil {
		return q.fail(op)
	}
	return nil
}

func (q *memQueue) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	if err := q.enter(ctx, "SendMessageBatch"); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lastSent = time.Now()
	for _, e := range entries {
		q.sent = append(q.sent, e)
		q.messages = append(q.messages, &memMessage{body: e.Body})
	}
	select {
	case q.arrived <- struct{}{}:
	default:
	}
	return nil, nil
}

func (q *memQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	if err := q.enter(ctx, "ReceiveMessage"); err != nil {
		return nil, err
	}
	for until := time.Now().Add(wait); ; {
		if msgs := q.take(most); len(msgs) > 0 || !time.Now().Before(until) {
			return msgs, nil
		}
		// A message may become visible without anyone telling.
		timer := time.NewTimer(min(100*time.Millisecond, time.Until(until)))
		select {
		case <-q.arrived:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (q *memQueue) take(most int) (msgs []queue.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	for i, m := range q.messages {
		if len(msgs) == most {
			break
		}
		if m.gone || now.Before(m.visible) {
			continue
		}
		m.receives++
		m.visible = now.Add(q.visibility)
		msgs = append(msgs, queue.Message{ID: fmt.Sprint(i), Body: m.body, Receipt: fmt.Sprintf("%d:%d", i, m.receives), ReceiveCount: m.receives})
	}
	return msgs
}

// each does something with the message of each receipt that is still good.
func (q *memQueue) each(receipts []string, do func(*memMessage)) (failed []queue.Failure) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for n, r := range receipts {
		var i, receives int
		if _, err := fmt.Sscanf(r, "%d:%d", &i, &receives); err != nil || q.messages[i].receives != receives || q.messages[i].gone {
			failed = append(failed, queue.Failure{Index: n, Code: "ReceiptHandleIsInvalid", SenderFault: true})
			continue
		}
		do(q.messages[i])
	}
	return failed
}

func (q *memQueue) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	if err := q.enter(ctx, "DeleteMessageBatch"); err != nil {
		return nil, err
	}
	return q.each(receipts, func(m *memMessage) { m.gone = true }), nil
}

func (q *memQueue) ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error) {
	if err := q.enter(ctx, "ChangeMessageVisibilityBatch"); err != nil {
		return nil, err
	}
	return q.each(receipts, func(m *memMessage) {
		m.visible = time.Now().Add(timeout)
		q.extended = append(q.extended, timeout)
	}), nil
}

func (q *memQueue) GetQueueAttributes(context.Context) (queue.Attributes, error) {
	return queue.Attributes{VisibilityTimeout: q.visibility, MaxReceiveCount: q.maxReceives}, nil
}

// left counts the messages that have not been deleted, and those of them that could be received
// now.
func (q *memQueue) left() (all, visible int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.messages {
		if m.gone {
			continue
		}
		all++
		if !time.Now().Before(m.visible) {
			visible++
		}
	}
	return all, visible
}

// results are those that were sent, in their order.
func (q *memQueue) results(t testing.TB) (all []messages.Result) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.sent {
		r, err := messages.ParseResults(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Results...)
	}
	return all
}

var layout = dataset.Layout{Prefix: "tuttle_twins"}

const episode = dataset.Episode("S01E01")

func srcKey(i int) string {
	return "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/" + dataset.FrameAt(episode, i).File()
}

func dstKey(i int, where, class string) string {
	return layout.Key(dataset.Place{Dataset: where, Class: class}, dataset.FrameAt(episode, i))
}

func body(i int) string { return fmt.Sprintf("image %d", i) }

const runName = "20261123T212443Z-7"

// taskOf makes the task of frame i, which is under train/Rare where the task finds it
// elsewhere.
func taskOf(i int, op messages.Op) messages.Task {
	t := messages.Task{V: 1, Run: runName, Gen: 7, Seq: uint32(i), Op: op, Frame: dataset.FrameAt(episode, i)}
	if op != messages.Delete {
		t.Src, t.SrcETag, t.Dst = srcKey(i), etagOf(body(i)), dstKey(i, "test", "Common")
	}
	if op == messages.Move || op == messages.Delete {
		t.Del = []string{dstKey(i, "train", "Rare")}
	}
	return t
}

// world is what a worker works on.
type world struct {
	bucket  *memBucket
	tasks   *memQueue
	results *memQueue
	deads   *memQueue
	store   *state.Store
	pointer state.PointerSnapshot
}

// newWorld has a run in force, the images of its tasks, and what the tasks find in the datasets.
func newWorld(t testing.TB, tasks ...messages.Task) *world {
	t.Helper()
	objects := map[string]string{}
	bodies := make([]string, len(tasks))
	for i, task := range tasks {
		objects[srcKey(int(task.Seq))] = body(int(task.Seq))
		for _, key := range task.Del {
			objects[key] = "old " + body(int(task.Seq))
		}
		if task.Op == messages.Refresh {
			objects[task.Dst] = "old " + body(int(task.Seq))
		}
		bodies[i] = task.Encode()
	}
	w := &world{bucket: newBucket(objects), tasks: newQueue(bodies...), results: newQueue(), deads: newQueue()}
	w.store = &state.Store{Bucket: w.bucket, Layout: layout}
	w.point(t, func(p *state.Pointer) {
		*p = state.Pointer{Generation: 7, Run: runName, State: state.Running, Tasks: 1_000_000, Fence: state.DefaultFence}
	})
	return w
}

// point changes the pointer.
func (w *world) point(t testing.TB, change func(*state.Pointer)) {
	t.Helper()
	next := w.pointer.Pointer
	change(&next)
	pointer, err := w.store.Swap(context.Background(), w.pointer, next)
	if err != nil {
		t.Fatal(err)
	}
	w.pointer = pointer
}

func (w *world) config() Config {
	return Config{
		ID: "worker-1", Layout: layout, Bucket: w.bucket, Tasks: w.tasks, Results: w.results, DeadLetters: w.deads, Pointer: w.store,
	}
}

// lastResult is when the last result was sent.
func (w *world) lastResult(t testing.TB) time.Time {
	t.Helper()
	w.results.mu.Lock()
	defer w.results.mu.Unlock()
	return w.results.lastSent
}

// receive takes one message from the tasks queue, as if at its nth receive.
func (w *world) receive(t testing.TB, receives int) queue.Message {
	t.Helper()
	msgs := w.tasks.take(1)
	if len(msgs) == 0 {
		t.Fatal("no message is visible")
	}
	msgs[0].ReceiveCount = receives
	return msgs[0]
}
