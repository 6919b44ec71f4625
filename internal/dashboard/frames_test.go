package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

// classOf and datasetOf are the classes in the sheets of the tests, and the datasets of their
// frames.
func classOf(i int) string   { return []string{"Rare", "Junk", ""}[i/70%3] }
func datasetOf(i int) string { return []string{"train", "train", "test", ""}[i/10%4] }

// surveyed lets the dashboard read two episodes of 300 frames. Each frame but the last has a row.
func (w *world) surveyed() {
	w.options.ReadSurvey = func(_ context.Context, e dataset.Episode) (*inventory.Survey, error) {
		s := &inventory.Survey{Episode: e, Base: "tt/" + e.Folder() + "/default_eng/v1/frames/thumbnails/"}
		for i := range 300 {
			seen := inventory.SurveyFrame{Frame: dataset.FrameAt(e, i), Row: i + 2, Class: classOf(i), Image: fmt.Sprint(e, i/2)}
			seen.Cells[inventory.Unsupervised] = classOf(i)
			if i%5 == 0 {
				seen.Cells[inventory.Jonny], seen.Cells[inventory.Unsupervised] = classOf(i), "Junk"
			}
			if name := datasetOf(i); name != "" && seen.Class != "" {
				seen.Stands = []dataset.Place{{Dataset: name, Class: seen.Class}}
			}
			if i == 299 {
				seen = inventory.SurveyFrame{Frame: seen.Frame, Image: "x"}
			}
			seen.Frozen = i == 7
			s.Frames = append(s.Frames, seen)
		}
		s.Problems = []state.Problem{{Row: 9, Frame: string(dataset.FrameAt(e, 7)), Problem: "unknown class \"Epic\""}, {Row: 400, Problem: "malformed frame name"}}
		return s, nil
	}
	w.handler = New(w.options)
	w.settled("/frames")
}

// The pages show each frame that the address selects once, in time order.
func TestFrames(t *testing.T) {
	w := newWorld(t, 3)
	w.surveyed()
	all := func(dataset.Episode, int) bool { return true }
	row := func(i int) bool { return i < 299 }
	for query, fits := range map[string]func(e dataset.Episode, i int) bool{
		"":                              all,
		"?episode=S01E02":               func(e dataset.Episode, _ int) bool { return e == e2 },
		"?class=Rare&season=s1":         func(_ dataset.Episode, i int) bool { return row(i) && classOf(i) == "Rare" },
		"?class=none":                   func(_ dataset.Episode, i int) bool { return !row(i) || classOf(i) == "" },
		"?dataset=test":                 func(_ dataset.Episode, i int) bool { return row(i) && classOf(i) != "" && datasetOf(i) == "test" },
		"?dataset=none&class=Junk":      func(_ dataset.Episode, i int) bool { return row(i) && classOf(i) == "Junk" && datasetOf(i) == "" },
		"?dataset=train&folder=Rare":    func(_ dataset.Episode, i int) bool { return row(i) && classOf(i) == "Rare" && datasetOf(i) == "train" },
		"?decides=jonny":                func(_ dataset.Episode, i int) bool { return row(i) && i%5 == 0 && classOf(i) != "" },
		"?jonny=Rare&unsupervised=Junk": func(_ dataset.Episode, i int) bool { return row(i) && i%5 == 0 && classOf(i) == "Rare" },
		"?only=frozen":                  func(_ dataset.Episode, i int) bool { return i == 7 },
		"?only=problem":                 func(_ dataset.Episode, i int) bool { return i == 7 },
		"?only=no+row":                  func(_ dataset.Episode, i int) bool { return i == 299 },
		"?only=unclassified":            func(_ dataset.Episode, i int) bool { return row(i) && classOf(i) == "" && i%5 != 0 },
		"?only=left+out":                func(_ dataset.Episode, i int) bool { return row(i) && classOf(i) != "" && datasetOf(i) == "" },
		"?class=No+such":                func(dataset.Episode, int) bool { return false },
	} {
		want := []string{}
		for _, e := range []dataset.Episode{e1, e2} {
			for i := range 300 {
				if fits(e, i) {
					want = append(want, string(dataset.FrameAt(e, i)))
				}
			}
		}
		if got := w.tilesOn("/frames" + query); !slices.Equal(got, want) {
			t.Errorf("%s: %d frames, expected %d", query, len(got), len(want))
		}
		w.expect(w.get("/frames"+query), http.StatusOK, fmt.Sprintf("<strong>%d frame", len(want)))
	}
	w.back("/frames?class=Rare", "280")
	for _, bad := range []string{"episode=x", "season=1", "decides=me", "only=x", "skip=x", "skip=601"} {
		w.expect(w.get("/frames?"+bad), http.StatusBadRequest, "expected")
	}
}

// A search text leads to its page.
func TestFind(t *testing.T) {
	w := newWorld(t, 3)
	w.surveyed()
	f := string(dataset.FrameAt(e1, 204))
	for typed, want := range map[string]string{
		f:                                "/frames/" + f,
		"tt/ML/train/Rare/" + f + ".JPG": "/frames/" + f,
		"s1e2":                           "/episodes/S01E02",
		"S01E01 00:00:08:12":             "/frames/" + f,
		"S01E01 0-00-08-12":              "/frames/" + f,
		"S01E01 row 206":                 "/frames/" + f,
		"s01e01  206":                    "/frames/" + f,
	} {
		answer := w.get("/find?q=" + strings.ReplaceAll(typed, " ", "+"))
		if w.expect(answer, http.StatusSeeOther); answer.Header().Get("Location") != want {
			t.Errorf("%q leads to %q, expected %q", typed, answer.Header().Get("Location"), want)
		}
	}
	w.expect(w.get("/find?q=nonsense"), http.StatusNotFound, "Expected a frame")
	w.expect(w.get("/find?q=S01E01+tomorrow"), http.StatusNotFound, "no row or time of S01E01")
	w.expect(w.get("/find?q=S01E01+400"), http.StatusNotFound, "has no usable frame name: malformed frame name")
	w.expect(w.get("/find?q=S01E01+4000"), http.StatusNotFound, "Row 4000 of S01E01 has no frame")
}

// drawn puts every frame into test.
type drawn struct{}

func (drawn) Dataset(dataset.Frame) (string, bool) { return "test", true }
func (drawn) Explain(f dataset.Frame) why.Split {
	return why.Split{Unit: string(f), Seed: "seed", Dataset: "test", Shares: []why.Share{{Dataset: "test", To: 1}}}
}

func TestFrame(t *testing.T) {
	w := newWorld(t, 3)
	f := dataset.FrameAt(e1, 0)
	w.put(sourceKey(f), w.jpeg)
	w.put(layout.Key(rare, f), w.jpeg)
	w.expect(w.get("/frames/"+string(f)), http.StatusOK, "train/Rare", page.ImagePath(sourceKey(f)), "problem 0 of S01E01", "dead: source image is gone", "cannot read the sheets")
	w.expect(w.get("/frames/"+string(dataset.FrameAt(e1, 500))), http.StatusOK, "no image", "no dataset")
	w.expect(w.get("/frames/TT_S01"), http.StatusNotFound, "no such frame")

	w.options.NewAssigner = func(state.Definition, []inventory.LabelledFrame, dataset.Standing) (Assigner, error) {
		return drawn{}, nil
	}
	w.options.ReadHistory = func(_ context.Context, f dataset.Frame) ([]why.Operation, error) {
		return []why.Operation{{Run: "earlier", Op: messages.Move, Dst: layout.Key(rare, f), Outcome: messages.Moved}}, nil
	}
	w.plan.Settings.Seed = "seed"
	w.must(w.store.WritePlan(t.Context(), w.plan))
	w.surveyed()
	w.expect(w.settled("/frames/"+string(f)), http.StatusOK, "train/Rare", `href="/frames/`+string(dataset.FrameAt(e1, 1))+`" rel="next"`, ">row 2<", "!rel=\"prev\"",
		"JONNY&#39;s RECLASSIFICATION is filled in, so it decides: Rare. It has priority over UNSUPERVISED CLASSIFICATION (Junk).", "Its dataset: test", "earlier", `class="here"`)
	w.expect(w.get("/frames/"+string(dataset.FrameAt(e1, 7))), http.StatusOK, "unknown class", "not changed", `rel="prev"`)
	w.expect(w.get("/frames/"+string(dataset.FrameAt(e1, 299))), http.StatusOK, "No row of the sheet names this frame", "!rel=\"next\"")
	w.expect(w.get("/frames/"+string(dataset.FrameAt(e1, 5000))), http.StatusOK, `rel="prev"`, "No row of the sheet names this frame")
}

// A page is sent while its episodes are being read, and its events update it. An unreadable episode
// does not prevent the display of the others.
func TestReading(t *testing.T) {
	w := newWorld(t, 3)
	w.surveyed()
	read := w.options.ReadSurvey
	goOn := make(chan struct{})
	w.options.ReadSurvey = func(ctx context.Context, e dataset.Episode) (*inventory.Survey, error) {
		if <-goOn; e == e2 {
			return nil, errors.New("no credentials")
		}
		return read(ctx, e)
	}
	w.handler = New(w.options)
	w.expect(w.get("/frames?class=Rare"), http.StatusOK, "0 of 2 episodes", `data-events="/frames/events?class=Rare"`, "<strong>0 frames")
	w.expect(w.get("/find?q=S01E01+5"), http.StatusServiceUnavailable, "is being read")
	server := newServer(t, w.handler)
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	s := listen(ctx, t, server+"/frames/events?class=Rare")
	if _, regions := s.next(); !strings.Contains(regions["found"], "0 of 2 episodes") {
		t.Errorf("the first event: %v", regions)
	}
	close(goOn)
	last := ""
	for event, regions := s.next(); event != "end"; event, regions = s.next() {
		last = regions["found"]
	}
	if !strings.Contains(last, "<strong>140 frames") || !strings.Contains(last, "no credentials") || !strings.Contains(last, "1 of 2 episodes") {
		t.Errorf("the last event: %s", last)
	}
}
