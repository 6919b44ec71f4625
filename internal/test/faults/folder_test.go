package faults_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// TestFolderComesBack: services run, or start, while the folder is read-only, and while the file of
// the queues is gone. They go on when both are there again.
func TestFolderComesBack(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"read-only for a while", "queues.db deleted"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w, ctx := newSceneAt(t, local, season.Options{Episodes: 1, Frames: 60}, services("w1", "t1")), soon(t)
			_, err := w.run(ctx)
			must(t, err)
			must(t, w.handle(how))
			must(t, w.relabel(20))
			next, err := w.run(ctx)
			must(t, err)
			if next.Tasks != 20 {
				t.Errorf("%d tasks, expected 20", next.Tasks)
			}
			must(t, errors.Join(w.converge(ctx), w.check(ctx)))
		})
	}
}

// TestQueueFileIsDamaged: every command that needs the damaged file says that it may be deleted and
// that nothing is lost. After that the run in force goes on.
func TestQueueFileIsDamaged(t *testing.T) {
	t.Parallel()
	w, ctx := newSceneAt(t, local, season.Options{Episodes: 1, Frames: 60}, nil), soon(t)
	_, err := w.plan(ctx, 0)
	must(t, err)
	pointer, err := w.store.Current(ctx, state.PointerSnapshot{})
	must(t, err)
	w.did("queues.db damaged", pointer.Run)
	must(t, w.damageQueueFile())
	for _, command := range []string{"status", "doctor", "work", "track", "setup"} {
		look, err := w.types(ctx, command)
		must(t, err)
		text := strings.Join(strings.Fields(look.out+look.said), " ")
		if look.code == 0 && command != "status" {
			t.Errorf("%s has exit code 0", command)
		}
		for _, want := range []string{"queues.db is damaged", "delete", "setup", "Nothing is lost"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in the output: %s", command, want, text)
			}
		}
	}
	must(t, w.removeQueueFile())
	if setup, err := w.types(ctx, "setup"); err != nil || setup.code != 0 {
		t.Errorf("setup: %v, %s", err, setup)
	}
	w.serve(services("w1", "t1")...)
	must(t, w.succeeds(ctx))
	must(t, errors.Join(w.converge(ctx), w.check(ctx)))
}
