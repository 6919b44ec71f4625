package main

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/browsertest"
)

// watched is a world whose tracker serves the dashboard, with a browser.
type watched struct {
	*world
	tab  *browsertest.Tab
	site string
}

var dashboardAt = regexp.MustCompile(`"url":"(http://127\.0\.0\.1:\d+)/"`)

// shuffle track --http 127.0.0.1:0
func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{tab: browsertest.Open(t), world: generated(t, season.Options{Episodes: 2, Frames: 600, Oddities: true, Seed: 7})}
	// Real images, which a browser can show.
	w.must(w.seasons[0].WriteImages(t.Context(), folder(w.bucket())))
	tracker := w.start("track", "--http", "127.0.0.1:0")
	awaitOf(tracker, "the dashboard is up", func() bool { return dashboardAt.MatchString(tracker.logs.String()) })
	w.site = dashboardAt.FindStringSubmatch(tracker.logs.String())[1]
	return w
}

// A person watches a first run, in which a task becomes dead, until it ends. Then the person visits
// other pages, and sees the redriven run succeed without reloading the page.
func TestDashboard(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.tab.Visit(w.site + "/")
	w.tab.Wait(`document.body.innerText.includes("There is no run yet")`)
	w.each("none")

	plan := w.plan(1) // 1: an episode is held
	w.tab.Wait(`document.querySelector("table.runs a")`)
	lost := w.loseImage()
	w.tab.Visit(w.site + "/runs/latest")
	w.tab.Wait(`document.querySelector("h1 .live")`)
	says(t, w.text("ul.held li"), `held S01E03.*expected the column "FRAME NUMBER"`)
	w.each("running")

	// The page is not reloaded: a mark in it remains.
	browsertest.Eval[bool](w.tab, "(window.mark = true)")
	w.start("work")
	w.tab.Wait(`document.querySelector("h1 .badge").innerText.includes("failed") && document.querySelector(".deads")`)
	if !browsertest.Eval[bool](w.tab, "window.mark === true") {
		t.Error("the page was reloaded")
	}
	w.dead(plan.Run, lost)
	w.each("dead")
	w.changes(plan.Run)
	w.problems(plan)
	w.keyboard()

	// The cause is fixed; the browser watches the redrive until the run ends.
	w.tab.Visit(w.site + "/runs/" + plan.Run)
	w.must(w.episode(0).WriteImages(t.Context(), folder(w.bucket()), []dataset.Frame{lost}))
	w.run(0, "redrive", plan.Run)
	w.tab.Wait(`document.querySelector("h1 .badge").innerText.includes("succeeded") && !document.querySelector(".deads")`)
	w.tab.Wait(`document.body.innerText.includes("yes: a listing equals the plan")`)
	w.each("succeeded")

	w.standing()
	w.frame(plan)
	w.report(plan.Run)
	w.moves()
	w.tab.Visit("about:blank") // without an open stream when the server is killed
}

// loseImage removes the image of a planned frame, so its task must become dead.
func (w *watched) loseImage() dataset.Frame {
	w.t.Helper()
	classes, _ := w.episode(0).Wanted()
	for _, f := range w.episode(0).Images {
		if classes[f] != "" {
			w.must(os.Remove(w.image(w.episode(0), f)))
			return f
		}
	}
	panic("no frame of the episode is wanted")
}

// text is the visible text of an element.
func (w *watched) text(selector string) string {
	w.t.Helper()
	return browsertest.Eval[string](w.tab, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))
}

// each checks the page in both widths and both schemes, with axe-core.
func (w *watched) each(name string) {
	w.t.Helper()
	for _, s := range []struct {
		width  int
		scheme string
	}{{1280, "light"}, {1280, "dark"}, {390, "dark"}, {390, "light"}} {
		w.tab.Screen(s.width, 900, s.scheme)
		look := fmt.Sprintf("%s-%d-%s", name, s.width, s.scheme)
		w.tab.Axe(look)
		if wide := browsertest.Eval[int](w.tab, "document.documentElement.scrollWidth"); wide > s.width {
			w.t.Errorf("%s: the page is %d pixels wide", look, wide)
		}
		w.tab.Shot(look)
	}
	w.tab.Screen(1280, 900, "light")
}

// loaded waits for all images of the page, and returns their number. Images below the window load
// when it scrolls to them.
func (w *watched) loaded() int {
	w.t.Helper()
	n := browsertest.Eval[int](w.tab, "document.images.length")
	for i := range n {
		browsertest.Eval[bool](w.tab, fmt.Sprintf("(document.images[%d].scrollIntoView(), true)", i))
		w.tab.Wait(fmt.Sprintf("document.images[%d].complete", i))
	}
	if broken := browsertest.Eval[int](w.tab, "[...document.images].filter(i => i.naturalWidth === 0).length"); broken > 0 {
		w.t.Errorf("%d of %d images are broken", broken, n)
	}
	return n
}

// dead checks the dead task, and the command that publishes it again.
func (w *watched) dead(run string, lost dataset.Frame) {
	w.t.Helper()
	says(w.t, w.text(".deads li"), fmt.Sprintf(`1 × NoSuchKey S01E01 source image is gone.* shuffle --local %s plan`, w.dir))
	w.tab.Permit("clipboard-read", "clipboard-write")
	w.tab.Click("#dead [data-copy=deads-0]")
	w.tab.Wait(`document.querySelector("#dead [data-copy=deads-0] span").innerText === "Copied"`)
	if got, want := browsertest.Eval[string](w.tab, "navigator.clipboard.readText()"), fmt.Sprintf("shuffle --local %s plan", w.dir); got != want {
		w.t.Errorf("copied %q, expected %q", got, want)
	}
	w.tab.Visit(w.site + "/runs/" + run + "/dead")
	says(w.t, w.text("h3 + .deads li"), fmt.Sprintf(`NoSuchKey %s copy, task \d+, .* shuffle --local %s redrive %s --seq \d+`, lost, w.dir, run))
	w.each("deads")
}

// changes checks the contact sheet of the copied frames.
func (w *watched) changes(run string) {
	w.t.Helper()
	w.tab.Visit(w.site + "/runs/" + run + "/changes?op=copy&episode=S01E01")
	if n := w.loaded(); n != 59 { // of 60 tiles
		w.t.Errorf("%d images have loaded, expected 59", n)
	}
	w.tab.Wait(`document.querySelector(".tiles .none").closest("li").innerText.includes("dead")`)
	w.each("contact")
	w.tab.Click("a[rel=next]")
	w.tab.Wait(`document.querySelector(".pager span")?.innerText.startsWith("61–120 of ") && document.readyState === "complete"`)
	if n := w.loaded(); n != 60 {
		w.t.Errorf("%d images have loaded on the second page, expected 60", n)
	}
	w.each("contact-second")
	for _, turn := range []struct{ key, from string }{{kb.ArrowRight, "121–"}, {kb.ArrowLeft, "61–"}, {kb.ArrowLeft, "1–60"}} {
		w.tab.Press(turn.key)
		w.tab.Wait(fmt.Sprintf(`document.querySelector(".pager span")?.innerText.startsWith(%q) && document.readyState === "complete"`, turn.from))
	}
}

// problems checks the rows of a sheet.
func (w *watched) problems(plan state.Plan) {
	w.t.Helper()
	e := plan.Episodes[0]
	w.tab.Visit(w.site + "/runs/" + plan.Run + "/problems/" + string(e.Name()))
	want := fmt.Sprintf("https://docs.google.com/spreadsheets/d/%s/edit#gid=0&range=A%d", w.episode(0).SpreadsheetID, e.Problems[0].Row)
	if got := browsertest.Eval[string](w.tab, `document.querySelector("table.problems th a").href`); got != want {
		w.t.Errorf("the first problem links to %s, expected %s", got, want)
	}
	w.each("problems")
}

// keyboard checks navigation without a mouse.
func (w *watched) keyboard() {
	w.t.Helper()
	w.tab.Visit(w.site + "/")
	w.tab.Press(kb.Tab)
	if got := browsertest.Eval[string](w.tab, "document.activeElement.innerText"); got != "Skip to the content" {
		w.t.Errorf("the first stop of the Tab key is %q", got)
	}
	for range 30 {
		if strings.HasPrefix(browsertest.Eval[string](w.tab, "document.activeElement.getAttribute('href') ?? ''"), "/runs/") {
			break
		}
		w.tab.Press(kb.Tab)
	}
	w.tab.Press(kb.Enter)
	w.tab.Wait(`location.pathname.startsWith("/runs/") && document.querySelector("h1")`)
}

// standing checks the frames of a class in a dataset, which the numbers of the run link to.
func (w *watched) standing() {
	w.t.Helper()
	w.tab.Click("table.balance tbody a")
	w.tab.Wait(`location.search.includes("dataset=") && document.querySelector(".tiles li") && document.readyState === "complete"`)
	if got, n := w.loaded(), browsertest.Eval[int](w.tab, `document.querySelectorAll(".tiles li").length`); n == 0 || got != n {
		w.t.Errorf("%d of %d images have loaded", got, n)
	}
	w.each("standing")
}

// frame checks the page of one frame.
func (w *watched) frame(plan state.Plan) {
	w.t.Helper()
	w.tab.Visit(w.site + "/frames/" + string(w.episode(0).Images[0]))
	w.tab.Wait(`document.querySelector("#operations-h") && !document.querySelector(".reading:not(.minor)")`)
	if n := w.loaded(); n != 6 { // its own, and those of the first five frames
		w.t.Errorf("%d images on the frame's page", n)
	}
	says(w.t, w.text("main"), "Is in .*row 2.*CLASSIFICATION.*decides.*"+plan.Settings.Seed+".*Tasks for this frame.*copied")
	w.each("frame")
}

// report checks report.html, from the disk.
func (w *watched) report(run string) {
	w.t.Helper()
	path := w.own("runs", run, state.PageName)
	body, err := os.ReadFile(path)
	w.must(err)
	if len(body) > 8<<20 || bytes.Contains(body, []byte(`src="/`)) || bytes.Contains(body, []byte(`href="/`)) {
		w.t.Errorf("report.html of %d bytes is not a file of its own", len(body))
	}
	w.tab.Visit((&url.URL{Scheme: "file", Path: path}).String())
	if n := w.loaded(); n != 24 {
		w.t.Errorf("%d images have loaded from report.html, expected 24", n)
	}
	says(w.t, w.text("main"), `succeeded .*expected the column "FRAME NUMBER"`)
	w.each("report")
}

// moves checks a second run: its moves and deletions, with the images of frames that are no longer
// in the datasets.
func (w *watched) moves() {
	w.t.Helper()
	e := w.episode(0)
	moved, deleted := e.Relabel(5), e.Unclassify(3)
	w.save(e)
	plan := w.plan(1)
	w.tab.Visit(w.site + "/runs/" + plan.Run)
	w.tab.Wait(`document.querySelector("h1 .badge").innerText.includes("succeeded")`)
	w.each("second")
	for op, n := range map[string]int{"move": len(moved), "delete": len(deleted)} {
		w.tab.Visit(w.site + "/runs/" + plan.Run + "/changes?op=" + op)
		if got := w.loaded(); got != n {
			w.t.Errorf("%s: %d images have loaded, expected %d", op, got, n)
		}
		w.tab.Shot(op)
	}
	w.tab.Visit(w.site + "/")
	w.tab.Wait(`document.querySelectorAll("table.runs tbody tr").length === 2`)
	w.each("runs")
}

// shuffle demo --serve keeps the dashboard running, and a signal ends it normally.
func TestDemoServes(t *testing.T) {
	t.Parallel()
	tab := browsertest.Open(t)
	w := newWorld(t)
	p := w.command(append(demoArgs(1, 200), "--serve", "--http", "127.0.0.1:0")...)
	awaitOf(p, "the demo's end", func() bool { return strings.Contains(p.out.String(), "stays up") })
	_, after, _ := strings.Cut(p.out.String(), "Dashboard: ")
	address, _, _ := strings.Cut(after, "\n")
	tab.Visit(address)
	tab.Wait(`document.querySelectorAll("table.runs .badge.ok").length === 2`)
	tab.Visit("about:blank") // it sends no request when the server ends
	p.signal(syscall.SIGTERM)
	p.wait(0)
}
