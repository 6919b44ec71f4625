package page

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

// render gives a page of the dashboard, and its text with single spaces.
func render(t *testing.T, p Page) (body, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, site, p); err != nil {
		t.Fatal(err)
	}
	return b.String(), textOf(t, b.String())
}

// textOf is what a page shows. A tag that is not closed, or closed twice, fails the test.
func textOf(t *testing.T, body string) string {
	t.Helper()
	void := []string{"meta", "link", "img", "input", "br"}
	var open, words []string
	z := html.NewTokenizer(strings.NewReader(body))
	for z.Next() != html.ErrorToken {
		tok := z.Token()
		switch {
		case tok.Type == html.StartTagToken && !slices.Contains(void, tok.Data):
			open = append(open, tok.Data)
		case tok.Type == html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> closes %v", tok.Data, open)
			}
			open = open[:len(open)-1]
		case tok.Type == html.TextToken && len(open) > 0 && open[len(open)-1] != "style" && open[len(open)-1] != "script":
			words = append(words, strings.Fields(tok.Data)...)
		}
	}
	if !errors.Is(z.Err(), io.EOF) || len(open) > 0 {
		t.Fatalf("the page ends with %v open, %v", open, z.Err())
	}
	return strings.Join(words, " ")
}

// expect fails the test for each text that is not there; "!" before it is one that must not be.
func expect(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		absent, no := strings.CutPrefix(want, "!")
		if no == strings.Contains(text, absent) {
			t.Errorf("expected %q in:\n%.4000s", want, text)
		}
	}
}

func TestRunStates(t *testing.T) {
	planning := sampleRun(state.Planning, 0, 0)
	planning.Plan, planning.Status.Tasks, planning.ByEpisode = &state.Plan{}, 0, nil
	earlier := ended(state.Succeeded, 0, 0)
	earlier.InForce = false
	for _, tc := range []struct {
		name string
		run  *Run
		want []string
	}{
		{"planning", planning, []string{"the planner reads sheets and listings", "!Episodes", "!tasks"}},
		{"publishing", sampleRun(state.Publishing, 0, 0), []string{"publishing", "0 of 304 tasks 0%", "!Throughput"}},
		{"running", sampleRun(state.Running, 200, 0), []string{"running", "200 of 304 tasks 65.8%", "Time left 2 s", "Throughput highest 100 a second", "!Dead tasks"}},
		{"running with dead", sampleRun(state.Running, 200, 26), []string{"Dead tasks 26", "AccessDenied 26", "All 26 dead tasks", "shuffle --local ./x redrive " + runName + " --seq 24", "!--seq 25"}},
		{"verifying", sampleRun(state.Verifying, 304, 0), []string{"the tracker lists the datasets", "304 of 304 tasks 100%"}},
		{"succeeded", ended(state.Succeeded, 0, 0), []string{"which leaves out 1 held episode", "Took 1 min 23 s", "yes: a listing equals the plan", "Dataset version 42"}},
		{"failed", ended(state.Failed, 2, 0), []string{"failed", "What to type next", "shuffle --local ./x redrive " + runName}},
		{"differences", ended(state.Failed, 0, 101), []string{"Differences 101", "test/Rare/" + frame.File() + " is missing", "And 1 more"}},
		{"review", sampleRun(state.Review, 0, 0), []string{"shuffle --local ./x apply " + runName}},
		{"cancelled", ended(state.Cancelled, 0, 0), []string{"cancelled", "shuffle --local ./x plan"}},
		{"earlier", earlier, []string{"succeeded"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body, text := render(t, tc.run)
			expect(t, text, tc.want...)
			if live := strings.Contains(body, "data-events"); live != tc.run.InForce {
				t.Errorf("live: %t, expected %t", live, tc.run.InForce)
			}
			regions, err := Regions(site, tc.run)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range regions {
				expect(t, body, `<div id="`+r.ID+`">`+r.HTML+"</div>") // what an event puts in is what the page shows
			}
			file, err := Report(site, tc.run)
			if err != nil {
				t.Fatal(err)
			}
			textOf(t, string(file))
			expect(t, string(file), `!href="/`, `!src="/`, "!data-events=\"", "<style>"+Style+"</style>", "<script>"+Script+"</script>")
		})
	}
}

// The held episodes come first, then the table, without columns of zeros.
func TestEpisodes(t *testing.T) {
	body, text := render(t, sampleRun(state.Running, 200, 0))
	expect(t, text, `held S01E02 open its sheet , S01E02 sheet "Two": expected the column "FRAME NUMBER", found none; shuffle --local ./x plan`,
		"Episode Tasks done Keep Move Delete Problems S01E01 200 of 304 28,000 300 4 3", "S01E03 nothing to do",
		"S02-episodes.json: unexpected end of JSON input", "shuffle --local ./x plan --prune S01E09", "All 3 problems of S01E01")
	expect(t, body, sheetURL[:len(sheetURL)-6]+"#gid=5&amp;range=A12", `<table class="episodes">`)
	if strings.Index(body, `<ul class="held">`) > strings.Index(body, `<table class="episodes">`) {
		t.Error("the held episodes do not come first")
	}
}

func TestBalanceTable(t *testing.T) {
	_, text := render(t, sampleRun(state.Running, 200, 0))
	expect(t, text, "Class train test All", "Common 698 frames −2 700 before 202 frames +2 200 before 900 900 before", "Rare 100 frames 100 before 0 frames 0 before none",
		"No frame in test/Rare. SHUFFLE_STRATIFY=true", "91.0% of the frames", "SHUFFLE_GROUP=10s would make it 0.6%")
	few := sampleRun(state.Running, 0, 0)
	few.Plan.RareClasses = []state.RareClass{{Dataset: "test", Class: "Common", Units: 2, Enough: 3, Of: 20}, {Dataset: "test", Class: "Rare", Enough: 3, Of: 9}}
	_, text = render(t, few)
	expect(t, text, "test has 2 blocks of Common, and there are 20; expected 3 at least.", "!blocks of Rare") // which is missing, and said before
	first := sampleRun(state.Running, 0, 0)
	for i := range first.Plan.Balance {
		first.Plan.Balance[i].Before = 0
	}
	_, text = render(t, first)
	expect(t, text, "Common 698 frames 202 frames 900 Rare", "!before") // there is nothing to compare with
}

func TestRowURL(t *testing.T) {
	for _, tc := range []struct {
		sheet string
		row   int
		want  string
	}{
		{sheetURL, 12, sheetURL + "&range=A12"},
		{sheetURL, 0, sheetURL},
		{"https://docs.google.com/spreadsheets/d/1abc/edit", 3, "https://docs.google.com/spreadsheets/d/1abc/edit#range=A3"},
		{"javascript:alert(1)", 3, ""}, {"https://evil.example/spreadsheets/d/1", 3, ""}, {"", 3, ""},
	} {
		if got := rowURL(tc.sheet, tc.row); got != tc.want {
			t.Errorf("rowURL(%q, %d) = %q, want %q", tc.sheet, tc.row, got, tc.want)
		}
	}
}

// Whatever stands in a sheet, a manifest, a message or a key is text on every page.
func TestEverythingIsEscaped(t *testing.T) {
	const evil = `"'></script><img src=x onerror=alert(1)>javascript:`
	r := ended(state.Failed, 2, 1)
	r.Status.Reason, r.Status.Run = evil, evil
	r.Dead[0].Reason, r.Dead[0].Code, r.Dead[0].Worker, r.Dead[0].Task.Op = evil, evil, evil, evil
	r.Report.DifferenceList[0].Key = evil
	p := r.Plan
	p.Episodes[0].Problems[0].Problem, p.Episodes[0].Problems[0].Frame, p.Episodes[1].Reason = evil, evil, evil
	p.Episodes[0].Sheet, p.Episodes[1].Sheet, p.Episodes[2].Sheet = evil, "javascript:alert(1)", "https://docs.google.com/spreadsheets/d/"+evil
	p.Balance[0].Class, p.Balance[0].Dataset, p.MissingClasses, p.Settings.Seed, p.Settings.Split = evil, evil, []string{evil}, evil, evil
	p.Problems[0] = state.ManifestProblem{Manifest: evil, Problem: evil}
	p.Orphans[0].Places = []string{evil}
	v := &state.Version{Counts: map[string]map[string]int{evil: {evil: 3}}}
	pages := []Page{
		r, &Runs{All: []state.Status{r.Status}}, &SheetPage{Run: evil, EpisodePlan: p.Episodes[0], Shown: p.Episodes[0].Problems, Pages: Pager{Next: "?from=1", Of: evil, To: 1}},
		&DeadPage{Run: evil, All: 2, Shown: r.Dead, Next: r.DeadSteps()}, &Message{Code: 404, Text: evil}, NewDatasets(v),
		&Contact{Name: evil, Run: evil, Path: "/frames", Fields: []Field{{Name: evil, Label: evil, Options: []Option{{Value: evil, Text: evil}}}},
			Tiles: []Tile{{Frame: frame, Image: template.URL(ImagePath(evil)), Class: evil, Note: evil}}},
		&Frame{Frame: frame, Source: evil, Standing: []dataset.Place{{Dataset: evil, Class: evil}}, Sheet: evil,
			Class: evil, Held: evil, Unknown: evil, Rows: []FrameRow{{Number: 3, Cells: []FrameCell{{Column: evil, Value: evil, Decides: true}}}},
			Place:      &FramePlace{why.Split{Dataset: evil, Unit: evil, Seed: evil, LeftOut: evil, Shares: []why.Share{{Dataset: evil, To: 1}}}},
			Operations: []FrameOperation{{Run: evil, Op: evil, Where: evil, Outcome: evil}}},
	}
	for _, p := range pages {
		t.Run(fmt.Sprintf("%T", p), func(t *testing.T) {
			body, _ := render(t, p)
			harmless(t, body)
		})
	}
	file, err := Report(Site{Name: evil, Command: evil}, r)
	if err != nil {
		t.Fatal(err)
	}
	harmless(t, string(file))
}

// harmless fails the test when the page has an element or an address that no template has.
func harmless(t *testing.T, body string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(body))
	for z.Next() != html.ErrorToken {
		for _, a := range z.Token().Attr {
			scripted := (a.Key == "href" || a.Key == "src" || a.Key == "action") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:")
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || scripted || a.Key == "src" && a.Val == "x" {
				t.Errorf("attribute %s=%q", a.Key, a.Val)
			}
		}
	}
	if n := strings.Count(body, "<script"); n > 1 {
		t.Errorf("%d scripts", n)
	}
}

func TestImagePath(t *testing.T) {
	if got, want := ImagePath("a b/c+d%/ü?#.jpg"), "/images/a%20b/c+d%25/%C3%BC%3F%23.jpg"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What an explanation says is on the frame's page, in place of what the state alone knew.
func TestFrameExplained(t *testing.T) {
	p := &Frame{Frame: frame, Standing: []dataset.Place{{Dataset: "train", Class: "Rare"}}, Operations: []FrameOperation{{Run: "old"}}}
	p.Add(&why.Explanation{
		Sheet: why.Sheet{URL: sheetURL}, Class: "Rare", Frozen: "two rows do not agree",
		Rows:  []why.Row{{Row: 12, Supervised: "rare", Unsupervised: "Junk", Deciding: "SUPERVISED CLASSIFICATION"}},
		Split: why.Split{Unit: "S01E01/10s/0", Seed: "seed", U: 0.25, Line: 0.75, Stratified: true, Dataset: "test", Shares: []why.Share{{Dataset: "train", To: 0.7}, {Dataset: "test", From: 0.7, To: 1}}},
		Operations: []why.Operation{
			{Run: runName, Op: messages.Move, Dst: "ML/train/Rare/" + frame.File(), Del: []string{"ML/test/Junk/" + frame.File()}, Outcome: messages.Dead, Reason: "Access Denied"},
			{Run: runName, Op: messages.Copy, Dst: "ML/test/Junk/" + frame.File()},
		},
	})
	body, text := render(t, p)
	expect(t, text, "left as it stands two rows do not agree", "Stands in train/Rare", "Class Rare", "Sheet row 12",
		"JONNY's RECLASSIFICATION blank SUPERVISED CLASSIFICATION rare decides UNSUPERVISED CLASSIFICATION Junk Its dataset: test",
		"lies at 0.2500", "by its rank within its class, at 0.7500", "train 0–0.7 test 0.7–1",
		"move test/Junk → train/Rare dead: Access Denied", "copy to test/Junk no result yet", "!old")
	expect(t, body, "range=A12", `<rect class="its" x="700" y="8" width="300" height="8"/><path d="M750 0v24"/>`)
}
