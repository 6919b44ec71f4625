package tracker_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// At the end of a run old ones are removed, also by a planner whose run had nothing to do. A result
// that comes for a removed run holds up nothing, and makes no folder for it.
func TestPrune(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		pruning := w.tracker()
		pruning.Deleter, pruning.Options.KeepRuns, pruning.Options.KeepVersions = deleter{w.bucket}, 1, 1
		for gen := int64(1); gen <= 3; gen++ {
			w.published(runName(gen), gen, 12)
			w.work(nil)
			if status := w.run(pruning); status.State != state.Succeeded {
				t.Fatalf("%+v", status)
			}
			<-time.After(31 * 24 * time.Hour)
		}
		_, err := w.finishEmpty(4, nil)
		w.must(err)
		if got, want := w.runs(), []string{runName(1), runName(2), runName(3), runName(4)}; !slices.Equal(got, want) {
			t.Errorf("a tracker without a Deleter leaves %v", got)
		}
		<-time.After(31 * 24 * time.Hour)
		plan, pointer := w.plan(runName(5), 5, 0)
		_, err = pruning.FinishEmpty(t.Context(), pointer, plan)
		w.must(err)
		if got, want := w.runs(), []string{runName(1), runName(3), runName(4), runName(5)}; !slices.Equal(got, want) {
			t.Errorf("left %v, want %v: the first recorded the settings, the third made the version, the run after the fourth has only just ended", got, want)
		}

		late := messages.Results{V: messages.Version, Run: runName(2), Gen: 2, Worker: "w", Results: []messages.Result{{Seq: 0, Outcome: messages.Copied}}}
		w.send(w.results, queue.Entry{Body: late.Encode()})
		w.published(runName(6), 6, 12)
		w.work(nil)
		if status := w.run(pruning); status.State != state.Succeeded || status.Done != 12 {
			t.Errorf("%+v", status)
		}
		if got := w.runs(); slices.Contains(got, runName(2)) {
			t.Errorf("a late result has made the folder of a removed run again: %v", got)
		}
	})
}

// deleter removes objects of a memBucket.
type deleter struct{ *memBucket }

func (d deleter) DeleteObjects(_ context.Context, keys []string) ([]*bucket.Error, error) {
	for _, key := range keys {
		d.remove(key)
	}
	return nil, nil
}

// runs are those that have any object.
func (w *world) runs() []string {
	w.t.Helper()
	runs, err := w.store.Runs(w.t.Context())
	w.must(err)
	return runs
}
