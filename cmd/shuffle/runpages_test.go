package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/browsertest"
)

// A person visits the new contents of a run: its problems, the frames of a cause, the identical
// images and the workers. The numbers equal those that the commands print.
func TestWhatIsNewOnThePages(t *testing.T) {
	t.Parallel()
	w := &watched{tab: browsertest.Open(t), world: generated(t, season.Options{Episodes: 2, Frames: 200, Seed: 5})}
	e := w.episode(0)
	for i := range 3 {
		e.Rows[10+i].Jonnys = "Mythic"
	}
	w.save(e)
	w.must(w.seasons[0].WriteImages(t.Context(), folder(w.bucket())))
	w.stillsOf(w.episode(0), w.episode(1))
	w.run(0, "run")
	e.Rows[20].Jonnys, e.Rows[21].Jonnys, e.Rows[22].Jonnys = "Mythic", "Epic", "Epic"
	w.save(e)
	w.episode(1).Relabel(70)
	w.episode(1).RemoveRows(4)
	w.save(w.episode(1))

	tracker := w.start("track", "--http", "127.0.0.1:0")
	awaitOf(tracker, "the dashboard is up", func() bool { return dashboardAt.MatchString(tracker.logs.String()) })
	w.site = dashboardAt.FindStringSubmatch(tracker.logs.String())[1]
	plan := w.plan(0)
	w.atWork(plan)
	w.newProblems(plan)
	w.byCause(plan)
	w.tab.Visit("about:blank")
}

// atWork checks the workers' page while a worker applies the plan. A minute later the page no
// longer shows the worker.
func (w *watched) atWork(plan state.Plan) {
	w.t.Helper()
	w.visit("/workers", `document.querySelector("#workers")`)
	w.start("work", "--exit-when-idle", "1s")
	done := `document.querySelector("table.workers tbody td:nth-of-type(2)")`
	w.tab.Wait(fmt.Sprintf(`%s?.innerText === %q`, done, figure.Number(plan.Tasks)))
	if got := w.number("#retries"); got != "no retry" {
		w.t.Errorf("%q, and nothing was received twice", got)
	}
	if got := w.number("#throttled"); got != "0 requests" {
		w.t.Errorf("%q, and a folder throttles nothing", got)
	}
	w.each("workers-retries")
}

// stillsOf gives every tenth frame of two episodes the same image.
func (w *watched) stillsOf(a, b *season.Episode) {
	w.t.Helper()
	body, err := os.ReadFile(w.image(a, a.Images[0]))
	w.must(err)
	for i := 0; i < 200; i += 10 {
		w.must(os.WriteFile(w.image(a, a.Images[i]), body, 0o600))
		w.must(os.WriteFile(w.image(b, b.Images[i]), body, 0o600))
	}
}

// newProblems checks, on three pages, the problems of the run that the previous run did not have.
func (w *watched) newProblems(plan state.Plan) {
	w.t.Helper()
	out, _ := w.run(0, "problems", "--json")
	fresh, kinds := 0, 0
	var printed []string
	for _, k := range decode[problemsJSON](w.t, out).Kinds {
		printed = append(printed, figure.Number(k.Count)+" "+k.String())
		fresh += k.New
		if k.New > 0 {
			kinds++
		}
	}
	if fresh != 3 {
		w.t.Fatalf("%d new problems, expected 3: %s", fresh, out)
	}
	w.visit("/runs/latest", `document.querySelector("table.kinds")`)
	shown := browsertest.Eval[[]string](w.tab, `[...document.querySelectorAll("table.kinds tbody tr")].map(r => r.cells[0].innerText + " " + r.querySelector("a").innerText)`)
	if diff := cmp.Diff(printed, shown); diff != "" {
		w.t.Errorf("problems by kind, -printed +shown:\n%s", diff)
	}
	says(w.t, w.text("p.new"), fmt.Sprintf("^%d new since the run before", fresh))
	if n := browsertest.Eval[int](w.tab, `document.querySelectorAll("table.kinds .badge.new").length`); n != kinds {
		w.t.Errorf("%d kinds are marked as new, and the command marks %d", n, kinds)
	}
	says(w.t, w.text("#identical"), fmt.Sprintf("^%s outside the training dataset have exactly the image", figure.Count(plan.IdenticalImages, "frame")))
	w.each("run-new")
	w.tab.Click("p.new a")
	w.tab.Wait(`location.search === "?new=yes" && document.querySelector("table.problems") && document.readyState === "complete"`)
	rows := browsertest.Eval[[]int](w.tab, `[document.querySelectorAll("table.problems tbody tr").length, document.querySelectorAll("table.problems .badge.new").length]`)
	if rows[0] != fresh || rows[1] != fresh {
		w.t.Errorf("%v rows and marks, expected %d of each", rows, fresh)
	}
	w.each("problems-new")
	w.visit("/episodes/S01E01", `document.querySelector(".lanes")`)
	says(w.t, w.text(`.pager a[href*="new=yes"]`), fmt.Sprintf("^%d new", fresh))
	says(w.t, w.text(`.pager a[href$="episode=S01E01"][href*="problems"]`), "problems in the newest run")
	w.each("episode-new")
	w.visit("/episodes/S01E02", `document.querySelector(".lanes")`)
	if browsertest.Eval[bool](w.tab, `Boolean(document.querySelector("a[href*='new=yes']"))`) {
		w.t.Error("an episode without problems has new ones")
	}
}

// byCause follows the link from a count by cause to its frames.
func (w *watched) byCause(plan state.Plan) {
	w.t.Helper()
	made := map[state.ChangeCause]int{}
	for _, n := range plan.Changes {
		if !n.Held {
			made[n.Cause] += n.Count
		}
	}
	if made[state.ChangeRelabelled] < 61 || made[state.ChangeRowGone] == 0 {
		w.t.Fatalf("changes by cause: %v", made)
	}
	for cause, n := range made {
		w.visit("/runs/"+plan.Run+"/changes", `document.querySelector("table.causes")`)
		link := fmt.Sprintf(`[...document.querySelectorAll("table.causes tbody tr")].find(r => r.cells[0].innerText === %q).querySelector("a")`, cause)
		if got := browsertest.Eval[string](w.tab, link+".firstChild.textContent"); got != figure.Number(n) {
			w.t.Errorf("%s: %s frames, and the plan has %d", cause, got, n)
		}
		w.tab.Follow(link)
		w.tab.Wait(fmt.Sprintf(`new URLSearchParams(location.search).get("cause") === %q && document.querySelector(".tiles li") && document.readyState === "complete"`, cause))
		shown, other := browsertest.Eval[int](w.tab, `document.querySelectorAll(".tiles li").length`), browsertest.Eval[int](w.tab,
			fmt.Sprintf(`[...document.querySelectorAll(".tiles li")].filter(li => !li.innerText.includes(%q)).length`, cause))
		if shown != min(n, 60) || other != 0 {
			w.t.Errorf("%s: %d frames of %d are shown, %d of them of another cause", cause, shown, n, other)
		}
		if got := browsertest.Eval[string](w.tab, `document.querySelector("select[name=cause]").value`); got != string(cause) {
			w.t.Errorf("the choice shows %q, expected %q", got, cause)
		}
	}
	w.each("changes-cause")
}
