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

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// reviewed returns a world of two episodes and a plan for both that waits for its review. In the
// first episode the plan moves frame 0, copies frame 1, deletes frame 2 and refreshes frame 3.
// Frame 4 is frozen in two places. In the second episode the plan copies all five frames.
func reviewed(t *testing.T, opt Options) (*world, *state.Plan) {
	w := newWorld(t)
	w.config.MaxBadRows = limit(t, "50%")
	w.manifest("S01", e1, e2)
	all := w.episode(e1, 10)
	w.episode(e2, 5)
	w.sheet(e1, reviewedSheet(all))
	w.stand(trainCommon, all[2:]...)
	w.stand(dataset.Place{Dataset: "train", Class: "Rare"}, all[0], all[4])
	w.put(layout.Key(trainCommon, all[3]), "of long ago")
	opt.Review = true
	return w, w.plan(opt)
}

func reviewedSheet(all []dataset.Frame) [][]string {
	cells := table("Common", all)
	cells[3][1], cells[5][1] = "", "Epic"
	return cells
}

func TestReviewAndApply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, plan := reviewed(t, Options{Seed: "7"})
		if plan.State != state.Review || plan.Tasks != 9 || w.pointer().State != state.Review || w.pointer().Tasks != 9 {
			t.Fatalf("plan %+v, pointer %+v", plan, w.pointer())
		}
		if len(w.tasks.bodies()) > 0 || len(w.saved(plan)) != 9 {
			t.Errorf("%d messages, %d saved tasks", len(w.tasks.bodies()), len(w.saved(plan)))
		}
		if now, err := w.store.Settings(t.Context()); err != nil || now.Exists() {
			t.Errorf("the settings are in force before it is applied: %+v, %v", now, err)
		}
		applied, err := w.planner().Apply(context.Background(), plan.Run)
		w.must(err)
		if applied.Run != plan.Run || applied.State != state.Running || applied.Tasks != 9 || applied.Generation != plan.Generation {
			t.Errorf("applied %+v", applied)
		}
		w.checkSent(applied)
		if now, err := w.store.Settings(t.Context()); err != nil || now.Settings.Seed != "7" {
			t.Errorf("settings %+v, %v", now, err)
		}
		w.apply()
		if again := w.plan(Options{}); again.Tasks != 0 {
			t.Errorf("planned again: %+v", again.Totals)
		}
	})
}

func TestApplyOfNothingToDo(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, w *world) {
		w.stand(trainCommon, frames(e1, 3)...)
		plan := w.plan(Options{Review: true})
		if plan.State != state.Review || len(w.finished) > 0 {
			t.Fatalf("plan %+v", plan)
		}
		applied, err := w.planner().Apply(context.Background(), plan.Run)
		w.must(err)
		if applied.State != state.Succeeded || len(w.finished) != 1 {
			t.Errorf("applied %+v", applied)
		}
	})
}

// TestApplyRefusesWhatHasChanged checks that Apply names each change. The run still waits, and
// nothing is sent or written. When the change is undone, Apply publishes the run.
func TestApplyRefusesWhatHasChanged(t *testing.T) {
	f := frames(e1, 10)
	rare := dataset.Place{Dataset: "train", Class: "Rare"}
	for _, test := range []struct {
		name   string
		change func(w *world)
		undo   func(w *world)
		want   []string
	}{
		{"a row is relabelled", func(w *world) {
			w.sheet(e1, cell(7, 1, "Rare")(reviewedSheet(f)))
		}, func(w *world) { w.sheet(e1, reviewedSheet(f)) },
			[]string{string(f[7]) + ": nothing was planned, now there is something to be done"}},
		{"a row that was to be moved is unclassified", func(w *world) {
			w.sheet(e1, cell(0, 1, "")(reviewedSheet(f)))
		}, func(w *world) { w.sheet(e1, reviewedSheet(f)) },
			[]string{string(f[0]) + ": move was planned, now something else is to be done"}},
		{"an image is repainted", func(w *world) { w.put(imageKey(f[1]), "new") }, func(w *world) { w.images(f[1]) },
			[]string{string(f[1]) + ": copy was planned, now something else is to be done"}},
		{"an image is gone", func(w *world) { w.remove(imageKey(f[1])) }, func(w *world) { w.images(f[1]) },
			[]string{string(f[1]) + ": copy was planned, now nothing is to be done"}},
		{"somebody has copied what was to be copied", func(w *world) { w.stand(trainCommon, f[1]) }, func(w *world) { w.remove(layout.Key(trainCommon, f[1])) },
			[]string{"S01E01: what stands in the datasets", string(f[1]) + ": copy was planned, now nothing is to be done"}},
		{"a frozen frame has left one of its places", func(w *world) { w.remove(layout.Key(rare, f[4])) }, func(w *world) { w.stand(rare, f[4]) },
			[]string{"S01E01: what stands in the datasets"}},
		{"a sheet cannot be read", func(w *world) { w.sheet(e2, nil) }, func(w *world) { w.episode(e2, 5) },
			[]string{"S01E02 was planned, and is held (sheet", string(dataset.FrameAt(e2, 3)) + ": copy was planned"}},
		{"an episode has come", func(w *world) {
			w.manifest("S01", e1, e2, "S01E03")
			w.episode("S01E03", 1)
		}, func(w *world) { w.manifest("S01", e1, e2) },
			[]string{"S01E03 was not in the plan, and is planned", "TT_S01_E03_FRM-00-00-00-00: nothing was planned"}},
		{"an episode has gone", func(w *world) { w.manifest("S01", e1) }, func(w *world) { w.manifest("S01", e1, e2) },
			[]string{"S01E02 was planned, and is not in the plan"}},
		{"the manifest is broken", func(w *world) { w.put(layout.Manifests()+"S01-episodes.json", "[{") }, func(w *world) { w.manifest("S01", e1, e2) },
			[]string{"S01E01 was planned, and is not in the plan", "S01E02 was planned, and is not in the plan"}},
		{"the image size is another one", func(w *world) { w.config.ImageSize = "stamps" }, func(w *world) { w.config.ImageSize = "thumbnails" },
			[]string{"the settings: planned with {", `"image_size":"thumbnails"`, `"image_size":"stamps"`}},
		{"a listing of the images fails", func(w *world) {
			w.bucket.failing(broken("LIST", "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"+e1.FramePrefix(), 1))
		}, func(w *world) { w.bucket.failing(nil) },
			[]string{"S01E01 was planned, and is held (list ", errBroken.Error()}},
	} {
		bubble(t, test.name, func(t *testing.T) {
			w, plan := reviewed(t, Options{})
			test.change(w)
			before := w.listing("")
			_, err := w.planner().Apply(context.Background(), plan.Run)
			var changed *ChangedError
			if !errors.As(err, &changed) || changed.Run != plan.Run || changed.More != 0 {
				t.Fatalf("error %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in:\n%v", want, err)
				}
			}
			if !strings.Contains(err.Error(), "shuffle plan --review") {
				t.Errorf("it does not say what to do: %v", err)
			}
			same(t, before, w.listing(""))
			if len(w.tasks.bodies()) > 0 {
				t.Error("tasks were sent")
			}
			test.undo(w)
			applied, err := w.planner().Apply(context.Background(), plan.Run)
			w.must(err)
			w.checkSent(applied)
		})
	}
}

// Apply ignores changes that leave the work the same.
func TestApplyDoesNotMindWhatDoesNotMatter(t *testing.T) {
	f := frames(e1, 10)
	for name, change := range map[string]func(w *world){
		"rows re-sorted": func(w *world) {
			cells := reviewedSheet(f)
			slices.Reverse(cells[1:])
			w.sheet(e1, cells)
		},
		"a further warning":                    func(w *world) { w.sheet(e1, append(reviewedSheet(f), []string{string(f[7]), "Common", "", ""})) },
		"an orphan":                            func(w *world) { w.stand(trainCommon, dataset.FrameAt("S07E07", 1)) },
		"another manifest that cannot be read": func(w *world) { w.put(layout.Manifests()+"S09-episodes.json", "broken") },
	} {
		bubble(t, name, func(t *testing.T) {
			w, plan := reviewed(t, Options{})
			change(w)
			applied, err := w.planner().Apply(context.Background(), plan.Run)
			w.must(err)
			w.checkSent(applied)
		})
	}
}

// An episode that was held may be held for a different reason: error texts contain the numbers and
// times of requests.
func TestApplyWithAnEpisodeHeldInOtherWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1, e2)
		w.episode(e1, 3)
		requests := 0
		w.sheets.before = func(_ context.Context, id string) error {
			if id == string(e2) {
				requests++
				return fmt.Errorf("access denied: request ID %d", requests)
			}
			return nil
		}
		plan := w.plan(Options{Review: true})
		applied, err := w.planner().Apply(context.Background(), plan.Run)
		w.must(err)
		if applied.Tasks != 3 || applied.State != state.Running || len(applied.Held()) != 1 {
			t.Errorf("applied %+v", applied)
		}
	})
}

// An option that no longer matches the manifests counts as a change.
func TestApplyOfAnOptionThatNoLongerFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, plan := reviewed(t, Options{Episodes: []dataset.Episode{e2}})
		if plan.Tasks != 5 {
			t.Fatalf("plan %+v", plan)
		}
		w.manifest("S01", e1)
		_, err := w.planner().Apply(context.Background(), plan.Run)
		var changed *ChangedError
		if !errors.As(err, &changed) || !strings.Contains(err.Error(), "--episode S01E02: no manifest names it") {
			t.Errorf("error %v", err)
		}
	})
}

// Apply uses the options of the review: its seed, its episodes, and what it may delete and prune.
func TestApplyKeepsTheOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split = usualSplit
		w.manifest("S01", e1, e2)
		w.episode(e1, 60)
		w.episode(e2, 60)
		first := w.converge(Options{Seed: "7"})
		w.sheet(e1, table("Common", frames(e1, 60)[30:]))
		lost := dataset.Episode("S01E09")
		w.stand(trainCommon, frames(lost, 4)...)
		plan := w.plan(Options{Review: true, Reshuffle: true, Episodes: []dataset.Episode{e1}, AllowDelete: []dataset.Episode{e1}, Prune: []dataset.Episode{lost}})
		if got := of(plan, e1); got.Delete != 30 || got.Move == 0 || of(plan, lost).Delete != 4 || len(plan.Episodes) != 2 {
			t.Fatalf("plan %+v", plan.Episodes)
		}
		applied, err := w.planner().Apply(context.Background(), plan.Run)
		w.must(err)
		w.checkSent(applied)
		if now, err := w.store.Settings(t.Context()); err != nil || now.Settings.Seed != plan.Settings.Seed || now.Settings.Seed == first.Settings.Seed {
			t.Errorf("settings %+v, %v", now, err)
		}
	})
}

func TestApplyOfTheWrongRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		usage := func(run, want string) {
			t.Helper()
			before := w.listing("")
			_, err := w.planner().Apply(context.Background(), run)
			if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), want) {
				t.Errorf("apply %s: %v, want %q", run, err, want)
			}
			same(t, before, w.listing(""))
		}
		usage("20000101T000000Z-1", "is not the one waiting for its review")
		w.manifest("S01", e1)
		w.episode(e1, 3)
		plan := w.plan(Options{Review: true})
		usage("20000101T000000Z-2", "is not the one waiting for its review")
		usage("../../x", "is not the one waiting for its review")
		_, err := w.planner().Apply(context.Background(), plan.Run)
		w.must(err)
		usage(plan.Run, "is running, expected review")
		w.apply()
		usage(plan.Run, "is succeeded, expected review")
	})
}

// Another planner may start while Apply compares: it does not wait for reviews.
func TestApplyLosesThePointer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, plan := reviewed(t, Options{})
		w.sheets.before = func(_ context.Context, id string) error {
			if id == string(e1) {
				w.point(func(p *state.Pointer) { p.Run, p.Generation, p.State = "other", p.Generation+1, state.Planning })
			}
			return nil
		}
		if _, err := w.planner().Apply(context.Background(), plan.Run); !errors.Is(err, state.ErrConflict) {
			t.Errorf("error %v", err)
		}
		if w.pointer().Run != "other" || len(w.tasks.bodies()) > 0 {
			t.Errorf("pointer %+v", w.pointer())
		}
	})
}

// If a planner dies while it publishes a reviewed plan, the next planner finishes the publication.
func TestApplyDiesWhilePublishing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, plan := reviewed(t, Options{})
		ctx, die := context.WithCancel(context.Background())
		defer die()
		w.tasks.fail = func(int) error {
			die()
			return ctx.Err()
		}
		if _, err := w.planner().Apply(ctx, plan.Run); err == nil || w.pointer().State != state.Publishing {
			t.Fatalf("error %v; pointer %+v", err, w.pointer())
		}
		w.tasks.fail = nil
		next := w.plan(Options{})
		if next.Run != plan.Run || next.State != state.Running {
			t.Errorf("plan %+v", next)
		}
		w.checkEverySeq(next)
	})
}

// An error while Apply compares leaves the run waiting for its review.
func TestApplyThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, plan := reviewed(t, Options{})
		for _, broken := range []func(call, int) error{
			broken("LIST", layout.ML()+"train/", 1), broken("LIST", layout.Manifests(), 1),
			broken("GET", layout.State()+"runs/"+plan.Run+"/tasks-00000.jsonl.zst", 1), broken("GET", layout.State()+"runs/"+plan.Run+"/plan.json", 1),
			broken("GET", layout.State()+"settings.json", 1), broken("GET", pointerKey, 1), broken("PUT", pointerKey, 1),
		} {
			w.bucket.failing(broken)
			if _, err := w.planner().Apply(context.Background(), plan.Run); !errors.Is(err, errBroken) {
				t.Errorf("error %v", err)
			}
		}
		w.bucket.failing(nil)
		if len(w.tasks.bodies()) > 0 || w.pointer().State != state.Review {
			t.Errorf("pointer %+v", w.pointer())
		}
		_, err := w.planner().Apply(context.Background(), plan.Run)
		w.must(err)
	})
}

// Apply reports only the first of very many changes.
func TestApplyTellsTheFirstChanges(t *testing.T) {
	inBubble(t, 80, func(t *testing.T, w *world) {
		plan := w.plan(Options{Review: true})
		w.must(os.Remove(filepath.Join(w.dir, "S01E01.csv")))
		_, err := w.planner().Apply(context.Background(), plan.Run)
		var changed *ChangedError
		if !errors.As(err, &changed) || len(changed.Changes) != 50 || changed.More != 31 || !strings.HasPrefix(changed.Changes[0], "S01E01 was planned, and is held") || !strings.Contains(err.Error(), "and 31 more") {
			t.Errorf("error %v", err)
		}
	})
}
