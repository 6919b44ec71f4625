package worker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

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
