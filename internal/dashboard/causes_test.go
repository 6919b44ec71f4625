package dashboard

import (
	"net/http"
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// The changes can be filtered by cause, over several pages and together with the other choices. The
// counts by cause link to the filtered lists.
func TestChangesByCause(t *testing.T) {
	const n = 300
	w := newWorld(t, n)
	causes := map[dataset.Episode]func(i int) state.ChangeCause{
		e1: func(i int) state.ChangeCause {
			return []state.ChangeCause{state.ChangeRelabelled, state.ChangeNew, state.ChangeRowGone}[i%3]
		},
		e2: func(i int) state.ChangeCause {
			return map[bool]state.ChangeCause{true: state.ChangeRowGone, false: state.ChangeNew}[i%3 == 2]
		},
	}
	op := func(i int) messages.Op {
		return map[bool]messages.Op{true: messages.Delete, false: messages.Copy}[i%3 == 2]
	}
	for _, e := range []dataset.Episode{e1, e2} {
		var all []state.FrameChange
		for i := range n {
			all = append(all, state.FrameChange{Frame: dataset.FrameAt(e, i), Row: i + 2, Op: op(i), Cause: causes[e](i), To: rare})
		}
		w.must(w.store.WriteChanges(t.Context(), runName, e, all))
		w.plan.Changes = append(w.plan.Changes, state.CountChanges(e, all)...)
	}
	w.must(w.store.WritePlan(t.Context(), w.plan))
	w.handler = New(w.options)
	changes := "/runs/" + runName + "/changes"
	for query, fits := range map[string]func(e dataset.Episode, i int) bool{
		"?cause=relabelled":                func(e dataset.Episode, i int) bool { return e == e1 && i%3 == 0 },
		"?cause=new":                       func(e dataset.Episode, i int) bool { return causes[e](i) == state.ChangeNew },
		"?cause=row+gone":                  func(_ dataset.Episode, i int) bool { return i%3 == 2 },
		"?cause=row+gone&episode=S01E02":   func(e dataset.Episode, i int) bool { return e == e2 && i%3 == 2 },
		"?cause=relabelled&episode=S01E02": func(dataset.Episode, int) bool { return false },
		"?cause=row+gone&op=delete":        func(_ dataset.Episode, i int) bool { return i%3 == 2 },
		"?cause=row+gone&op=copy":          func(dataset.Episode, int) bool { return false },
		"?cause=settings":                  func(dataset.Episode, int) bool { return false },
	} {
		want := []string{}
		for _, e := range []dataset.Episode{e1, e2} {
			for i := range n {
				if fits(e, i) {
					want = append(want, string(dataset.FrameAt(e, i)))
				}
			}
		}
		if got := w.tilesOn(changes + query); !slices.Equal(got, want) {
			t.Errorf("%s: %d frames, expected %d", query, len(got), len(want))
		}
	}
	w.back(changes+"?cause=new", "300")
	w.back(changes+"?cause=relabelled", "100")
	w.back(changes+"?cause=row+gone&op=delete", "")
	w.expect(w.get(changes), http.StatusOK, `href="`+changes+`?cause=relabelled">100<`, `href="`+changes+`?cause=row&#43;gone">200<`, `<option value="row gone">row gone</option>`)
	w.expect(w.get(changes+"?cause=whim"), http.StatusBadRequest, "expected one of")
}
