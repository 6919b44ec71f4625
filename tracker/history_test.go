package tracker_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

// Every run that had a task for the frame is found, with what came of it; the newest first.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := dataset.FrameAt(e1, 2)
		done := func(gen int64, instead func(messages.Task) *messages.Result) {
			plan := w.published(runName(gen), gen, 4)
			plan.Episodes[0].Totals = plan.Totals
			w.must(w.store.WritePlan(context.Background(), plan))
			w.work(instead)
			w.run(w.tracker())
		}
		done(1, nil)
		done(2, onlySeqs(dead("AccessDenied"), 2))
		w.published(runName(3), 3, 0)
		plan, _ := w.plan(runName(4), 4, 4)
		plan.Episodes[0].Totals = plan.Totals
		w.must(w.store.WritePlan(context.Background(), plan))

		operation := func(gen int64, o why.Operation) why.Operation {
			o.Run, o.Generation, o.Seq, o.Op, o.Dst, o.Started = runName(gen), gen, 2, messages.Copy, layout.Key(place(f), f), state.StartOf(runName(gen))
			return o
		}
		want := []why.Operation{
			operation(4, why.Operation{}),
			operation(2, why.Operation{Outcome: messages.Dead, Code: "AccessDenied", Reason: "refused by AccessDenied", Attempts: 1}),
			operation(1, why.Operation{Outcome: messages.Copied}),
		}
		got, looked, err := w.tracker().History(context.Background(), f, 0)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || looked != 4 {
			t.Errorf("%v, looked through %d runs; -want +got:\n%s", err, looked, diff)
		}
		if got, looked, err := w.tracker().History(context.Background(), f, 2); len(got) != 1 || looked != 2 || err != nil {
			t.Errorf("of the newest two: %+v, %d, %v", got, looked, err)
		}
		if got, _, err := w.tracker().History(context.Background(), dataset.FrameAt(e2, 2), 0); len(got) != 0 || err != nil {
			t.Errorf("of a frame without tasks: %+v, %v", got, err)
		}
	})
}
