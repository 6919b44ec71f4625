package planner

import (
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// In a bucket that changes the ETags of copies, all dataset versions are deleted. The runs still
// record the sources of the copies, also when a later version does not know them. When the runs are
// gone too, the plan reports it and copies nothing.
func TestVersionsDeleted(t *testing.T) {
	inBubble(t, 40, func(t *testing.T, w *world) {
		first := w.plan(Options{})
		w.encrypt(first, state.Succeeded)
		second := w.plan(Options{})
		if second.Totals != (state.Totals{Keep: 40}) {
			t.Errorf("without versions: %+v", second.Totals)
		}
		w.point(func(p *state.Pointer) { p.State = state.Succeeded })
		w.version(second, nil) // from a listing, which does not have the sources
		if third := w.plan(Options{}); third.Totals != (state.Totals{Keep: 40}) {
			t.Errorf("with a version that does not know the sources: %+v", third.Totals)
		}
		w.remove(layout.State() + state.RunName(first.Run, "etags-0.jsonl.zst"))
		w.point(func(p *state.Pointer) { p.State = state.Succeeded })
		last := of(w.plan(Options{}), e1)
		for _, want := range []string{"would copy 40 of the 40", "of 40 of them neither a dataset version nor a run says what was copied", "--allow-refresh S01E01"} {
			if last.State != state.EpisodeHeld || !strings.Contains(last.Reason, want) {
				t.Errorf("no %q in %s: %s", want, last.State, last.Reason)
			}
		}
		if again := w.plan(Options{AllowRefresh: []dataset.Episode{e1}}); again.Totals != (state.Totals{Refresh: 40}) {
			t.Errorf("allowed: %+v", again.Totals)
		}
	})
}
