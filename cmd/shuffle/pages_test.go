package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/browsertest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// A person visits the pages about a season of twelve episodes. They show the same values that the
// commands print.
func TestPages(t *testing.T) {
	t.Parallel()
	w := &watched{tab: browsertest.Open(t), world: generated(t, season.Options{Episodes: 12, Frames: 200, Oddities: true, Seed: 5})}
	w.must(w.seasons[0].WriteImages(t.Context(), folder(w.bucket())))
	still := w.stills()
	island := w.island()
	w.run(1, "run") // 1: an episode is held
	e := w.episode(0)
	relabelled := e.Relabel(7)
	w.save(e)
	w.run(1, "run")
	tracker := w.start("track", "--http", "127.0.0.1:0")
	awaitOf(tracker, "the dashboard is up", func() bool { return dashboardAt.MatchString(tracker.logs.String()) })
	w.site = dashboardAt.FindStringSubmatch(tracker.logs.String())[1]
	plan := w.plan(1, "--dry-run")

	w.season(plan)
	w.filters(plan)
	w.labels(island)
	w.duplicates(plan, still)
	w.whatIf()
	w.neighbours()
	w.compared(relabelled)
	w.run2(w.status(1))
	w.visit("/workers", `document.querySelectorAll("table.queues tbody tr").length === 3`)
	w.each("workers")
	w.tab.Visit("about:blank") // without an open stream when the server is killed
}

// visit opens a page and waits until all of its data are read.
func (w *watched) visit(path, until string) {
	w.t.Helper()
	w.tab.Visit(w.site + path)
	w.tab.Wait(`!document.querySelector(".reading:not(.minor)") && ` + until)
}

// number is the number that an element shows.
func (w *watched) number(selector string) string {
	w.t.Helper()
	return strings.TrimSpace(w.text(selector))
}

// stills gives eight frames of two episodes the same image, as a title sequence does, and returns
// one of those frames.
func (w *watched) stills() dataset.Frame {
	w.t.Helper()
	body, err := os.ReadFile(w.image(w.episode(1), w.episode(1).Images[0]))
	w.must(err)
	for _, e := range []*season.Episode{w.episode(1), w.episode(2)} {
		for _, f := range e.Images[40:60] {
			w.must(os.WriteFile(w.image(e, f), body, 0o600))
		}
	}
	return w.episode(1).Images[40]
}

// island labels one frame differently from its neighbours, which share one class, and returns its
// name.
func (w *watched) island() dataset.Frame {
	w.t.Helper()
	e := w.episode(3)
	rows := map[int]string{}
	index := map[int]int{}
	for i, r := range e.Rows {
		f, err := dataset.ParseFrame(r.Frame)
		if _, twice := rows[f2(f, err)]; err != nil || twice {
			continue
		}
		rows[f.Index()], index[f.Index()] = r.Class(), i
	}
	for at := 10; at+10 < 200; at++ {
		same := rows[at] != ""
		for i := at - 10; i <= at+10; i++ {
			same = same && rows[i] == rows[at]
		}
		if same {
			r := &e.Rows[index[at]]
			r.Jonnys = map[bool]string{true: "Junk", false: "Legendary"}[rows[at] == "Legendary"]
			w.save(e)
			return dataset.FrameAt(e.Episode, at)
		}
	}
	w.t.Fatal("no class lasts for 21 frames")
	return ""
}

// f2 is the index of a frame that could be parsed, else none.
func f2(f dataset.Frame, err error) int {
	if err != nil {
		return -1
	}
	return f.Index()
}

// season checks the list of the episodes.
func (w *watched) season(plan state.Plan) {
	w.t.Helper()
	w.visit("/episodes", `document.querySelectorAll("table.season tbody tr").length === 13`)
	standing := 0
	for _, b := range plan.Balance {
		standing += b.Before
	}
	sum := browsertest.Eval[int](w.tab, `[...document.querySelectorAll("table.season tbody tr")].reduce((n, r) => n + Number(r.cells[3].innerText.replaceAll(",", "")), 0)`)
	if sum != standing {
		w.t.Errorf("%d frames in the datasets, and the plan says %d", sum, standing)
	}
	w.each("season")
}

// filters checks the search for frames: the counts equal those of the plan.
func (w *watched) filters(plan state.Plan) {
	w.t.Helper()
	for _, b := range plan.Balance {
		if b.Dataset != "test" {
			continue
		}
		q := url.Values{"dataset": {b.Dataset}, "folder": {b.Class}}
		w.visit("/frames?"+q.Encode(), `document.querySelector("#found strong")`)
		if got, want := w.number("#found strong"), figure.Count(b.Before, "frame"); got != want {
			w.t.Errorf("%s/%s: %s, and the plan says %s", b.Dataset, b.Class, got, want)
		}
	}
	w.visit("/frames?only=frozen", `document.querySelector("#found strong")`)
	if got, want := w.number("#found strong"), figure.Count(plan.Totals.Frozen, "frame"); got != want {
		w.t.Errorf("frozen: %s, and the plan says %s", got, want)
	}
	// The form leads to an address that a person can share.
	w.tab.Click("select[name=class]")
	browsertest.Eval[bool](w.tab, `(document.querySelector("select[name=class]").value = "Rare", document.querySelector("select[name=only]").value = "", true)`)
	w.tab.Follow(`document.querySelector(".choose button")`)
	w.tab.Wait(`location.search.includes("class=Rare") && document.querySelector(".tiles li") && document.readyState === "complete"`)
	w.each("frames")
	// The search box leads to a row.
	f := w.episode(0).Images[100]
	browsertest.Eval[bool](w.tab, fmt.Sprintf(`(document.querySelector(".find input").value = %q, true)`, strings.ToLower(string(f))+".jpg"))
	w.tab.Follow(`document.querySelector(".find button")`)
	w.tab.Wait(fmt.Sprintf(`location.pathname === "/frames/%s"`, f))
}

// labels checks the labels page: the matrices count the values in the sheets, and the island is
// found.
func (w *watched) labels(island dataset.Frame) {
	w.t.Helper()
	both := 0
	for _, e := range w.seasons[0].Episodes {
		seen := map[string]bool{}
		for _, r := range e.Rows {
			if f, err := dataset.ParseFrame(r.Frame); err == nil && f.Episode() == e.Episode && e.Missing == "" && !seen[r.Frame] {
				seen[r.Frame] = true
				if r.Unsupervised != "" && r.Supervised != "" {
					both++
				}
			}
		}
	}
	w.visit("/labels", `document.querySelector("table.confusion")`)
	sum := browsertest.Eval[int](w.tab, `[...document.querySelector("table.confusion").querySelectorAll("td")].reduce((n, c) => n + parseInt(c.innerText.replaceAll(",", "")), 0)`)
	if sum != both {
		w.t.Errorf("the matrix of unsupervised against supervised has %d frames, and the sheets %d", sum, both)
	}
	if !browsertest.Eval[bool](w.tab, fmt.Sprintf(`Boolean(document.querySelector(".islands li.here a[href='/frames/%s']"))`, island)) {
		w.t.Errorf("%s is not among the islands", island)
	}
	w.each("labels")
	// A cell leads to its frames.
	cell := browsertest.Eval[string](w.tab, `document.querySelector("table.confusion td a").firstChild.textContent`)
	w.tab.Click("table.confusion td a")
	w.tab.Wait(`location.pathname === "/frames" && document.querySelector("#found strong")`)
	if got := w.number("#found strong"); got != cell+" frames" && got != cell+" frame" {
		w.t.Errorf("the cell says %s, and its page %s", cell, got)
	}
}

// duplicates checks the frames of training whose image is also elsewhere.
func (w *watched) duplicates(plan state.Plan, still dataset.Frame) {
	w.t.Helper()
	w.visit("/duplicates", `document.querySelector("#beside-h")`)
	says(w.t, w.text("section[aria-labelledby=beside-h] p strong"), "^"+figure.Percent(plan.Leakage)+"$")
	if got := w.number("#same-h .badge"); got != "1" {
		w.t.Errorf("%s images stand in several datasets, expected 1", got)
	}
	says(w.t, w.text("section[aria-labelledby=same-h]"), "1 image with 4[01] frames")
	if !browsertest.Eval[bool](w.tab, fmt.Sprintf(`document.querySelector("section[aria-labelledby=same-h]").innerText.includes(%q)`, still.Episode())) {
		w.t.Errorf("%s is not shown", still)
	}
	w.each("duplicates")
}

// whatIf checks an episode under other settings: the figures equal those that the command on the
// page prints.
func (w *watched) whatIf() {
	w.t.Helper()
	w.visit("/episodes/S01E02?group=2s&guard=2&stratify=true", `document.querySelector("#leakage")`)
	args := strings.Fields(strings.TrimPrefix(w.text("#dry-run"), "shuffle --local "+w.dir+" "))
	plan := w.plan(0, append(args[1:], "--episode", "S01E02")...)
	if got, want := w.number("#leakage"), figure.Percent(plan.Leakage); got != want {
		w.t.Errorf("leakage %s, and the plan says %s", got, want)
	}
	m := state.NewMatrix(plan.Balance, plan.Settings)
	for d, counts := range m.Counts {
		for c, n := range counts {
			cell := fmt.Sprintf("table.balance tbody tr:nth-child(%d) td:nth-child(%d)", c+1, d+2)
			says(w.t, w.text(cell), fmt.Sprintf("^%s → %s( frames)? ", figure.Number(n.Before), figure.Number(n.After)))
		}
	}
	says(w.t, w.text("#whatif"), "With --group=2s --stratify=true --guard=2: "+figure.Count(plan.DatasetChanges.Frames, "frame"))
	if n := browsertest.Eval[int](w.tab, `document.querySelectorAll(".lane").length`); n != 5 {
		w.t.Errorf("%d lanes, expected 5", n)
	}
	// The slider shows the frames, by keyboard too, and leads to their pages.
	browsertest.Eval[bool](w.tab, `(document.querySelector(".looker input").focus(), true)`)
	w.tab.Wait(`document.querySelector(".preview a")`)
	w.tab.Press(kb.ArrowRight)
	w.tab.Press(kb.ArrowRight)
	w.tab.Wait(`document.querySelector(".preview a").innerText === "00:00:00:02" && document.querySelector(".preview img").naturalWidth > 0`)
	w.each("episode")
	w.tab.Press(kb.Enter)
	w.tab.Wait(`location.pathname === "/frames/TT_S01_E02_FRM-00-00-00-02"`)
}

// neighbours checks the navigation from frame to frame with the arrow keys.
func (w *watched) neighbours() {
	w.t.Helper()
	w.visit("/frames/TT_S01_E02_FRM-00-00-00-02", `document.querySelector(".here")`)
	for _, turn := range []struct{ key, to string }{{kb.ArrowRight, "03"}, {kb.ArrowRight, "04"}, {kb.ArrowLeft, "03"}} {
		w.tab.Press(turn.key)
		w.tab.Wait(fmt.Sprintf(`location.pathname.endsWith("00-%s") && document.readyState === "complete" && document.querySelector("a[rel=next]")`, turn.to))
	}
	says(w.t, w.text(".decision"), `CLASSIFICATION is filled in, so it decides: \w+\.`)
}

// compared checks the comparison of two versions.
func (w *watched) compared(relabelled []dataset.Frame) {
	w.t.Helper()
	out, _ := w.run(0, "versions", "1", "2", "--json")
	d := decode[version.Diff](w.t, out)
	w.visit("/versions", `document.querySelectorAll("table.versions tbody tr").length === 2 && document.querySelectorAll(".trends li").length > 10`)
	w.each("versions")
	w.visit("/versions/compare?from=1&to=2", `document.querySelector(".tally")`)
	for i, k := range version.Kinds {
		if got, want := w.number(fmt.Sprintf(".tally li:nth-child(%d) strong", i+1)), figure.Number(d.Totals[k]); got != want {
			w.t.Errorf("%s: %s, and the command says %s", k, got, want)
		}
	}
	says(w.t, w.text(".tally"), figure.Number(d.Same)+" the same")
	if n := w.loaded(); n != len(d.Changes) || d.Totals[version.Relabelled] != len(relabelled) {
		w.t.Errorf("%d images, and the command says %d changes, %d of them relabelled", n, len(d.Changes), d.Totals[version.Relabelled])
	}
	w.each("compare")
	first := d.Relabellings[0]
	w.visit("/versions/compare?"+url.Values{"from": {"1"}, "to": {"2"}, "kind": {"relabelled"}, "was": {first.From}, "is": {first.To}}.Encode(), `document.querySelector("#frames-h")`)
	says(w.t, w.text("#frames-h"), "^"+figure.Count(first.Frames, "frame")+" relabelled, was "+first.From+", is "+first.To)
}

// run2 checks the pages of the newest run.
func (w *watched) run2(s state.Status) {
	w.t.Helper()
	w.visit("/runs/latest", `document.querySelector("table.balance")`)
	says(w.t, w.text("p.figure"), "^"+figure.Number(s.Done)+" of "+figure.Count(s.Tasks, "task"))
	var plan state.Plan
	body, err := os.ReadFile(w.own("runs", s.Run, "plan.json"))
	w.must(err)
	plan = decode[state.Plan](w.t, string(body))
	all := 0
	for _, e := range plan.Episodes {
		all += len(e.Problems) + e.MoreProblems
	}
	if got, want := w.number("#kinds-h .badge"), figure.Number(all); got != want {
		w.t.Errorf("%s problems, and the plan has %s", got, want)
	}
	rows := browsertest.Eval[int](w.tab, `[...document.querySelectorAll("table.kinds tbody td.n")].reduce((n, c) => n + Number(c.innerText.replaceAll(",", "")), 0)`)
	if rows != all {
		w.t.Errorf("the kinds have %d problems, and the plan %d", rows, all)
	}
	w.each("overview")
	for _, tab := range []string{"changes", "episodes", "problems"} {
		w.tab.Click(`.tabs a[href$="/` + tab + `"]`)
		w.tab.Wait(`document.querySelector(".tabs a[aria-current]")?.href.endsWith("/` + tab + `") && document.readyState === "complete"`)
		w.each("tab-" + tab)
	}
}
