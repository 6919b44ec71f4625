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
	"time"

	"golang.org/x/net/html"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

// render returns a page of the dashboard, and its text with single spaces.
func render(t *testing.T, p Page) (body, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, site, p); err != nil {
		t.Fatal(err)
	}
	return b.String(), textOf(t, b.String())
}

// textOf is the visible text of a page. A tag that is not closed, or closed twice, fails the test.
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

// expect fails the test for each missing text; a text that begins with "!" must be missing.
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
		{"planning", planning, []string{"the planner reads sheets and listings", "!Changes", "!tasks"}},
		{"publishing", sampleRun(state.Publishing, 0, 0), []string{"publishing", "0 of 304 tasks 0%", "!highest"}},
		{"running", sampleRun(state.Running, 200, 0), []string{"running", "200 of 304 tasks 65.8%", "Time left 2 s", "Tasks a second highest 100 a second", "100 50 0 00:01:40 00:01:41 00:01:42 UTC", "!Dead tasks"}},
		{"running with dead", sampleRun(state.Running, 200, 26), []string{"Dead tasks 26", "26 × AccessDenied S01E01 copy: Access Denied", "All dead tasks", "shuffle --local ./x redrive " + runName, "!--seq"}},
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
				// An event contains the same HTML as the page.
				expect(t, body, `<div id="`+r.ID+`">`+r.HTML+"</div>")
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
	body, text := render(t, EpisodesTab{sampleRun(state.Running, 200, 0)})
	expect(t, text, `held S01E02 open its sheet , S01E02 sheet "Two": expected the column "FRAME NUMBER", found none; shuffle --local ./x plan`,
		"Episode Tasks done Keep Move Delete Problems S01E01 sheet 200 of 304 28,000 300 4 3", "S01E03 sheet nothing to do",
		"S02-episodes.json: unexpected end of JSON input", "shuffle --local ./x plan --prune S01E09", "Overview Changes 304 Episodes 3 Problems 3")
	expect(t, body, `<table class="episodes">`, `aria-current="page">Episodes`, `data-events="/runs/`+runName+`/episodes/events"`)
	if strings.Index(body, `<ul class="held">`) > strings.Index(body, `<table class="episodes">`) {
		t.Error("the held episodes do not come first")
	}
}

// Problems are counted by kind over all episodes, as the commands count them, including those that
// a plan does not list.
func TestKinds(t *testing.T) {
	r := sampleRun(state.Running, 0, 0)
	for i, problem := range []string{`unknown class "Mythic" in SUPERVISED`, `unknown class "Mythic" in JONNY`} {
		r.Plan.Episodes[2].Problems = append(r.Plan.Episodes[2].Problems,
			state.Problem{Row: i + 2, Frame: string(frame), Problem: problem, Kind: rows.KindUnknownClass, Value: "Mythic"})
	}
	r.Plan.Episodes[2].Problems = append(r.Plan.Episodes[2].Problems, state.Problem{Row: 4, Frame: string(frame), Problem: "no source image"})
	r.Plan.Episodes[2].Problems = append(r.Plan.Episodes[2].Problems, state.Problem{Problem: "no source image"})
	_, text := render(t, r)
	expect(t, text, `Problems in the sheets 7 Rows Problem Episodes 3 no source image S01E01 (1), S01E03 (2) 2 unknown class "Mythic" If it is a new class, add it: SHUFFLE_CLASSES. S01E03 (2) 1 kind not recorded S01E01 (1) 1 warning the frame stands in row S01E01 (1)`,
		"1 more are counted but not listed")
	_, text = render(t, &ProblemsTab{Run: r, Heading: "1 problem", Chosen: true, Shown: []SheetProblem{{"S01E01", sheetURL, r.Plan.Episodes[0].Problems[0]}}})
	expect(t, text, "1 problem", "S01E01 12 no source image "+string(frame), "!Rows")
}

// Dead tasks are grouped by cause, each with its command: without its image, a task would fail
// again.
func TestDeadGroups(t *testing.T) {
	r := sampleRun(state.Failed, 0, 15)
	for i := range r.Dead {
		switch {
		case i < 3:
			r.Dead[i].Code, r.Dead[i].Reason = "NoSuchKey", "source image is gone"
		case i == 14:
			r.Dead[i].Code, r.Dead[i].Task.Frame = "", "TT_S01_E02_FRM-00-00-00-00"
		}
	}
	var got []string
	for _, g := range r.DeadGroups() {
		got = append(got, fmt.Sprintf("%d %s %v: %s", g.Count, g.Code, g.Episodes, g.Command))
	}
	want := []string{
		"11 AccessDenied [S01E01]: redrive " + runName + " --seq 3 --seq 4 --seq 5 --seq 6 --seq 7 --seq 8 --seq 9 --seq 10 --seq 11 --seq 12 --seq 13",
		"3 NoSuchKey [S01E01]: plan", "1 no code: the worker died [S01E02]: redrive " + runName + " --seq 14",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	r.Dead = r.Dead[3:14]
	if g := r.DeadGroups(); len(g) != 1 || g[0].Command != "redrive "+runName {
		t.Errorf("a single cause: %+v", g)
	}
	_, text := render(t, &DeadTab{Run: r, Shown: r.Dead})
	expect(t, text, "Dead tasks 11", "11 × AccessDenied", "All dead tasks", "redrive "+runName+" --seq 13")
}

// The causes of changes are counted over the episodes. The changes of held episodes are separate.
func TestCauses(t *testing.T) {
	r := sampleRun(state.Running, 0, 0)
	r.Plan.Changes = []state.ChangeCount{
		{Episode: "S01E01", Cause: state.ChangeRelabelled, Count: 300}, {Episode: "S01E01", Cause: state.ChangeUnlabelled, Count: 4},
		{Episode: "S01E02", Cause: state.ChangeUnlabelled, Count: 70, Held: true}, {Episode: "S01E03", Cause: state.ChangeRelabelled, Count: 1},
	}
	_, text := render(t, &ChangesTab{Run: r, Tiles: []Tile{{Frame: frame, Cause: "relabelled, row 12"}}})
	expect(t, text, "unlabelled 4 frames: unlabelled 70 S01E01 (4) relabelled 301 frames: relabelled 0 S01E01 (300), S01E03 (1)", "relabelled, row 12")
}

// The page names the source of each number after a run: a run that ended without a listing knows
// only the planned numbers.
func TestBalanceTable(t *testing.T) {
	_, text := render(t, sampleRun(state.Running, 200, 0))
	expect(t, text, "before the run → as it is planned.", "Class train test All", "Common 700 → 698 frames −2 200 → 202 frames +2 900 → 900 ±0", "Rare 100 → 100 frames ±0 0 → 0 frames ±0 none",
		"No frame in test/Rare. SHUFFLE_STRATIFY=true", "91.0% of the frames", "SHUFFLE_GROUP=10s would make it 0.6%")
	few := sampleRun(state.Running, 0, 0)
	few.Plan.RareClasses = []state.RareClass{{Dataset: "test", Class: "Common", Units: 2, Enough: 3, Of: 20}, {Dataset: "test", Class: "Rare", Enough: 3, Of: 9}}
	_, text = render(t, few)
	// Rare is missing, which another line reports.
	expect(t, text, "test has 2 blocks of Common; all datasets together have 20. Expected at least 3.", "!blocks of Rare")
	first := sampleRun(state.Running, 0, 0)
	for i := range first.Plan.Balance {
		first.Plan.Balance[i].Before = 0
	}
	_, text = render(t, first)
	// No earlier number to compare with.
	expect(t, text, "Common 698 frames 202 frames 900 Rare", "!→ 698")
	halted := ended(state.Failed, 30, 0)
	halted.Report.Verified = false
	_, text = render(t, halted)
	expect(t, text, "as it was planned. Nothing was listed when the run ended")
	_, text = render(t, ended(state.Failed, 30, 1))
	expect(t, text, "after it, as the last listing counted them")
}

// Times are in UTC, with their age. A file has no age, because it is read later.
func TestTimes(t *testing.T) {
	now = func() time.Time { return started.Add(3*time.Minute + 50*time.Second) }
	defer func() { now = time.Now }()
	r := sampleRun(state.Running, 0, 0)
	_, text := render(t, r)
	expect(t, text, "Started 23 Nov 2026, 21:24:43 UTC 3 min ago")
	file, err := Report(site, r)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, textOf(t, string(file)), "Started 23 Nov 2026, 21:24:43 UTC", "!min ago")
	for since, want := range map[time.Duration]string{0: "0 s ago", 59 * time.Second: "59 s ago", time.Hour: "1 h ago", 47 * time.Hour: "47 h ago", 24 * 2000 * time.Hour: "2,000 days ago"} {
		if got := ago(since); got != want {
			t.Errorf("%s: %s, want %s", since, got, want)
		}
	}
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

// Text of sheets, manifests, messages and keys is escaped on every page.
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
	pages := []Page{
		r, &Runs{All: []state.Status{r.Status}}, &ProblemsTab{Run: r, Heading: evil, Reason: evil, Shown: []SheetProblem{{Episode: "S01E01", Sheet: evil, Problem: p.Episodes[0].Problems[0]}}, Pages: Pager{Next: "?from=1", Of: evil, To: 1}},
		&DeadTab{Run: r, Shown: r.Dead}, EpisodesTab{r}, &Message{Code: 404, Text: evil}, &Frames{Reading: ReadProgress{Of: 1, Failed: evil, Held: []HeldEpisode{{"S01E01", evil}}}, Query: evil, Fields: []Field{{Name: evil, Label: evil, Options: []Option{{Value: evil, Text: evil}}}},
			Tiles: []Tile{{Frame: frame, Image: template.URL(ImagePath(evil)), Class: evil, Note: evil, Cause: evil, Marks: []string{evil}}}},
		&ChangesTab{Run: r, Heading: evil, Fields: []Field{{Name: evil, Label: evil, Text: true, Value: evil, Hint: evil}}, Tiles: []Tile{{Frame: frame, Note: evil}}},
		&Frame{Frame: frame, Source: evil, Folders: []dataset.Place{{Dataset: evil, Class: evil}}, Sheet: evil,
			Class: evil, Held: evil, Row: 3, Known: true, Cells: []FrameCell{{Column: evil, Value: evil, Decides: true}}, Problems: p.Episodes[0].Problems,
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

// The frame's page explains in a sentence which column decides.
func TestDecision(t *testing.T) {
	jonny, supervised, unsupervised := FrameCell{"JONNY's RECLASSIFICATION", "", false}, FrameCell{"SUPERVISED CLASSIFICATION", "Rare", true}, FrameCell{"UNSUPERVISED CLASSIFICATION", "Junk", false}
	blank := func(c FrameCell) FrameCell { return FrameCell{Column: c.Column} }
	for _, tc := range []struct {
		frame Frame
		want  string
	}{
		{Frame{Cells: []FrameCell{supervised}}, ""},
		{Frame{Known: true}, "No row of the sheet names this frame, so it belongs in no dataset."},
		{Frame{Known: true, Row: 2, Cells: []FrameCell{jonny, blank(supervised), blank(unsupervised)}}, "All three columns are blank: the frame is unclassified, so it belongs in no dataset."},
		{Frame{Known: true, Row: 2, Cells: []FrameCell{jonny, supervised, blank(unsupervised)}}, "SUPERVISED CLASSIFICATION is filled in, so it decides: Rare."},
		{Frame{Known: true, Row: 2, Cells: []FrameCell{jonny, supervised, unsupervised}}, "SUPERVISED CLASSIFICATION is filled in, so it decides: Rare. It has priority over UNSUPERVISED CLASSIFICATION (Junk)."},
	} {
		if got := tc.frame.Decision(); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

// A frame's page shows all known facts about it.
func TestFrame(t *testing.T) {
	p := &Frame{Frame: frame, Folders: []dataset.Place{{Dataset: "train", Class: "Rare"}}, Operations: []FrameOperation{{Run: "old"}}, Sheet: sheetURL, Class: "Rare", Row: 12, Known: true,
		Held: "two rows do not agree", Previous: "TT_S01_E01_FRM-00-00-08-11",
		Cells: []FrameCell{{"JONNY's RECLASSIFICATION", "", false}, {"SUPERVISED CLASSIFICATION", "Rare", true}, {"UNSUPERVISED CLASSIFICATION", "Junk", false}},
		Place: &FramePlace{why.Split{Unit: "S01E01/10s/0", Seed: "seed", U: 0.25, Line: 0.75, Stratified: true, Dataset: "test", Shares: []why.Share{{Dataset: "train", To: 0.7}, {Dataset: "test", From: 0.7, To: 1}}}},
	}
	p.SetOperations([]why.Operation{
		{Run: runName, Op: messages.Move, Dst: "ML/train/Rare/" + frame.File(), Del: []string{"ML/test/Junk/" + frame.File()}, Outcome: messages.Dead, Reason: "Access Denied"},
		{Run: runName, Op: messages.Copy, Dst: "ML/test/Junk/" + frame.File()},
	})
	body, text := render(t, p)
	expect(t, text, "not changed two rows do not agree", "Is in train/Rare", "Class Rare", "Sheet row 12",
		"JONNY's RECLASSIFICATION blank SUPERVISED CLASSIFICATION Rare decides UNSUPERVISED CLASSIFICATION Junk", "Its dataset: test",
		"is 0.2500 on the line", "its rank within its class puts it at 0.7500", "train 0–0.7 test 0.7–1",
		"move test/Junk → train/Rare dead: Access Denied", "copy to test/Junk no result yet", "!old")
	expect(t, body, "range=A12", `<rect class="its" x="700" y="8" width="300" height="8"/><path d="M750 0v24"/>`, `<a href="/frames/TT_S01_E01_FRM-00-00-08-11" rel="prev"`, `<span class="minor">Next frame`, "!data-events")
	p.Searching = true
	body, _ = render(t, p)
	expect(t, body, `data-events="/frames/`+string(frame)+`/events"`, "Searching the runs")
}
