package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// failing makes the nth call of an operation fail, and all after it with n 0.
func failing(op string, n int, err error) func(context.Context, string, ...string) error {
	calls := 0
	return func(_ context.Context, got string, _ ...string) error {
		if got != op {
			return nil
		}
		if calls++; n == 0 || calls == n {
			return err
		}
		return nil
	}
}

// deliver takes one message through process in the caller's goroutine, by batches of one.
func (w *Worker) deliver(ctx context.Context, m queue.Message) {
	for _, b := range []*batcher{w.deletes, w.deadLetters, w.reports, w.acknowledgements, w.returns} {
		b.size = always(1)
	}
	r := &receiver{Worker: w, process: func(d *delivery) {
		if d.invalid == nil {
			w.turns <- struct{}{}
		}
		w.process(ctx, ctx, d)
	}}
	r.accept([]queue.Message{m}, w.inFlight.reserve(ctx, 1))
	w.others.write(ctx)
}

// TestProcess is what becomes of one delivery, case by case: the writes in their order, the result,
// and whether the message is deleted, sent to the dead-letter queue or returned.
func TestProcess(t *testing.T) {
	dst, old := dstKey(1, "test", "Common"), dstKey(1, "train", "Rare")
	slow := s3Error("CopyObject", bucket.CodeSlowDown, 503)
	tests := []struct {
		name         string
		op           messages.Op
		receives     int // 1 when 0
		round        uint32
		world        func(testing.TB, *world)
		writes       []string
		result       messages.Result // without Seq and Attempts
		none         bool            // no result
		deadLettered bool
		back         bool // returned for later
		heads        int
	}{
		{name: "copy", op: messages.Copy, writes: []string{"CopyObject " + dst}, result: messages.Result{Outcome: messages.Copied, ETag: etagOf(body(1))}},
		{name: "move deletes after the copy", op: messages.Move, writes: []string{"CopyObject " + dst, "DeleteObjects " + old},
			result: messages.Result{Outcome: messages.Moved, ETag: etagOf(body(1))}},
		{name: "refresh", op: messages.Refresh, writes: []string{"CopyObject " + dst}, result: messages.Result{Outcome: messages.Refreshed, ETag: etagOf(body(1))}},
		{name: "delete", op: messages.Delete, writes: []string{"DeleteObjects " + old}, result: messages.Result{Outcome: messages.Deleted}},

		{name: "redelivered and not done", op: messages.Copy, receives: 2, heads: 1, writes: []string{"CopyObject " + dst},
			result: messages.Result{Outcome: messages.Copied, ETag: etagOf(body(1))}},
		{name: "redelivered and done", op: messages.Move, receives: 2, heads: 1, writes: []string{"DeleteObjects " + old},
			world:  func(_ testing.TB, w *world) { w.bucket.objects[dst] = body(1) },
			result: messages.Result{Outcome: messages.Moved, ETag: etagOf(body(1))}},
		{name: "a later round looks first", op: messages.Copy, round: 2, heads: 1,
			world:  func(_ testing.TB, w *world) { w.bucket.objects[dst] = body(1) },
			result: messages.Result{Outcome: messages.Copied, ETag: etagOf(body(1)), Round: 2}},
		{name: "a look without the right to list", op: messages.Copy, receives: 2, heads: 1, writes: []string{"CopyObject " + dst},
			world: func(_ testing.TB, w *world) {
				w.bucket.fail = failing("HeadObject", 0, s3Error("HeadObject", bucket.CodeAccessDenied, 403))
			},
			result: messages.Result{Outcome: messages.Copied, ETag: etagOf(body(1))}},

		{name: "the source changed after the plan", op: messages.Copy, heads: 1, writes: []string{"CopyObject " + dst},
			world:  func(_ testing.TB, w *world) { w.bucket.objects[srcKey(1)] = "newer" },
			result: messages.Result{Outcome: messages.Copied, ETag: etagOf("newer"), SrcETag: etagOf("newer")}},
		{name: "the source is empty since the plan", op: messages.Refresh, heads: 1, none: true, back: true,
			world: func(_ testing.TB, w *world) { w.bucket.objects[srcKey(1)] = "" }},
		{name: "the source stays empty", op: messages.Refresh, receives: 5, heads: 2, deadLettered: true,
			world: func(_ testing.TB, w *world) { w.bucket.objects[srcKey(1)] = "" },
			result: messages.Result{Outcome: messages.Dead, Code: "EmptySource",
				Error: "CopyObject " + srcKey(1) + ": EmptySource: source image is empty (0 bytes) since the plan; the datasets keep what they have"}},
		{name: "a copy with an ETag of its own", op: messages.Copy, writes: []string{"CopyObject " + dst},
			world:  func(_ testing.TB, w *world) { w.bucket.kms = true },
			result: messages.Result{Outcome: messages.Copied, ETag: "kms-" + etagOf(body(1)), SrcETag: etagOf(body(1))}},
		{name: "a source that never stops changing", op: messages.Copy, heads: 3, none: true, back: true,
			world: func(_ testing.TB, w *world) {
				w.bucket.fail = failing("CopyObject", 0, s3Error("CopyObject", bucket.CodePrecondition, 412))
			}},
		{name: "the source is gone", op: messages.Move, deadLettered: true,
			world:  func(_ testing.TB, w *world) { delete(w.bucket.objects, srcKey(1)) },
			result: messages.Result{Outcome: messages.Dead, Code: bucket.CodeNoSuchKey, Error: "source image is gone: CopyObject : NoSuchKey: refused by S3"}},
		{name: "the source is gone, an older copy inDatasets", op: messages.Move, receives: 3, heads: 1, deadLettered: true,
			world: func(_ testing.TB, w *world) {
				delete(w.bucket.objects, srcKey(1))
				w.bucket.objects[dst] = "older"
			},
			result: messages.Result{Outcome: messages.Dead, Code: bucket.CodeNoSuchKey, Error: "source image is gone: CopyObject : NoSuchKey: refused by S3"}},

		{name: "denied", op: messages.Copy, deadLettered: true,
			world: func(_ testing.TB, w *world) {
				w.bucket.fail = failing("CopyObject", 0, s3Error("CopyObject", bucket.CodeAccessDenied, 403))
			},
			result: messages.Result{Outcome: messages.Dead, Code: bucket.CodeAccessDenied, Error: "CopyObject : AccessDenied: refused by S3"}},
		{name: "a passing error", op: messages.Copy, none: true, back: true,
			world: func(_ testing.TB, w *world) {
				w.bucket.fail = failing("CopyObject", 1, s3Error("CopyObject", bucket.CodeInternal, 500))
			}},
		{name: "a passing error of the delete", op: messages.Move, none: true, back: true, writes: []string{"CopyObject " + dst},
			world: func(_ testing.TB, w *world) {
				w.bucket.fail = failing("DeleteObjects", 1, s3Error("DeleteObjects", bucket.CodeTransport, 0))
			}},
		{name: "a passing error at the last receive", op: messages.Copy, receives: 5, heads: 1, deadLettered: true,
			world: func(_ testing.TB, w *world) {
				w.bucket.fail = failing("CopyObject", 0, s3Error("CopyObject", bucket.CodeInternal, 500))
			},
			result: messages.Result{Outcome: messages.Dead, Code: bucket.CodeInternal, Error: "CopyObject : InternalError: refused by S3"}},
		{name: "throttled burns no attempt", op: messages.Move, receives: 5, heads: 1, writes: []string{"CopyObject " + dst, "DeleteObjects " + old},
			world: func(_ testing.TB, w *world) {
				first := failing("CopyObject", 1, slow)
				second := failing("DeleteObjects", 1, slow)
				w.bucket.fail = func(ctx context.Context, op string, keys ...string) error {
					return errors.Join(first(ctx, op, keys...), second(ctx, op, keys...))
				}
			},
			result: messages.Result{Outcome: messages.Moved, ETag: etagOf(body(1))}},

		{name: "an older generation", op: messages.Move, world: func(t testing.TB, w *world) {
			w.point(t, func(p *state.Pointer) { p.Generation, p.Run = 8, "another" })
		}, result: messages.Result{Outcome: messages.Superseded}},
		{name: "another run of the generation", op: messages.Move, world: func(t testing.TB, w *world) {
			w.point(t, func(p *state.Pointer) { p.Run = "another" })
		}, result: messages.Result{Outcome: messages.Superseded}},
		{name: "cancelled", op: messages.Delete, world: inState(state.Cancelled), result: messages.Result{Outcome: messages.Superseded}},
		{name: "verifying", op: messages.Copy, world: inState(state.Verifying), result: messages.Result{Outcome: messages.Superseded}},
		{name: "publishing", op: messages.Copy, world: inState(state.Publishing), writes: []string{"CopyObject " + dst},
			result: messages.Result{Outcome: messages.Copied, ETag: etagOf(body(1))}},
		{name: "planning, which cannot have sent it", op: messages.Copy, world: inState(state.Planning), none: true, back: true},
		{name: "a newer generation than the pointer's", op: messages.Copy, none: true, back: true,
			world: func(t testing.TB, w *world) {
				w.point(t, func(p *state.Pointer) { p.Generation = 6 })
			}},
		{name: "a seq that the run does not have", op: messages.Copy, none: true, deadLettered: true,
			world: func(t testing.TB, w *world) { w.point(t, func(p *state.Pointer) { p.Tasks = 1 }) }},
		{name: "no pointer at all", op: messages.Copy, none: true, back: true,
			world: func(_ testing.TB, w *world) { delete(w.bucket.objects, layout.State()+"current.json") }},
		{name: "an unreadable pointer", op: messages.Copy, receives: 4, none: true, back: true,
			world: func(_ testing.TB, w *world) {
				w.bucket.fail = failing("GetObject", 0, s3Error("GetObject", bucket.CodeSlowDown, 503))
			}},
		// Its tracker puts it back.
		{name: "an unreadable pointer, at the last receive", op: messages.Copy, receives: 9, none: true, deadLettered: true,
			world: func(_ testing.TB, w *world) {
				w.bucket.fail = failing("GetObject", 0, s3Error("GetObject", bucket.CodeSlowDown, 503))
			}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				task := taskOf(1, test.op)
				task.Round = test.round
				w := newWorld(t, task)
				if test.world != nil {
					test.world(t, w)
				}
				receives := max(test.receives, 1)
				msg := w.receive(t, receives)
				New(w.config()).deliver(t.Context(), msg)

				if got := w.bucket.written(); !slices.Equal(got, test.writes) {
					t.Errorf("writes %q, want %q", got, test.writes)
				}
				if got := w.bucket.calls["HeadObject"]; got != test.heads {
					t.Errorf("%d HEADs, want %d", got, test.heads)
				}
				test.result.Seq, test.result.Attempts = 1, receives
				want := []messages.Result{test.result}
				if test.none {
					want = nil
				}
				if got := w.results.results(t); !slices.Equal(got, want) {
					t.Errorf("results %+v, want %+v", got, want)
				}
				if deadLettered := len(w.deads.sent) == 1; deadLettered != test.deadLettered {
					t.Errorf("deadLettered: %t, want %t", deadLettered, test.deadLettered)
				}
				if left, _ := w.tasks.left(); (left == 1) != test.back {
					t.Errorf("%d messages left, want returned: %t", left, test.back)
				}
				if test.back && (len(w.tasks.extended) != 1 || w.tasks.extended[0] < time.Second || w.tasks.extended[0] > time.Minute) {
					t.Errorf("returned for %v, want once for 1 s to 60 s", w.tasks.extended)
				}
			})
		})
	}
}

func inState(s state.State) func(testing.TB, *world) {
	return func(t testing.TB, w *world) { w.point(t, func(p *state.Pointer) { p.State = s }) }
}

// Messages that are no tasks, or that reach outside the datasets, go to the dead-letter queue
// without a result and without a request to the bucket, the pointer's GET included.
func TestRejected(t *testing.T) {
	escape := taskOf(1, messages.Move)
	escape.Del = []string{"tuttle_twins/s01e01/" + escape.Frame.File()}
	for name, test := range map[string]struct{ body, code string }{
		"not JSON":        {"hello", messages.CodeUnreadable},
		"another version": {strings.Replace(taskOf(1, messages.Copy).Encode(), `"v":1`, `"v":2`, 1), messages.CodeUnreadable},
		"an escape":       {escape.Encode(), messages.CodeForbidden},
		"odd characters":  {"\"\uFFFF\x01", messages.CodeUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.tasks = newQueue(test.body)
			clear(w.bucket.calls)
			New(w.config()).deliver(t.Context(), w.receive(t, 3))
			if len(w.bucket.calls) > 0 || len(w.results.sent) > 0 {
				t.Errorf("requests %v and results %v, want none", w.bucket.calls, w.results.sent)
			}
			if left, _ := w.tasks.left(); left != 0 || len(w.deads.sent) != 1 {
				t.Fatalf("%d messages left, %d on the dead-letter queue", left, len(w.deads.sent))
			}
			got := w.deads.sent[0]
			reason := got.Attributes[messages.AttrReason]
			delete(got.Attributes, messages.AttrReason)
			want := map[string]string{messages.AttrCode: test.code, messages.AttrAttempts: "3", messages.AttrWorker: "worker-1"}
			if got.Body != test.body || !maps.Equal(got.Attributes, want) || reason == "" || plain(reason, maxReason) != reason {
				t.Errorf("sent %q with %v, reason %q", got.Body, got.Attributes, reason)
			}
		})
	}
}

// A message as large as a message can be still finds its way out of the tasks queue.
func TestRejectedLarge(t *testing.T) {
	w := newWorld(t)
	w.tasks = newQueue(strings.Repeat("x", queue.MaxBatchBytes))
	New(w.config()).deliver(t.Context(), w.receive(t, 1))
	if len(w.deads.sent) != 1 || w.deads.sent[0].Size() > queue.MaxBatchBytes {
		t.Errorf("%d messages on the dead-letter queue", len(w.deads.sent))
	}
}

// Without its result, or its place on the dead-letter queue, a message is not acknowledged.
func TestAcknowledgedLast(t *testing.T) {
	for name, fail := range map[string]func(*world){
		"results": func(w *world) { w.results.fail = func(string) error { return queue.ErrNotFound } },
		"dead letters": func(w *world) {
			w.deads.fail = func(string) error { return queue.ErrNotFound }
			delete(w.bucket.objects, srcKey(1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, taskOf(1, messages.Copy))
			fail(w)
			New(w.config()).deliver(t.Context(), w.receive(t, 1))
			if left, _ := w.tasks.left(); left != 1 || len(w.results.sent) != 0 {
				t.Errorf("%d messages left and %d results, want 1 and 0", left, len(w.results.sent))
			}
		})
	}
}

// Whatever is delivered how often and in whatever order, with whatever passing errors: the bucket
// ends as after each task once, and no frame is ever absent.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var tasks []messages.Task
		for i := range rapid.IntRange(1, 6).Draw(rt, "tasks") {
			op := rapid.SampledFrom([]messages.Op{messages.Copy, messages.Move, messages.Refresh, messages.Delete}).Draw(rt, "op")
			tasks = append(tasks, taskOf(i, op))
		}
		w := newWorld(t, tasks...)
		want := w.bucket.images()
		for _, task := range tasks {
			for _, key := range task.Del {
				delete(want, key)
			}
			if task.Dst != "" {
				want[task.Dst] = body(int(task.Seq))
			}
		}
		w.bucket.fail = func(_ context.Context, op string, _ ...string) error {
			if op != "GetObject" && rapid.IntRange(0, 3).Draw(rt, "luck") == 0 {
				return s3Error(op, bucket.CodeInternal, 500)
			}
			return nil
		}
		worker := New(w.config())
		order := rapid.SliceOfN(rapid.IntRange(0, len(tasks)-1), 0, 20).Draw(rt, "order")
		for n, i := range order {
			worker.deliver(t.Context(), queue.Message{Body: tasks[i].Encode(), Receipt: "0:0", ReceiveCount: 1 + n%4})
			neverAbsent(rt, w.bucket, tasks)
		}
		w.bucket.fail = nil
		for _, task := range tasks {
			worker.deliver(t.Context(), queue.Message{Body: task.Encode(), Receipt: "0:0", ReceiveCount: 2})
		}
		if got := w.bucket.images(); !maps.Equal(got, want) {
			rt.Errorf("the bucket holds %v, want %v", got, want)
		}
	})
}

// neverAbsent reports whether each frame that was there, and is not to be deleted, is there.
func neverAbsent(t *rapid.T, b *memBucket, tasks []messages.Task) {
	images := b.images()
	for _, task := range tasks {
		if task.Op != messages.Move && task.Op != messages.Refresh {
			continue
		}
		inDatasets := images[task.Dst] != ""
		for _, key := range task.Del {
			inDatasets = inDatasets || images[key] != ""
		}
		if !inDatasets {
			t.Fatalf("%s is absent", task.Frame)
		}
	}
}
