package faults_test

import (
	"context"
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// TestDrift: images and a sheet change after the plan and before the workers start.
func TestDrift(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil), t.Context()
	plan, err := w.plan(ctx, 0)
	must(t, err)
	must(t, w.change(func(e *season.Episode) error {
		e.Relabel(5)
		return w.paint(ctx, e, 5)
	}))
	w.serve(services("w1", "t1")...)
	must(t, w.succeeds(ctx))
	odd, err := w.store.Read(ctx, state.RunName(plan.Run, state.TasksName))
	must(t, err)
	expectText(t, string(odd.Body), "SourceChanged")
	next, err := w.run(ctx)
	must(t, err)
	if next.Tasks != 5 || next.Totals.Move != 5 {
		t.Errorf("the next plan has %d tasks, %+v; expected to move the 5 frames that were relabelled", next.Tasks, next.Totals)
	}
	must(t, w.converge(ctx))
	must(t, w.check(ctx))
}

// paint replaces images of the episode.
func (w *world) paint(ctx context.Context, e *season.Episode, n int) error {
	for _, f := range e.Repaint(n) {
		if _, err := w.bucket.PutObject(ctx, e.ImagePrefix()+f.File(), []byte("repainted "+f), bucket.Condition{}); err != nil {
			return err
		}
	}
	return nil
}

// TestImageGone: an image is deleted after the plan. Its task is dead with that reason, and the
// next plan leaves the image out.
func TestImageGone(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil), t.Context()
	plan, err := w.plan(ctx, 0)
	must(t, err)
	must(t, w.change(func(e *season.Episode) error {
		f := e.Relabel(1)[0]
		e.Images = slices.DeleteFunc(e.Images, func(i dataset.Frame) bool { return i == f })
		_, err := w.bucket.DeleteObjects(ctx, imageKeys(e, []dataset.Frame{f}))
		return err
	}))
	w.serve(services("w1", "t1")...)
	pointer, err := w.ended(ctx)
	must(t, err)
	expectText(t, string(pointer.State)+" "+pointer.Reason, "failed", "1 task is dead", "shuffle dead "+plan.Run, "then shuffle plan")
	dead, err := w.store.Read(ctx, state.RunName(plan.Run, state.DeadName))
	must(t, err)
	expectText(t, string(dead.Body), "NoSuchKey", "source image is gone")
	must(t, w.converge(ctx))
	must(t, w.check(ctx))
}

// TestReviewedPlanHasChanged: apply refuses, lists the changes of each frame, and publishes
// nothing.
func TestReviewedPlanHasChanged(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil), t.Context()
	plan, err := w.plan(ctx, 0, "--review")
	must(t, err)
	var frames []dataset.Frame
	must(t, w.change(func(e *season.Episode) error {
		frames = e.Relabel(3)
		return nil
	}))
	apply, err := w.start("apply", "apply", plan.Run)
	must(t, err)
	if code, err := apply.code(ctx); err != nil || code != 1 {
		t.Errorf("apply: exit code %d, %v; expected 1", code, err)
	}
	for _, f := range frames {
		expectText(t, apply.stderrText(t), string(f))
	}
	expectText(t, apply.stderrText(t), "shuffle plan --review")
	if sent := w.audit.Tasks(plan.Generation); len(sent) > 0 {
		t.Errorf("%d tasks were published", len(sent))
	}
}
