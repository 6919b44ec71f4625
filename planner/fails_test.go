package planner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/state"
)

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
