package dashboard

import (
	"net/http"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// Problems that the previous run did not have are counted and marked, and a filter lists only them.
func TestNewProblems(t *testing.T) {
	w := newWorld(t, 9)
	list := "/runs/" + runName + "/problems"
	w.expect(w.get("/runs/"+runName), http.StatusOK, "!new</strong>", `!class="badge warn new"`)
	for _, i := range []int{3, 7} {
		w.plan.Episodes[0].Problems[i].New = true
	}
	w.must(w.store.WritePlan(t.Context(), w.plan))
	w.handler = New(w.options)
	w.expect(w.get("/runs/"+runName), http.StatusOK, `<a href="`+list+`?new=yes"><strong>2 new</strong></a> since the run before`, `<span class="badge warn new">2 new</span>`)
	w.expect(w.get("/runs/"+runName+"/episodes"), http.StatusOK, `new">2 new</span>`)
	for query, want := range map[string]struct{ rows, marked int }{
		"": {18, 2}, "?new=yes": {2, 2}, "?new=yes&episode=S01E01": {2, 2}, "?new=yes&episode=S01E02": {0, 0}, "?episode=S01E02": {9, 0},
	} {
		body := w.get(list + query).Body.String()
		rows, marked := strings.Count(body, `<td><a href="/episodes/`), strings.Count(body, `<span class="badge warn new">new</span>`)
		if rows != want.rows || marked != want.marked {
			t.Errorf("%s: %d rows, %d of them marked; expected %+v", query, rows, marked, want)
		}
	}
	w.expect(w.get("/episodes/S01E01"), http.StatusOK, `<a href="`+list+`?episode=S01E01">9 problems in the newest run</a>`, `href="`+list+`?episode=S01E01&amp;new=yes"><span class="badge warn">2 new`)
	w.expect(w.get("/episodes/S01E02"), http.StatusOK, "9 problems in the newest run", "!new=yes")
	w.expect(w.get(list), http.StatusOK, `<select name="kind"><option value="" selected>all</option>`)
	w.expect(w.get(list+"?new=x"), http.StatusBadRequest, "expected yes")
}

// A run's page shows the note of the pointer: why its tracker cannot continue.
func TestNoteOfThePointer(t *testing.T) {
	w := newWorld(t, 3)
	p := w.pointer.Pointer
	p.State, p.Note = state.Verifying, "the tracker cannot verify: AccessDenied <LIST>; it tries again"
	w.point(p)
	w.expect(w.get("/runs/latest"), http.StatusOK, `<p id="note" class="note bad">`, "the tracker cannot verify: AccessDenied &lt;LIST&gt;; it tries again")
	w.expect(w.get("/runs/"+runName+"/problems"), http.StatusOK, `!id="note"`)
}
