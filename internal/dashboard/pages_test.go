package dashboard

import (
	"fmt"
	"html"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

func TestRuns(t *testing.T) {
	w := newWorld(t, 3)
	w.expect(w.get("/"), http.StatusOK, `href="/runs/`+runName+`">`, "running")
	w.expect(w.get("/runs/latest"), http.StatusOK, `data-events="/runs/`+runName+`/events"`, "source image is gone")
	w.expect(w.get("/runs/"+runName+"/episodes"), http.StatusOK, "S01E01", "S01E02")
	w.expect(w.get("/runs/20200101T000000Z-1"), http.StatusNotFound, "This run does not exist")
	w.expect(w.get("/runs/..%2f"), http.StatusNotFound)
	w.expect(w.get("/no/such/page"), http.StatusNotFound, "no such page")

	w.point(state.Pointer{Run: "20261124T000000Z-8", Generation: 8, State: state.Planning})
	w.expect(w.get("/"), http.StatusOK, "20261124T000000Z-8", "planning", runName, "superseded")
	w.expect(w.get("/runs/latest"), http.StatusOK, "the planner reads sheets and listings")
	w.bucket.fail(errBroken)
	w.expect(w.get("/"), http.StatusBadGateway, "the bucket is broken", "shuffle doctor")
}

// Lists are paged, and their pages contain every entry once.
func TestProblemsAndDeads(t *testing.T) {
	w := newWorld(t, 450)
	rows := regexp.MustCompile(`problem \d+ of S01E02`)
	var all []string
	next := "/runs/" + runName + "/problems/S01E02"
	for pages := 0; next != ""; pages++ {
		body := w.get(next).Body.String()
		all = append(all, rows.FindAllString(body, -1)...)
		next = w.next(next, body)
	}
	want := make([]string, 450)
	for i := range want {
		want[i] = fmt.Sprintf("problem %d of S01E02", i)
	}
	if !slices.Equal(all, want) {
		t.Errorf("%d problems on the pages, expected 450 in their order", len(all))
	}
	w.back("/runs/"+runName+"/problems/S01E02", "450")
	w.expect(w.get("/runs/"+runName+"/problems/S01E07"), http.StatusNotFound, "no such episode")
	w.expect(w.get("/runs/"+runName+"/problems"), http.StatusOK, `problems?kind=problem"`, "S01E01", "900")
	w.expect(w.get("/runs/"+runName+"/problems?kind=problem&episode=S01E01"), http.StatusOK, "450 problems", "problem 0 of S01E01")
	w.expect(w.get("/runs/"+runName+"/problems?kind=none"), http.StatusOK, "No problem.")
	w.expect(w.get("/runs/"+runName+"/dead"), http.StatusOK, "NoSuchKey", "redrive "+runName+" --seq 0")
	for _, from := range []string{"-1", "x", "451", "1e9"} {
		w.expect(w.get("/runs/"+runName+"/problems/S01E02?skip="+from), http.StatusBadRequest, "expected a number")
	}
}

// next is the address of the next page, "" on the last.
func (w *world) next(address, body string) string { return w.turn(address, body, "next") }

// turn is the address of the page that the link of this relation leads to, "" when there is none.
func (w *world) turn(address, body, relation string) string {
	found := regexp.MustCompile(`<a href="([^"]*)" rel="` + relation + `"`).FindStringSubmatch(body)
	if found == nil {
		return ""
	}
	path, _, _ := strings.Cut(address, "?")
	return path + html.UnescapeString(found[1])
}

var tileFrame = regexp.MustCompile(`<li(?: class="dead")?><a href="/frames/(TT_[^"]+)">`)

// tilesOn returns the frames on this page and all later ones.
func (w *world) tilesOn(address string) (all []string) {
	w.t.Helper()
	for pages := 0; address != ""; pages++ {
		if pages > 100 {
			w.t.Fatalf("the pages have no end: %s", address)
		}
		answer := w.get(address)
		w.expect(answer, http.StatusOK)
		body := answer.Body.String()
		found := tileFrame.FindAllStringSubmatch(body, -1)
		if len(found) > tilesPerPage {
			w.t.Errorf("%s has %d tiles", address, len(found))
		}
		for _, f := range found {
			all = append(all, f[1])
		}
		address = w.next(address, body)
	}
	return all
}

var position = regexp.MustCompile(`<span>(\d+)–(\d+)(?: of ([^<]*))?</span>`)

// back follows the links to the last page and then back to the first. Each page on the way back
// must equal the same page on the way there.
func (w *world) back(address, of string) {
	w.t.Helper()
	type shown struct {
		position string
		tiles    [][]string
	}
	look := func(address string) (string, shown) {
		body := w.get(address).Body.String()
		found := position.FindStringSubmatch(body)
		if found == nil || found[3] != of {
			w.t.Fatalf("%s: position %q, expected one of %s", address, found, of)
		}
		return body, shown{found[1] + "–" + found[2], tileFrame.FindAllStringSubmatch(body, -1)}
	}
	body, page := look(address)
	way := []shown{page}
	for next := w.next(address, body); next != ""; next = w.next(next, body) {
		address = next
		body, page = look(next)
		way = append(way, page)
	}
	for i := len(way) - 2; i >= 0; i-- {
		if address = w.turn(address, body, "prev"); address == "" {
			w.t.Fatalf("page %d of %d has none before it", i+2, len(way))
		}
		if body, page = look(address); !reflect.DeepEqual(page, way[i]) {
			w.t.Errorf("page %d, come back to: %v, expected %v", i+1, page, way[i])
		}
	}
	if w.turn(address, body, "prev") != "" {
		w.t.Error("the first page has one before it")
	}
}

// The pages of a contact sheet show each matching frame once, in the order of the tasks.
func TestChangedFrames(t *testing.T) {
	w := newWorld(t, 300)
	for query, fits := range map[string]func(e dataset.Episode, i int) bool{
		"":                            func(dataset.Episode, int) bool { return true },
		"?op=copy":                    func(_ dataset.Episode, i int) bool { return i%3 != 2 },
		"?op=delete&episode=S01E02":   func(e dataset.Episode, i int) bool { return i%3 == 2 && e == e2 },
		"?op=&episode=s1e1":           func(e dataset.Episode, _ int) bool { return e == e1 },
		"?op=move":                    func(dataset.Episode, int) bool { return false },
		"?op=copy&episode=S01E07":     func(dataset.Episode, int) bool { return false },
		"?op=copy&from=300&episode=":  func(e dataset.Episode, i int) bool { return i%3 != 2 && e == e2 },
		"?from=999999&episode=S01E01": func(dataset.Episode, int) bool { return false },
	} {
		want := []string{}
		for _, e := range []dataset.Episode{e1, e2} {
			for i := range 300 {
				if fits(e, i) {
					want = append(want, string(dataset.FrameAt(e, i)))
				}
			}
		}
		if got := w.tilesOn("/runs/" + runName + "/changes" + query); !slices.Equal(got, want) {
			t.Errorf("%s: %d frames, expected %d", query, len(got), len(want))
		}
	}
	w.back("/runs/"+runName+"/changes", "600")
	w.back("/runs/"+runName+"/changes?op=delete", "200")
	w.back("/runs/"+runName+"/changes?op=copy&episode=S01E02", "200")
	for _, bad := range []string{"op=chown", "episode=E1", "from=-1", "from=x", "before=x", "before=60&at=-1"} {
		w.expect(w.get("/runs/"+runName+"/changes?"+bad), http.StatusBadRequest, "expected")
	}
}

// A tile shows the source image. For a deletion it shows the copy that still exists, and after the
// deletion the image in the episode's folder. Else it reports that there is none.
func TestImagesOfChanges(t *testing.T) {
	w := newWorld(t, 3)
	copied, deleted := dataset.FrameAt(e1, 0), dataset.FrameAt(e1, 2)
	look := func() string { return w.get("/runs/" + runName + "/changes?episode=S01E01").Body.String() }
	if body := look(); strings.Contains(body, "<img") {
		t.Errorf("there are no images, and the page has some: %s", body)
	}
	w.put(sourceKey(copied), w.jpeg)
	w.put(sourceKey(deleted), w.jpeg)
	body := look()
	for _, key := range []string{sourceKey(copied), sourceKey(deleted)} {
		if !strings.Contains(body, page.ImagePath(key)) {
			t.Errorf("%s is not on the page", key)
		}
	}
	w.put(layout.Key(rare, deleted), w.jpeg)
	if body = look(); !strings.Contains(body, page.ImagePath(layout.Key(rare, deleted))) {
		t.Error("the copy that still stands is not on the page")
	}
	if !strings.Contains(body, `class="dead"`) || !strings.Contains(body, "to train/Rare") || !strings.Contains(body, "from train/Rare") {
		t.Errorf("the page does not say what happens to the frames: %s", body)
	}
}

// A change has its cause and its row, where the run has recorded them. When someone has deleted
// that list, the rest of the page does not change.
func TestCausesOfChanges(t *testing.T) {
	w := newWorld(t, 3)
	f := dataset.FrameAt(e1, 1)
	w.plan.Changes = []state.ChangeCount{{Episode: e1, Cause: state.ChangeRelabelled, Count: 3}}
	w.must(w.store.WritePlan(t.Context(), w.plan))
	w.must(w.store.WriteChanges(t.Context(), runName, e1, []state.FrameChange{{Frame: f, Row: 5, Op: messages.Copy, Cause: state.ChangeRelabelled, To: rare}}))
	w.handler = New(w.options)
	w.expect(w.get("/runs/"+runName+"/changes"), http.StatusOK, "relabelled, row 5", "S01E01 (3)", string(dataset.FrameAt(e2, 0)))
}
