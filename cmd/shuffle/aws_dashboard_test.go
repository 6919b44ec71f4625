package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/browsertest"
)

// shuffle track --http over S3, in a browser. The browser watches a run with a held episode and a
// task that must become dead, until the run ends. The frames of its contact sheets equal the images
// in S3, byte for byte.
func wireDashboard(w *wire) {
	tab := browsertest.Open(w.t)
	w.writeSeason()
	tracker := start(w.t, w.dir, w.env, "track", "--http", "127.0.0.1:0")
	awaitOf(tracker, "the dashboard is up", func() bool { return dashboardAt.MatchString(tracker.logs.String()) })
	site := dashboardAt.FindStringSubmatch(tracker.logs.String())[1]

	plan := w.plan(1) // 1: an episode is held
	e := w.season.Episodes[0]
	lost := firstWanted(e)
	w.remove(e.ImagePrefix() + lost.File())
	tab.Visit(site + "/runs/latest")
	tab.Wait(`document.querySelector("h1 .live")`)
	says(w.t, textOf(tab, "ul.held li"), `held S01E03.*expected the column "FRAME NUMBER"`)
	w.start("work")
	tab.Wait(`document.querySelector("h1 .badge").innerText.includes("failed") && document.querySelector(".deads")`)
	says(w.t, textOf(tab, ".deads li"), `1 × NoSuchKey S01E01 source image is gone: CopyObject \S+.* Plan again: .* shuffle plan`)
	tab.Shot("s3-dead")

	tab.Visit(site + "/runs/" + plan.Run + "/changes?op=copy&episode=S01E01")
	w.streamed(tab, e.ImagePrefix(), 59) // of 60 tiles
	w.put(e.ImagePrefix()+lost.File(), imageOf(w, e, lost))
	w.run(0, "redrive", plan.Run)
	tab.Visit(site + "/runs/" + plan.Run)
	tab.Wait(`document.querySelector("h1 .badge").innerText.includes("succeeded") && !document.querySelector(".deads")`)

	place := dataset.Place{Dataset: "train", Class: "Common"}
	tab.Visit(site + "/frames?dataset=train&class=Common")
	// The page is completed after the sheets have been read.
	tab.Wait(`document.querySelectorAll(".tiles li img").length === 60`)
	w.streamed(tab, mlFolder+place.String()+"/", 60)
	tab.Click("a[rel=next]")
	tab.Wait(`document.querySelector(".pager span")?.innerText.startsWith("61–") && document.readyState === "complete"`)
	tab.Click("a[rel=prev]")
	tab.Wait(`document.querySelector(".pager span")?.innerText.startsWith("1–60 of ") && document.readyState === "complete"`)
	tab.Visit(site + "/frames/" + string(lost))
	tab.Wait(`document.body.innerText.includes("Tasks for this frame") && document.images[0].complete`)
	w.streamed(tab, e.ImagePrefix(), 6) // the frame and its neighbours
	tab.Shot("s3-frame")
	// This page has no open stream when the server is killed.
	tab.Visit("about:blank")
	if s := w.status(1, "status"); s.State != state.Succeeded { // 1: an episode is held
		w.t.Errorf("the run is %+v", s)
	}
}

// firstWanted is the first frame with a class in the sheet.
func firstWanted(e *season.Episode) dataset.Frame {
	classes, _ := e.Wanted()
	return slices.Min(slices.Collect(maps.Keys(classes)))
}

func imageOf(w *wire, e *season.Episode, f dataset.Frame) []byte {
	w.t.Helper()
	body, err := e.Image(f)
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

// textOf is the visible text of an element.
func textOf(tab *browsertest.Tab, selector string) string {
	return browsertest.Eval[string](tab, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))
}

// streamed compares each image of the page, as the browser has received it, with the object in S3
// below the folder. It expects this number of images.
func (w *wire) streamed(tab *browsertest.Tab, folder string, images int) {
	w.t.Helper()
	const sums = `Promise.all([...document.images].map(async (image) => {
		image.loading = "eager";
		await image.decode();
		const body = await (await fetch(image.src)).arrayBuffer();
		const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
		return image.src.split("/").pop() + " " + [...sum].map((b) => b.toString(16).padStart(2, "0")).join("");
	}))`
	got := browsertest.Eval[[]string](tab, sums)
	if len(got) != images {
		w.t.Errorf("%d images have loaded, expected %d", len(got), images)
	}
	for _, line := range got {
		file, sum, _ := strings.Cut(line, " ")
		want := sha256.Sum256(w.get(folder + file))
		if sum != hex.EncodeToString(want[:]) {
			w.t.Errorf("%s differs from the object in S3", file)
		}
	}
}
