package faults_test

import (
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// TestPointerIsLost: a person damages or deletes the pointer. Status says what to do, and an
// operator who does it comes to the end.
func TestPointerIsLost(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"cut short", "deleted"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 40}, services("w1", "t1")), soon(t)
			_, err := w.run(ctx)
			must(t, err)
			if done, err := w.touch(ctx, hand{object: "current.json", how: how}); err != nil || !done {
				t.Fatalf("%t, %v", done, err)
			}
			look, err := w.types(ctx, "status")
			must(t, err)
			if look.code == 0 {
				t.Errorf("status has exit code 0: %s", look)
			}
			expectText(t, look.said, "current.json", "shuffle plan", "nothing in the datasets is lost")
			if how != "deleted" {
				expectText(t, look.said, "damaged", "delete it")
			}
			doctor, err := w.types(ctx, "doctor")
			must(t, err)
			if doctor.code != 1 {
				t.Errorf("doctor has exit code %d, expected 1: %s", doctor.code, doctor.out)
			}
			must(t, w.relabel(5))
			must(t, w.converge(ctx))
			must(t, w.check(ctx))
		})
	}
}

// TestRecoveryIsAnnounced: a run waits for something that repairs itself. Status says within which
// time. The objects seem old, so that the scene need not wait.
func TestRecoveryIsAnnounced(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 40}, nil, "SHUFFLE_STALL=10m"), soon(t)
	_, err := w.plan(ctx, 0)
	must(t, err)
	w.front.Add(faults.Rule{Kind: faults.Aged, From: "status", Target: "shuffle/", First: 1, Times: -1, Delay: 4*time.Minute + 30*time.Second})
	look, err := w.types(ctx, "status")
	must(t, err)
	expectText(t, strings.Join(strings.Fields(look.out), " "), "no result has come for 4 min", "publishes the open tasks again within 5 min", "SHUFFLE_STALL")
	if commands := next(look.out); len(commands) != 3 {
		t.Errorf("status says %q, expected status, work and track", commands)
	}
	w.front.Calm()
	w.serve(services("w1", "t1")...)
	must(t, w.succeeds(ctx))
	must(t, w.check(ctx))
}
