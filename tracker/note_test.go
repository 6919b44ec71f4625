package tracker_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// refusing is a bucket that refuses to list until a test lets it, and keeps the pointer's writes.
type refusing struct {
	state.Bucket
	mu     sync.Mutex
	open   bool
	writes int // of the pointer
}

func (b *refusing) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	b.mu.Lock()
	refuses := !b.open && strings.HasPrefix(in.Prefix, layout.ML())
	b.mu.Unlock()
	if refuses {
		return bucket.Page{}, &bucket.Error{Op: "list", Key: in.Prefix, Code: "AccessDenied", Status: 403}
	}
	return b.Bucket.ListObjects(ctx, in)
}

func (b *refusing) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	b.mu.Lock()
	if strings.HasSuffix(key, "current.json") {
		b.writes++
	}
	b.mu.Unlock()
	return b.Bucket.PutObject(ctx, key, body, cond)
}

// A tracker that cannot verify writes why into the pointer, seldom, and the end of the run takes
// the note away.
func TestCannotVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b := &refusing{Bucket: w.bucket}
		tr := w.tracker()
		tr.Options.UntilDone = false
		tr.Store = &state.Store{Bucket: b, Layout: layout}
		w.published(runName(1), 1, 3)
		w.work(nil)
		stop := follow(t, tr)
		defer stop()
		<-time.After(4 * time.Minute)
		status, err := state.ReadStatus(t.Context(), w.store, "")
		w.must(err)
		if status.State != state.Verifying || !strings.Contains(status.Note, "cannot verify") || !strings.Contains(status.Note, "AccessDenied") {
			t.Errorf("status %+v", status)
		}
		b.mu.Lock()
		if b.writes > 1+4 { // the change to verifying, and a note a minute
			t.Errorf("the pointer was written %d times in four minutes", b.writes)
		}
		b.open = true
		b.mu.Unlock()
		<-time.After(time.Minute)
		if ptr := w.pointer(); ptr.State != state.Succeeded || ptr.Note != "" {
			t.Errorf("pointer %+v", ptr)
		}
	})
}

// slowLists is a bucket whose listings take long.
type slowLists struct{ state.Bucket }

func (b slowLists) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	<-time.After(20 * time.Second)
	return b.Bucket.ListObjects(ctx, in)
}

// A tracker that finds a run in verifying when it starts notes that: the one before may have died
// of the verification.
func TestVerifyingTakenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 3)
		w.work(nil)
		b := &refusing{Bucket: w.bucket}
		first := w.tracker()
		first.Options.UntilDone = false
		first.Store = &state.Store{Bucket: b, Layout: layout}
		stop := follow(t, first)
		<-time.After(time.Second)
		stop()
		second := w.tracker()
		second.Options.UntilDone = false
		second.Store = &state.Store{Bucket: slowLists{w.bucket}, Layout: layout}
		stop = follow(t, second)
		defer stop()
		<-time.After(10 * time.Second)
		if ptr := w.pointer(); ptr.Run != plan.Run || !strings.Contains(ptr.Note, "a tracker ended before it had verified the run") {
			t.Errorf("pointer %+v", ptr)
		}
	})
}

// now are the messages that were sent to a queue so far, and those that it has, visible or in
// flight.
func (q *memQueue) now() (sent, has int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sent, len(q.messages)
}

// While a run is active its tracker has a message of its own on the results queue, visible or in
// flight, so that the queue's metrics show that it is needed. It changes nothing, is sent anew
// before it was received too often, and goes with the end of the run.
func TestKeepsItselfAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tr, results, _ := w.idle()
		tr.Awake = results
		tr.Options.Stall = 24 * time.Hour
		stop := follow(t, tr)
		defer func() { stop() }()
		before, _ := results.now()
		<-time.After(2 * time.Hour)
		if sent, _ := results.now(); sent != before {
			t.Errorf("%d messages while no run is active", sent-before)
		}
		w.published(runName(2), 2, 3)
		<-time.After(10 * time.Second)
		for range 240 {
			<-time.After(30 * time.Second)
			if _, has := results.now(); has == 0 {
				t.Fatal("the results queue has no message while a run is active")
			}
		}
		if sent, _ := results.now(); sent-before < 12 || sent-before > 14 {
			t.Errorf("%d messages in two hours of a run that does not go on", sent-before)
		}
		stop()
		second := w.tracker()
		second.Options.UntilDone, second.Awake = false, results
		stop = follow(t, second) // which knows nothing of the first one's message
		w.work(nil)
		<-time.After(10 * time.Minute)
		_, has := results.now()
		if ptr := w.pointer(); ptr.State != state.Succeeded || w.exists(state.UnreadableName) || has > 0 {
			t.Errorf("pointer %+v, %d messages", ptr, has)
		}
	})
}
