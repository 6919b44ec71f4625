package planner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
	"github.com/angel-nft/google-shuffle/messages"
)

// encrypt applies the tasks on the queue like a bucket that changes the ETag of a copy (KMS,
// multipart uploads). It reports the pairs of ETags like a worker. The run ends with the state end.
func (w *world) encrypt(plan *state.Plan, end state.State) (pairs []state.TaskPair) {
	w.t.Helper()
	ctx := context.Background()
	for _, task := range w.sent() {
		if task.Op != messages.Delete {
			c, err := w.bucket.Bucket.GetObject(ctx, task.Src, "")
			w.must(err)
			w.put(task.Dst, "encrypted by run "+plan.Run+": "+string(c.Body))
			etag := w.listing(task.Dst)[task.Dst]
			pairs = append(pairs, state.TaskPair{Pair: state.Pair{ETag: etag, SrcETag: task.SrcETag}, Seq: task.Seq})
		}
		if len(task.Del) > 0 {
			w.remove(task.Del...)
		}
	}
	w.must(w.store.AddTaskPairs(ctx, plan.Run, "0", pairs))
	w.tasks.purge()
	w.point(func(p *state.Pointer) { p.State = end })
	return pairs
}

// version publishes the copies as the dataset version of a run, with the sources that the pairs
// contain.
func (w *world) version(plan *state.Plan, pairs []state.TaskPair) {
	w.t.Helper()
	var rows []version.Row
	for key, etag := range w.listing(layout.ML()) {
		p, f, _ := layout.Parse(key)
		row := version.Row{Place: p, Frame: f, ETag: etag}
		if i := slices.IndexFunc(pairs, func(p state.TaskPair) bool { return p.ETag == etag }); i >= 0 {
			row.SrcETag = pairs[i].SrcETag
		}
		rows = append(rows, row)
	}
	_, err := versiontest.Publish(context.Background(), w.store, state.Version{Generation: plan.Generation, Run: plan.Run, Settings: plan.Settings}, rows)
	w.must(err)
}

// If the bucket changes the ETags of copies, the planner knows them from the recorded pairs. The
// pairs are first in the results of the run and then in the dataset version. So nothing is
// refreshed in every run. Only a changed source is refreshed.
func TestCopiesWithOtherETags(t *testing.T) {
	inBubble(t, 12, func(t *testing.T, w *world) {
		first := w.plan(Options{})
		pairs := w.encrypt(first, state.Failed) // without a version
		if again := w.plan(Options{}); again.Totals != (state.Totals{Keep: 12}) {
			t.Errorf("after a failed run: %+v", again.Totals)
		}
		w.version(first, pairs)
		if again := w.plan(Options{}); again.Totals != (state.Totals{Keep: 12}) {
			t.Errorf("after the version: %+v", again.Totals)
		}
		w.remove(layout.State() + state.VersionName(first.Generation, "train.csv"))
		if again := w.plan(Options{}); again.Totals != (state.Totals{Keep: 12}) || again.Episodes[0].State == state.EpisodeHeld {
			t.Errorf("when somebody has deleted a CSV of the version: %+v", again.Episodes)
		}
		f := dataset.FrameAt(e1, 3)
		w.put(imageKey(f), "repainted")
		second := w.plan(Options{})
		if second.Totals != (state.Totals{Keep: 11, Refresh: 1}) {
			t.Errorf("repainted: %+v", second.Totals)
		}
		w.encrypt(second, state.Succeeded)
		// The version has the other eleven, and the run after it has the one.
		if again := w.plan(Options{}); again.Totals != (state.Totals{Keep: 12}) {
			t.Errorf("after the second run: %+v", again.Totals)
		}
		// A pair is of two contents. The old source again has a different content than the copy.
		w.images(f)
		if again := w.plan(Options{}); again.Totals != (state.Totals{Keep: 11, Refresh: 1}) {
			t.Errorf("painted back: %+v", again.Totals)
		}
	})
}

// The expected copy of a known pair is the copy with its source, so that the next version knows the
// pair too.
func TestExpectedOfACopyWithAnotherETag(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, w *world) {
		first := w.plan(Options{})
		pairs := w.encrypt(first, state.Succeeded)
		w.images(dataset.FrameAt(e1, 2))
		w.sheet(e1, table("Common", frames(e1, 3)))
		second := w.plan(Options{})
		expected, err := w.store.ReadExpected(t.Context(), second.Run, e1)
		w.must(err)
		if len(expected) != 3 || second.Totals != (state.Totals{Keep: 2, Copy: 1}) {
			t.Fatalf("%+v; %+v", expected, second.Totals)
		}
		for i, e := range expected[:2] {
			if e.ETag != pairs[i].ETag || e.SrcETag != pairs[i].SrcETag || e.Copied {
				t.Errorf("expected %+v, want the pair %+v", e, pairs[i])
			}
		}
		if e := expected[2]; !e.Copied || e.SrcETag != "" || e.ETag == "" {
			t.Errorf("expected %+v", e)
		}
	})
}

// The planner reads the pairs only when an ETag differs, and once.
func TestPairsAreReadWhenNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1, e2)
		w.episode(e1, 3)
		w.episode(e2, 3)
		w.converge(Options{})
		reads := func() (n int) {
			w.bucket.failing(nil)
			w.plan(Options{DryRun: true})
			for _, c := range w.bucket.noted() {
				if c.op == "GET" && strings.HasSuffix(c.key, "versions/latest.json") {
					n++
				}
			}
			return n
		}
		if n := reads(); n != 1 { // for the settings, the base URIs and the numbers of the classes
			t.Errorf("nothing differs, and the version is read %d times", n)
		}
		w.put(imageKey(dataset.FrameAt(e1, 0)), "new")
		w.put(imageKey(dataset.FrameAt(e2, 0)), "new")
		if n := reads(); n != 1 {
			t.Errorf("two episodes differ, and the version is read %d times", n)
		}
	})
}

// If the pairs cannot be read, an episode that needs them is held. The alternative would be to copy
// every frame again.
func TestPairsThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1, e2)
		w.episode(e1, 3)
		w.episode(e2, 3)
		first := w.plan(Options{Episodes: []dataset.Episode{e1}})
		pairs := w.encrypt(first, state.Succeeded)
		w.version(first, pairs)
		runs := layout.State() + "runs/"
		for _, fail := range []func(call, int) error{
			func(c call, _ int) error {
				if c.op == "GET" && strings.Contains(c.key, "versions/1/parts/") {
					return errBroken
				}
				return nil
			}, broken("LIST", runs, 1),
		} {
			w.bucket.failing(fail)
			plan := w.plan(Options{DryRun: true})
			got := of(plan, e1)
			oddity{held: []string{"read the pairs of ETags of earlier copies", errBroken.Error()}}.check(t, got.Totals, got.Problems, got.Reason)
			if got.State != state.EpisodeHeld || of(plan, e2).Copy != 3 {
				t.Errorf("plan %+v", plan.Episodes)
			}
		}
		// Without the version the planner does not know whether the base URIs are unchanged.
		for _, file := range []string{"versions/latest.json", "versions/1/version.json"} {
			w.bucket.failing(func(c call, _ int) error {
				if c.op == "GET" && c.key == layout.State()+file {
					return errBroken
				}
				return nil
			})
			if _, err := w.planner().Plan(t.Context(), Options{DryRun: true}); !errors.Is(err, errBroken) {
				t.Errorf("%s: %v", file, err)
			}
		}
		w.bucket.failing(nil)
		if plan := w.plan(Options{DryRun: true}); of(plan, e1).Keep != 3 {
			t.Errorf("plan %+v", plan.Episodes)
		}
	})
}
