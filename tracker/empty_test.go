package tracker_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/tracker"
)

// succeeded is a world in which a run of S01E01 has succeeded and left version 1.
func succeeded(t *testing.T) *world {
	w := newWorld(t)
	w.published(runName(1), 1, 12)
	w.work(nil)
	if status := w.run(w.tracker()); status.State != state.Succeeded {
		t.Fatalf("%+v", status)
	}
	return w
}

// finishEmpty plans a run of 0 tasks, lets something happen, and finishes the run.
func (w *world) finishEmpty(gen int64, meanwhile func(*state.Plan)) (state.PointerSnapshot, error) {
	w.t.Helper()
	plan, pointer := w.plan(runName(gen), gen, 0)
	if meanwhile != nil {
		meanwhile(plan)
	}
	return w.tracker().FinishEmpty(context.Background(), pointer, plan)
}

// An image of an episode that is planned and has nothing to do.
const stray = "ML/test/Rare/TT_S01_E02_FRM-00-00-00-05.jpg"

func TestFinishEmpty(t *testing.T) {
	for _, test := range []struct {
		name      string
		prepare   func(w *world) // before the plan
		meanwhile func(w *world) // after it
		edit      func(w *world, p *state.Plan)
		want      state.State
		version   int64 // the latest one afterwards
		reason    string
	}{
		{name: "as the latest version has it", want: state.Succeeded, version: 1},
		{
			name: "no version yet", prepare: func(w *world) {
				for _, key := range w.bucket.keys("tt/shuffle/versions/") {
					w.bucket.remove(key)
				}
			}, want: state.Succeeded, version: 2,
		},
		{name: "changed by hand before the plan", prepare: func(w *world) { w.bucket.put("tt/"+stray, "x") }, want: state.Succeeded, version: 2},
		{
			name: "changed by hand before the plan, and again after it", prepare: func(w *world) { w.bucket.put("tt/"+stray, "x") },
			meanwhile: func(w *world) { w.bucket.put("tt/"+stray, "y") }, want: state.Failed, version: 1, reason: "S01E02 is not as it was when it was planned",
		},
		{
			// The listing that the plan was made from is the proof; another is not made.
			name: "changed after the plan", meanwhile: func(w *world) { w.bucket.put("tt/"+stray, "x") }, want: state.Succeeded, version: 1,
		},
		{
			name: "an episode held", edit: func(_ *world, p *state.Plan) {
				p.Episodes[1].State, p.Episodes[1].Reason = state.EpisodeHeld, "sheet is empty"
				delete(p.Digests, e2)
			}, want: state.Succeeded, version: 1,
		},
		{
			name: "an episode that no version has, without images", edit: func(_ *world, p *state.Plan) {
				p.Digests["S01E03"] = dataset.Digest{}.String()
			}, want: state.Succeeded, version: 1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := succeeded(t)
				if test.prepare != nil {
					test.prepare(w)
				}
				pointer, err := w.finishEmpty(2, func(p *state.Plan) {
					if test.edit != nil {
						test.edit(w, p)
						w.must(w.store.WritePlan(t.Context(), p))
					}
					if test.meanwhile != nil {
						test.meanwhile(w)
					}
				})
				if err != nil || pointer.State != test.want || !strings.Contains(pointer.Reason, test.reason) || pointer.Finished.IsZero() || pointer.Pointer != w.pointer() {
					t.Fatalf("%+v, %v", pointer.Pointer, err)
				}
				v, err := w.store.LatestVersion(t.Context())
				if err != nil || v.Generation != test.version {
					t.Errorf("version %d, %v", v.Generation, err)
				}
				r := w.readReport(runName(2))
				if r.State != test.want || !r.Verified || r.Version != test.version || len(r.Held) != rankOf(test.name == "an episode held") {
					t.Errorf("report %+v, version %d", r.Status, r.Version)
				}
				if w.announced() != 2 {
					t.Errorf("announced %d times, with the run before", w.announced())
				}
			})
		})
	}
}

func rankOf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// The very first run may have nothing to do: then it leaves the first version, and its seed.
func TestFirstRunIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.bucket.put("tt/"+stray, "x")
		pointer, err := w.finishEmpty(1, nil)
		if err != nil || pointer.State != state.Succeeded {
			t.Fatalf("%+v, %v", pointer.Pointer, err)
		}
		v, err := w.store.LatestVersion(t.Context())
		if err != nil || v.Frames != 1 || v.Parent != 0 || v.Counts["test"]["Rare"] != 1 {
			t.Errorf("version %+v, %v", v, err)
		}
		now, err := w.store.Settings(t.Context())
		if err != nil || now.Settings.Seed != "7" || now.Since.Run != runName(1) {
			t.Errorf("settings %+v, %v", now, err)
		}
		if w.exists(state.RunName(runName(1), state.TasksName)) {
			t.Error("tasks.csv of a run without tasks")
		}
	})
}

// lists counts the listings below the datasets.
type lists struct {
	*memBucket
	n atomic.Int32
}

func (b *lists) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	if strings.HasPrefix(in.Prefix, layout.ML()) {
		b.n.Add(1)
	}
	return b.memBucket.ListObjects(ctx, in)
}

func TestFinishEmptyOfAnUnchangedWorldListsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := succeeded(t)
		plan, pointer := w.plan(runName(2), 2, 0)
		counted := &lists{memBucket: w.bucket}
		tr := w.tracker()
		tr.Store = &state.Store{Bucket: counted, Layout: layout}
		if _, err := tr.FinishEmpty(t.Context(), pointer, plan); err != nil || counted.n.Load() != 0 {
			t.Errorf("%d listings, %v", counted.n.Load(), err)
		}
	})
}

func TestFinishEmptyRefusesTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan, pointer := w.plan(runName(1), 1, 3)
		if _, err := w.tracker().FinishEmpty(t.Context(), pointer, plan); err == nil || !strings.Contains(err.Error(), "has 3 tasks") {
			t.Errorf("error %v", err)
		}
		if p := w.pointer(); p.State != state.Publishing {
			t.Errorf("pointer %+v", p)
		}
	})
}

// The planner and a tracker that takes it for dead, both at the end of the same run.
func TestFinishEmptyTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.bucket.put("tt/"+stray, "x")
		plan, pointer := w.plan(runName(1), 1, 0)
		var ended, conflicts atomic.Int32
		var g errgroup.Group
		for range 2 {
			g.Go(func() error {
				_, err := w.tracker().FinishEmpty(t.Context(), pointer, plan)
				if errors.Is(err, state.ErrConflict) {
					conflicts.Add(1)
					return nil
				}
				ended.Add(1)
				return err
			})
		}
		w.must(g.Wait())
		if ended.Load() != 1 || conflicts.Load() != 1 || w.announced() != 1 {
			t.Errorf("%d ended it, %d did not, announced %d times", ended.Load(), conflicts.Load(), w.announced())
		}
		if p := w.pointer(); p.State != state.Succeeded {
			t.Errorf("pointer %+v", p)
		}
	})
}

// Verify compares with the latest version when the newest run had no tasks, and with the run's plan
// else.
func TestVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		verify := func() ([]state.Difference, tracker.Verification) {
			t.Helper()
			v, err := w.tracker().Verify(t.Context())
			w.must(err)
			differences := v.First
			if v.Differences != len(differences) {
				t.Errorf("%d differences, and the first are %v", v.Differences, differences)
			}
			v.Differences, v.First = 0, nil
			return differences, v
		}
		if _, err := w.tracker().Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "no run has succeeded yet") {
			t.Errorf("no run: %v", err)
		}
		w.published(runName(1), 1, 12)
		if _, err := w.tracker().Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "is running: verify when it has ended") {
			t.Errorf("a running one: %v", err)
		}
		w.work(nil)
		w.run(w.tracker())
		if differences, v := verify(); len(differences) != 0 || !reflect.DeepEqual(v, tracker.Verification{Against: "run " + runName(1), Frames: 12, Episodes: 2}) {
			t.Errorf("%v, %+v", differences, v)
		}
		_, err := w.finishEmpty(2, nil)
		w.must(err)
		if differences, v := verify(); len(differences) != 0 || !reflect.DeepEqual(v, tracker.Verification{Against: "version 1", Frames: 12, Episodes: 1}) {
			t.Errorf("%v, %+v", differences, v)
		}
		w.bucket.put("tt/"+stray, "x")
		w.bucket.remove(layout.Key(place(dataset.FrameAt(e1, 4)), dataset.FrameAt(e1, 4)))
		differences, _ := verify()
		if len(differences) != 2 || differences[0].Kind != state.Missing || differences[1].Kind != state.Unexpected || differences[1].Episode != e2 {
			t.Errorf("%v", differences)
		}
	})
}
