package planner

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	film "github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// saved returns the tasks of a run that the bucket has, chunk by chunk.
func (w *world) saved(plan *state.Plan) (all []messages.Task) {
	w.t.Helper()
	for chunk := range state.Chunks(plan.Tasks) {
		tasks, err := w.store.ReadTasks(context.Background(), plan.Run, chunk)
		w.must(err)
		all = append(all, tasks...)
	}
	return all
}

// checkSent compares the sent tasks with the saved ones: they are the same, and their seq starts at
// 0 without a gap.
func (w *world) checkSent(plan *state.Plan) {
	w.t.Helper()
	saved := w.saved(plan)
	if diff := cmp.Diff(saved, w.sent()); diff != "" {
		w.t.Errorf("-saved +sent:\n%s", diff)
	}
	checkDense(w.t, plan, saved)
}

func checkDense(t testing.TB, plan *state.Plan, tasks []messages.Task) {
	t.Helper()
	if len(tasks) != plan.Tasks {
		t.Errorf("%d tasks, want %d", len(tasks), plan.Tasks)
	}
	for i, task := range tasks {
		if task.Seq != uint32(i) || task.Run != plan.Run || task.Gen != plan.Generation {
			t.Fatalf("task %d is seq %d of run %s, generation %d", i, task.Seq, task.Run, task.Gen)
		}
	}
}

func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1, e2)
		w.episode(e1, 30)
		w.episode(e2, 20)
		var told *state.Plan
		p := w.planner()
		p.OnPublish = func(plan *state.Plan) {
			if told = plan; len(w.tasks.bodies()) > 0 {
				t.Error("told after the first task was sent")
			}
		}
		plan, err := p.Plan(context.Background(), Options{})
		w.must(err)
		if told != plan || plan.State != state.Running || plan.Tasks != 50 || plan.Totals != (state.Totals{Copy: 50}) || plan.Generation != 1 || !strings.HasPrefix(plan.Run, "20000101T000000Z-1-") || !state.UniqueRun(plan.Run) {
			t.Errorf("plan %+v", plan)
		}
		w.checkSent(plan)
		ptr := w.pointer()
		if ptr.State != state.Running || ptr.Run != plan.Run || ptr.Tasks != 50 || ptr.Published != 1 || ptr.Fence != state.DefaultFence || ptr.Generation != 1 {
			t.Errorf("pointer %+v", ptr)
		}
		read, err := w.store.ReadPlan(context.Background(), plan.Run)
		w.must(err)
		if read.Tasks != 50 || len(read.Episodes) != 2 || read.Settings.Seed != plan.Settings.Seed || read.Digests[e1] == "" {
			t.Errorf("plan.json %+v", read)
		}
		for _, e := range []dataset.Episode{e1, e2} {
			expected, err := w.store.ReadExpected(context.Background(), plan.Run, e)
			w.must(err)
			if len(expected) != of(plan, e).Copy || !expected[0].Copied {
				t.Errorf("%s: %d images expected", e, len(expected))
			}
		}
		if len(w.finished) > 0 {
			t.Error("Finish was called of a run with tasks")
		}
	})
}

// If a plan has more tasks than one object can have, seq continues from chunk to chunk, in every
// episode.
func TestPublishManyChunks(t *testing.T) {
	w := newWorld(t)
	plan := &state.Plan{Run: "r-1", Generation: 1, Digests: map[dataset.Episode]string{}}
	s := newSink(t.Context(), w.planner(), plan, usualSplit, state.InForce{})
	for i, e := range []dataset.Episode{e1, e2, s2e1} {
		n := []int{state.ChunkTasks - 1, 2, state.ChunkTasks}[i]
		out := EpisodeChanges{Totals: state.Totals{Delete: n}}
		for _, f := range frames(e, n) {
			out.Tasks = append(out.Tasks, messages.Task{V: 1, Op: messages.Delete, Frame: f, Del: []string{layout.Key(trainCommon, f)}})
		}
		in := EpisodeInput{Episode: e, Assign: &Assigner{Split: usualSplit}}
		w.must(s.add(t.Context(), "", in, out))
	}
	w.must(s.finish(t.Context(), inputs{lister: &countingLister{}, latest: &lastVersion{store: w.store}}))
	if plan.Tasks != 2*state.ChunkTasks+1 || state.Chunks(plan.Tasks) != 3 {
		t.Fatalf("%d tasks", plan.Tasks)
	}
	saved := w.saved(plan)
	checkDense(t, plan, saved)
	if saved[state.ChunkTasks].Frame.Episode() != e2 || saved[state.ChunkTasks+1].Frame.Episode() != s2e1 {
		t.Errorf("the second chunk begins with %s and %s", saved[state.ChunkTasks].Frame, saved[state.ChunkTasks+1].Frame)
	}
}

// A plan without tasks is a run too. It ends at once, and nothing is sent.
func TestPlanWithoutTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		w.stand(trainCommon, w.episode(e1, 30)...)
		plan := w.plan(Options{})
		if plan.Tasks != 0 || plan.Totals != (state.Totals{Keep: 30}) || plan.State != state.Succeeded || w.pointer().State != state.Succeeded {
			t.Errorf("plan %+v", plan)
		}
		if !slices.Equal(w.finished, []string{plan.Run}) || len(w.tasks.bodies()) > 0 {
			t.Errorf("finished %v, %d messages", w.finished, len(w.tasks.bodies()))
		}
		for key := range w.listing(layout.State() + "runs/") {
			if strings.Contains(key, "tasks-") || strings.Contains(key, "expected-") {
				t.Errorf("%s was written", key)
			}
		}
	})
}

// A dry run writes nothing at all, not even a seed, also while another run is active.
func TestDryRunWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		all := w.episode(e1, 30)
		dry := func(want state.Totals) {
			t.Helper()
			before := w.listing("")
			w.bucket.failing(func(c call, _ int) error {
				if c.op == "PUT" {
					t.Errorf("writes %s", c.key)
				}
				return nil
			})
			plan := w.plan(Options{DryRun: true})
			w.bucket.failing(nil)
			same(t, before, w.listing(""))
			if plan.State != state.DryRun || plan.Run != "" || plan.Totals != want || plan.Settings.Seed == "" {
				t.Errorf("plan %+v", plan)
			}
		}
		dry(state.Totals{Copy: 30})
		if len(w.tasks.bodies()) > 0 || w.pointer() != (state.Pointer{}) {
			t.Error("a dry run has done something")
		}
		w.plan(Options{})
		dry(state.Totals{Copy: 30}) // a run is active, and none of its tasks is applied yet
		w.apply()
		w.sheet(e1, table("Rare", all))
		dry(state.Totals{Move: 30})
	})
}

// A whole season with typical edits: each relabelled, inserted or repainted frame costs one task,
// and nothing else does.
func TestEditsOfASeason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split = usualSplit
		s, err := film.Generate(film.Options{Episodes: 3, Frames: 240, Oddities: true, Prefix: layout.Prefix})
		w.must(err)
		for _, e := range s.Episodes {
			for _, f := range e.Images {
				w.put(e.ImagePrefix()+f.File(), imageOf(f))
			}
		}
		w.must(s.WriteManifest(context.Background(), w.bucket.Bucket))
		plan := func() *state.Plan {
			t.Helper()
			w.must(s.WriteSheets(w.dir))
			return w.converge(Options{})
		}
		first := plan()
		for i, e := range s.Episodes {
			wanted, frozen := e.Wanted()
			got := of(first, e.Episode)
			if held := e.Missing != ""; held != (got.State == state.EpisodeHeld) || got.Copy != len(wanted) || got.Frozen != len(frozen) {
				t.Errorf("episode %d: %+v; want %d copies, %d frozen", i, got.Totals, len(wanted), len(frozen))
			}
			for f, class := range wanted {
				name := w.config.Split.At(Position(first.Settings.Seed, string(f)))
				if key := layout.Key(dataset.Place{Dataset: name, Class: class}, f); w.listing(key)[key] == "" {
					t.Errorf("%s is missing", key)
				}
			}
		}
		for _, test := range []struct {
			name string
			edit func(e *film.Episode)
			want state.Totals
		}{
			{"nothing", func(*film.Episode) {}, state.Totals{}},
			{"sorted by class", (*film.Episode).Sort, state.Totals{}},
			{"relabelled", func(e *film.Episode) { e.Relabel(7) }, state.Totals{Move: 7}},
			{"rows inserted", func(e *film.Episode) {
				for _, f := range e.InsertRows(5, "Rare") {
					w.put(e.ImagePrefix()+f.File(), imageOf(f))
				}
			}, state.Totals{Copy: 5}},
			{"repainted", func(e *film.Episode) {
				for _, f := range e.Repaint(4) {
					w.put(e.ImagePrefix()+f.File(), "repainted "+imageOf(f))
				}
			}, state.Totals{Refresh: 4}},
			{"unclassified", func(e *film.Episode) { e.Unclassify(3) }, state.Totals{Delete: 3}},
			// The frames of the removed rows stay, since the sheet has unreadable frame names.
			{"rows removed", func(e *film.Episode) { e.RemoveRows(3) }, state.Totals{}},
			{"nothing again", func(*film.Episode) {}, state.Totals{}},
		} {
			test.edit(s.Episodes[1])
			got := plan().Totals
			got.Keep, got.Frozen = 0, 0
			if got != test.want {
				t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
			}
		}
	})
}
