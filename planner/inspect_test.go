package planner

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Inspect reports what a plan would find in each episode, and writes nothing.
func TestInspect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1, e2, "S01E03", "S01E04", "S01E04")
		w.put(layout.Manifests()+"S02-episodes.json", "broken")
		w.sheet(e1, append(table("Common", w.episode(e1, 30)), []string{"x", "Rare"}))
		w.sheet(e2, table("Common", frames(e2, 3))) // without images
		before := w.listing("")
		all, problems, err := w.planner().Inspect(context.Background())
		w.must(err)
		same(t, before, w.listing(""))
		if len(all) != 4 || len(problems) != 1 || !strings.HasSuffix(problems[0].Manifest, "S02-episodes.json") {
			t.Fatalf("%+v, %+v", all, problems)
		}
		if got := all[0]; got.Episode != e1 || got.Frames != 30 || got.Images != 30 || got.Plan.ProblemCount() != 1 || got.Err != nil || !strings.Contains(got.Sheet, "/d/S01E01/") {
			t.Errorf("%+v", got)
		}
		for i, want := range map[int]string{1: "expected images of S01E02 under", 2: "spreadsheet not found", 3: "expected S01E04 once in the manifests"} {
			if got := all[i]; got.Err == nil || !strings.Contains(got.Err.Error(), want) {
				t.Errorf("%s: %v, want %q", got.Episode, got.Err, want)
			}
		}
		w.bucket.failing(broken("LIST", layout.Manifests(), 1))
		if _, _, err := w.planner().Inspect(context.Background()); !errors.Is(err, errBroken) {
			t.Errorf("error %v", err)
		}
		w.bucket.failing(nil)
		ctx, cancel := context.WithCancel(context.Background())
		w.sheets.before = func(ctx context.Context, _ string) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		if _, _, err := w.planner().Inspect(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

// An error before a run starts leaves the bucket unchanged.
func TestBucketThatFailsBeforeARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		w.episode(e1, 3)
		before := w.listing("")
		for _, fail := range []func(call, int) error{
			broken("GET", layout.State()+"settings.json", 1), broken("GET", pointerKey, 1), broken("PUT", pointerKey, 1),
		} {
			w.bucket.failing(fail)
			if _, err := w.planner().Plan(context.Background(), Options{}); !errors.Is(err, errBroken) {
				t.Errorf("error %v", err)
			}
			same(t, before, w.listing(""))
		}
		w.bucket.failing(nil)
		w.bucket.losing(pointerKey) // a run whose response is lost has started
		if plan := w.plan(Options{}); plan.Generation != 1 || plan.Tasks != 3 {
			t.Errorf("plan %+v", plan)
		}
	})
}

// If the frames of an orphan cannot be listed, the plan fails. It never prunes a part.
func TestPruneThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		w.episode(e1, 3)
		lost := dataset.Episode("S01E05")
		w.stand(trainCommon, frames(lost, 30)...)
		w.bucket.page = 4
		w.bucket.failing(broken("LIST", layout.Folder(trainCommon)+lost.FramePrefix(), 3))
		_, err := w.planner().Plan(context.Background(), Options{Prune: []dataset.Episode{lost}})
		if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "prune S01E05") || len(w.tasks.bodies()) > 0 {
			t.Errorf("error %v; %d messages", err, len(w.tasks.bodies()))
		}
		if n := len(w.listing(layout.ML())); n != 30 {
			t.Errorf("%d objects in the datasets", n)
		}
	})
}

// A planner does not change an unfinished publication while its plan cannot be read.
func TestLeftPublicationThatCannotBeRead(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, w *world) {
		p := w.planner()
		ctx, die := context.WithCancel(context.Background())
		p.OnPublish = func(*state.Plan) { die() }
		if _, err := p.Plan(ctx, Options{}); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v", err)
		}
		left := w.pointer()
		w.bucket.failing(broken("GET", layout.State()+"runs/"+left.Run+"/plan.json", 1))
		if _, err := w.planner().Plan(context.Background(), Options{}); !errors.Is(err, errBroken) {
			t.Errorf("error %v", err)
		}
		if ptr := w.pointer(); ptr.State != left.State || ptr.Run != left.Run {
			t.Errorf("pointer %+v", ptr)
		}
		w.bucket.failing(nil)
		plan := w.plan(Options{})
		if plan.Run != left.Run {
			t.Errorf("plan %+v", plan)
		}
		w.checkEverySeq(plan)
	})
}
