package planner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// An invalid call changes nothing, not even the generation.
func TestUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := twoSeasons(t)
		w.converge(Options{Seed: "7"})
		w.put(layout.Manifests()+"S03-episodes.json", "broken")
		before := w.listing("")
		for _, test := range []struct {
			opt  Options
			want string
		}{
			{Options{Season: "S04"}, "--season S04: no manifest names"},
			{Options{Episodes: []dataset.Episode{e1, e2}}, "--episode S01E02: no manifest names it"},
			{Options{AllowDelete: []dataset.Episode{e2}}, "--allow-delete S01E02: no manifest names it"},
			{Options{Season: "S02", Episodes: []dataset.Episode{e1}}, "--episode S01E01: it is not of --season S02"},
			{Options{Prune: []dataset.Episode{e1}}, "--prune S01E01: a manifest names the episode"},
			{Options{Prune: []dataset.Episode{"S03E01"}}, "--prune S03E01: a manifest names the episode, or its season's manifest cannot be read"},
		} {
			for _, opt := range []Options{test.opt, with(test.opt, func(o *Options) { o.DryRun = true }), with(test.opt, func(o *Options) { o.Supersede = true })} {
				_, err := w.planner().Plan(context.Background(), opt)
				if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%+v: %v, want %q", opt, err, test.want)
				}
				same(t, before, w.listing(""))
			}
		}
		// The season whose manifest is broken may have the episode.
		plan := w.plan(Options{Season: "S03"})
		if len(plan.Episodes) != 0 || plan.Tasks != 0 || len(plan.Problems) != 1 {
			t.Errorf("a broken season: %+v", plan)
		}
	})
}

func with(o Options, change func(*Options)) Options {
	change(&o)
	return o
}

func TestSeasonAndEpisodeSelect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Stratify = true // this reads all sheets of a planned season, and no others
		w.manifest("S01", e1, e2)
		w.manifest("S02", s2e1)
		for _, e := range []dataset.Episode{e1, e2, s2e1} {
			w.episode(e, 3)
		}
		for _, test := range []struct {
			opt    Options
			want   []dataset.Episode
			sheets []string
		}{
			{Options{Season: "S02"}, []dataset.Episode{s2e1}, []string{"S02E01"}},
			{Options{Episodes: []dataset.Episode{e2}}, []dataset.Episode{e2}, []string{"S01E01", "S01E02"}},
			{Options{Episodes: []dataset.Episode{s2e1, e1}}, []dataset.Episode{e1, s2e1}, []string{"S01E01", "S01E02", "S02E01"}},
			{Options{Season: "S01", Episodes: []dataset.Episode{e1}}, []dataset.Episode{e1}, []string{"S01E01", "S01E02"}},
			{Options{}, []dataset.Episode{e1, e2, s2e1}, []string{"S01E01", "S01E02", "S02E01"}},
		} {
			test.opt.DryRun = true
			w.sheets.read = nil
			plan := w.plan(test.opt)
			var got []dataset.Episode
			for _, e := range plan.Episodes {
				got = append(got, e.Name())
			}
			slices.Sort(w.sheets.read)
			if !slices.Equal(got, test.want) || plan.Tasks != 3*len(test.want) || !slices.Equal(w.sheets.read, test.sheets) {
				t.Errorf("%+v: %v, %d tasks, read %v", test.opt, got, plan.Tasks, w.sheets.read)
			}
		}
	})
}

// The first run draws the seed, and later runs keep it. --seed gives it and --reshuffle changes it.
// A dataset that is no longer in the split is still listed, so that its frames move.
func TestSeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split = usualSplit
		w.manifest("S01", e1)
		w.episode(e1, 60)
		seed := func() state.InForce {
			t.Helper()
			s, err := w.store.Settings(context.Background())
			w.must(err)
			return s
		}
		if dry := w.plan(Options{DryRun: true}); !dry.SeedDrawn {
			t.Error("nobody is told that the next plan draws another seed")
		}
		if dry := w.plan(Options{DryRun: true, Seed: "7"}); dry.SeedDrawn {
			t.Error("a seed that was given is told as drawn")
		}
		first := w.converge(Options{})
		if s := seed(); s.Settings.Seed == "" || s.Settings.Seed != first.Settings.Seed || s.Since.Run != first.Run || !slices.Equal(s.Datasets, []string{"train", "validate", "test"}) {
			t.Errorf("seed %+v", s)
		}
		again := w.plan(Options{Seed: first.Settings.Seed}) // the seed in force is no change
		if again.Settings.Seed != first.Settings.Seed || again.Tasks != 0 || seed().Since.Run != first.Run {
			t.Errorf("seed %+v, %d tasks", seed(), again.Tasks)
		}
		if first.SeedDrawn == again.SeedDrawn {
			t.Errorf("drawn: %v, then %v", first.SeedDrawn, again.SeedDrawn)
		}
		shuffled := w.converge(Options{Reshuffle: true})
		if s := seed(); s.Settings.Seed == first.Settings.Seed || s.Since.Run != shuffled.Run || shuffled.Totals.Move == 0 || shuffled.Totals.Move+shuffled.Totals.Keep != 60 {
			t.Errorf("seed %+v, totals %+v", s, shuffled.Totals)
		}
		if given := w.converge(Options{Reshuffle: true, Seed: first.Settings.Seed}); given.Totals.Move != shuffled.Totals.Move || seed().Settings.Seed != first.Settings.Seed {
			t.Errorf("back to the first seed: %+v", given.Totals)
		}
		inValidate := len(w.listing(layout.ML() + "validate/"))
		w.config.Split, w.config.Given = Split{{"train", 0.7}, {"test", 0.3}}, map[string]string{"split": "--split"}
		dropped := w.converge(Options{ChangeSettings: true})
		if inValidate == 0 || len(w.listing(layout.ML()+"validate/")) != 0 || dropped.Totals.Move < inValidate {
			t.Errorf("%d frames stood in validate; %+v", inValidate, dropped.Totals)
		}
		if s := dropped.Settings; !slices.Equal(s.Datasets, []string{"train", "test"}) || !slices.Equal(s.Listed, []string{"train", "test", "validate"}) {
			t.Errorf("settings %+v", s)
		}
		// An old upload.
		w.stand(dataset.Place{Dataset: "validate", Class: "Rare"}, dataset.FrameAt(e1, 0))
		if plan := w.plan(Options{}); plan.Totals != (state.Totals{Keep: 59, Delete: 1}) {
			t.Errorf("a dataset of long ago: %+v", plan.Totals)
		}
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

// A planner that is cancelled, or whose bucket fails, sets the pointer to failed with a reason. So
// the next planner does not wait. Nothing is published.
func TestPlannerThatFails(t *testing.T) {
	stop := errors.New("the operator has had enough")
	for name, test := range map[string]struct {
		spoil func(w *world, cancel context.CancelCauseFunc)
		want  string
	}{
		"cancelled while it lists": {func(w *world, cancel context.CancelCauseFunc) {
			w.bucket.failing(func(c call, _ int) error {
				if c.op == "LIST" && strings.HasPrefix(c.key, layout.ML()) {
					cancel(stop)
				}
				return nil
			})
		}, ""},
		"cancelled while it saves": {func(w *world, cancel context.CancelCauseFunc) {
			w.bucket.failing(func(c call, _ int) error {
				if strings.HasSuffix(c.key, "plan.json") {
					cancel(stop)
				}
				return nil
			})
		}, ""},
		"the plan cannot be saved": {func(w *world, _ context.CancelCauseFunc) {
			w.bucket.failing(func(c call, _ int) error {
				if strings.HasSuffix(c.key, "plan.json") {
					return errBroken
				}
				return nil
			})
		}, errBroken.Error()},
		"a chunk cannot be saved": {func(w *world, _ context.CancelCauseFunc) {
			w.bucket.failing(func(c call, _ int) error {
				if strings.HasSuffix(c.key, "tasks-00000.jsonl.zst") {
					return errBroken
				}
				return nil
			})
		}, errBroken.Error()},
		"what is expected cannot be saved": {func(w *world, _ context.CancelCauseFunc) {
			w.bucket.failing(func(c call, _ int) error {
				if strings.HasSuffix(c.key, "expected-S01E01.jsonl.zst") {
					return errBroken
				}
				return nil
			})
		}, errBroken.Error()},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 30)
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			test.spoil(w, cancel)
			if _, err := w.planner().Plan(ctx, Options{}); err == nil {
				t.Fatal("the planner has not noticed")
			}
			ptr := w.pointer()
			if ptr.State != state.Failed || !strings.HasPrefix(ptr.Reason, "planning: ") || !strings.HasSuffix(ptr.Reason, "; nothing was published") || !strings.Contains(ptr.Reason, test.want) || ptr.Finished.IsZero() {
				t.Errorf("pointer %+v", ptr)
			}
			if len(w.tasks.bodies()) > 0 {
				t.Error("tasks were sent")
			}
			w.bucket.failing(nil)
			if plan := w.plan(Options{}); plan.Tasks != 30 || plan.Generation != 2 {
				t.Errorf("the next plan: %+v", plan)
			}
			w.checkSent(&state.Plan{Run: w.pointer().Run, Generation: 2, Tasks: 30})
		})
	}
}

// An episode whose sheet is in an unreadable folder is held like any other.
func TestUnreadableFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1, e2)
		w.episode(e2, 2)
		w.must(os.Mkdir(filepath.Join(w.dir, "S01E01.csv"), 0o700))
		plan := w.plan(Options{})
		if got := of(plan, e1); got.State != state.EpisodeHeld || !strings.Contains(got.Reason, `sheet "Frames of S01E01"`) || of(plan, e2).Copy != 2 {
			t.Errorf("plan %+v", plan.Episodes)
		}
	})
}

// The plan lists only the first of many problems, errors before warnings.
func TestProblemsAreBounded(t *testing.T) {
	var all []state.Problem
	for i := range state.MaxProblems {
		all = append(all, state.Problem{Row: 10_000 - i, Problem: "warning", Warning: true})
	}
	for i := range 5 {
		all = append(all, state.Problem{Row: 20_000 - i, Problem: fmt.Sprint("error ", i)})
	}
	got, cut := bounded(all)
	if len(got) != state.MaxProblems || cut != 5 || got[0].Problem != "error 4" || got[4].Problem != "error 0" || !got[5].Warning || got[5].Row >= got[6].Row {
		t.Errorf("%d problems, %d more: %+v …", len(got), cut, got[:7])
	}
	if none, cut := bounded(nil); none == nil || len(none) != 0 || cut != 0 {
		t.Errorf("no problems are %v, %d", none, cut)
	}
}
