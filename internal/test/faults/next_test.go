package faults_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// TestNextWhenASourceIsGone: an image is deleted after the plan. No attempt at its task can
// succeed, and status recommends a new plan.
func TestNextWhenASourceIsGone(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, services("w1", "t1")), t.Context()
	w.audit.OnPointer = nil // the sheet has a frame whose image is gone
	e := w.season.Episodes[0]
	classes, _ := e.Wanted()
	gone := ""
	for _, f := range e.Images {
		if _, ok := classes[f]; ok {
			gone = e.ImagePrefix() + f.File()
		}
	}
	w.front.Add(faults.Rule{Kind: faults.Event, From: "plan", Op: "SendMessageBatch", First: 1, Do: func(faults.Request) {
		if _, err := w.bucket.DeleteObjects(ctx, []string{gone}); err != nil {
			t.Error(err)
		}
	}})
	plan, err := w.plan(ctx, 0)
	must(t, err)
	pointer, err := w.ended(ctx)
	must(t, err)
	look, err := w.types(ctx, "status")
	must(t, err)
	if want := []string{"dead " + plan.Run, "plan"}; pointer.State != state.Failed || !slices.Equal(next(look.out), want) {
		t.Errorf("%s: status says %q, expected %q", pointer.State, next(look.out), want)
	}
	expectText(t, pointer.Reason, "1 since the source image is gone", "shuffle plan")
	must(t, w.follow(ctx))
	if after, err := w.store.Current(ctx, state.PointerSnapshot{}); err != nil || after.State != state.Succeeded || after.Run == plan.Run {
		t.Errorf("an operator comes to run %s, %s: %v", after.Run, after.State, err)
	}
}

// TestNextIsParsed: the suite parses what status prints.
func TestNextIsParsed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		out  string
		want []string
	}{
		{"✓ succeeded: run R, generation 1\n  the datasets equal the plan\n", nil},
		{"x\n\nNext:\n  shuffle dead R      list the dead tasks and why\n  shuffle redrive R   publish them again\n", []string{"dead R", "redrive R"}},
		{"x\n\nNext:\n  shuffle --local /tmp/a plan --allow-delete S01E01\n      let frames go, if it is right that\n      they have no row\n", []string{"plan --allow-delete S01E01"}},
	} {
		if got := next(test.out); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, expected %q", test.out, got, test.want)
		}
	}
	if m := verdictLine.FindStringSubmatch("… running: run 2026-1-abcd, generation 1\n"); m == nil || m[1] != "running" || m[2] != "2026-1-abcd" {
		t.Errorf("the verdict is read as %q", strings.Join(m, " "))
	}
}
