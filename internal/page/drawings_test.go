package page

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// A lane fills each column in proportion to its values, and draws equal columns as one.
func TestLane(t *testing.T) {
	got := NewLane("Class", inventory.Lane{Counts: [][]int{{2, 0}, {4, 0}, {1, 3}, {0, 0}}}, []string{"Common", "Rare"}, []int{1, 3})
	want := Lane{Name: "Class", Width: 4, Height: 100, Bands: []Band{
		{Name: "Common", Color: 1, Count: 7, Path: "M0 0h2v100h-2zM2 0h1v25h-1z"}, {Name: "Rare", Color: 3, Count: 3, Path: "M2 25h1v75h-1z"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A matrix has the classes that occur, counts agreement, and shades the cells of disagreement.
func TestNewConfusion(t *testing.T) {
	counts := map[inventory.Pair]int{{A: "Junk", B: "Junk"}: 60, {A: "Junk", B: "Rare"}: 40, {A: "Rare", B: "Junk"}: 1}
	c := NewConfusion(inventory.Unsupervised, inventory.Jonny, counts, []string{"Junk", "Common", "Rare"}, url.Values{"episode": {"S01E01"}})
	if c.Agree != 60 || c.All != 101 || fmt.Sprint(c.Classes) != "[Junk Rare]" {
		t.Errorf("%+v", c)
	}
	if cell := c.Rows[0].Cells[1]; cell.Count != 40 || cell.Heat != 2 || cell.Path != "/frames?episode=S01E01&jonny=Rare&unsupervised=Junk" {
		t.Errorf("%+v", cell)
	}
	if cell := c.Rows[1].Cells[0]; cell.Heat != 4 || c.Rows[0].Cells[0].Heat != 0 || !c.Rows[0].Cells[0].Same {
		t.Errorf("%+v", c.Rows)
	}
	_, text := render(t, &Labels{Matrices: []Confusion{c}, Reading: ReadProgress{Read: 1, Of: 2, Oldest: time.Now(), Pending: true}, Count: 1,
		Islands: []Island{{Class: "Rare", Around: "Common", Row: 12, Sheet: sheetURL, Tiles: []Tile{{Frame: frame, Highlighted: true}}}}})
	expect(t, text, "Reading sheets and listings: 1 of 2 episodes.", "Unsupervised against Jonny’s Both are filled in for 101 frames; they agree on 59.4%.", "Single-frame islands 1", "Rare among Common · row 12")
}

func TestDuplicates(t *testing.T) {
	p := &Duplicates{Training: "train", Leaking: 1, Frames: 8, Images: 30, Copies: 71, Groups: [][]Tile{{{Frame: frame, Note: "train"}, {Frame: frame, Note: "test"}}}, Pairs: []DuplicatePair{{[]Tile{{Frame: frame}}}}}
	_, text := render(t, p)
	expect(t, text, "30 images with 71 frames, equal in every byte", "These are the first 1.", "1 of the 8 frames outside train have a frame of train right beside them: 12.5%", "try a group")
	p.Group, p.Images, p.Groups = "10s", 0, nil
	_, text = render(t, p)
	expect(t, text, "No image is in more than one dataset.", "!try a group")
}

// An episode's page has its lanes, and the effect of other settings.
func TestEpisode(t *testing.T) {
	p := &Episode{Episode: "S01E02", Previous: "S01E01", Known: true, Frames: 240, Last: 239, Problems: 3, Sheet: sheetURL,
		Lanes:  []Lane{NewLane("Dataset", inventory.Lane{Counts: [][]int{{3}}}, []string{"train"}, []int{9})},
		Fields: []Field{{Name: "group", Label: "Group", Text: true, Value: "10s"}},
		WhatIf: &WhatIf{Settings: "--group=10s", Changing: 70, LeakingBefore: 9, FramesBefore: 10, Leaking: 1, Frames: 8, Missing: []string{"test/Rare", "test/Junk"}, Grouped: true,
			Rare: []state.RareClass{{Dataset: "test", Class: "Common", Units: 1, Of: 20}}, Command: "plan --dry-run --group=10s",
			Balance: NewBalance([]state.Balance{{Dataset: "train", Class: "Common", Before: 100, After: 90}}, samplePlan().Settings)}}
	body, text := render(t, p)
	expect(t, text, "S01E01 Its sheet 240 frames 3 frames with a problem Dataset", "train 3", "With --group=10s: 70 frames would change their dataset.", "Common 100 → 90 frames −10",
		"Leakage now 90.0% Leakage with these settings 12.5%", "With these settings: 1 of 8.", "No frame of this episode in test/Rare, test/Junk.", "test has 1 blocks of Common in this episode; all datasets together have 20.", "shuffle --local ./x plan --dry-run --group=10s")
	expect(t, body, `data-first="0" data-last="239"`, `<path class="k9" d="M0 0h1v100h-1z"/>`, `<input type="range" min="0" max="239"`, "!data-events")
	p.WhatIf, p.Drawing, p.Query = nil, true, "group=10s"
	body, text = render(t, p)
	expect(t, text, "Computing the datasets.")
	expect(t, body, `data-events="/episodes/S01E02/events?group=10s"`)
	_, text = render(t, &Episodes{Rows: []EpisodeLine{{Episode: "S01E02", Held: "broken", Frames: 1234, InDatasets: 1200, Problems: 3, Classes: p.Lanes[0]}}})
	expect(t, text, "S01E02 held 1,234 1,200 0 3")
}

// Trends of counts begin at 0 unless they would be flat; trends of shares always do.
func TestTrends(t *testing.T) {
	for _, tc := range []struct {
		trend Trend
		want  string
	}{
		{Trend{Values: []float64{0, 50, 100}}, "M0.0 38.0L150.0 20.0L300.0 2.0"},
		{Trend{Values: []float64{1000, 1010}}, "M0.0 26.0L300.0 2.0"},
		{Trend{Values: []float64{7, 7}}, "M0.0 20.0L300.0 20.0"},
		{Trend{Values: []float64{0, 0}}, "M0.0 20.0L300.0 20.0"},
		{Trend{Values: []float64{0.70, 0.71}, Share: true}, "M0.0 2.5L300.0 2.0"},
	} {
		if got := tc.trend.Path(); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.trend.Values, got, tc.want)
		}
	}
}

// sampleVersions returns two versions: the older one has a tag, the newer one has other settings.
func sampleVersions() (older, newer version.Listed) {
	s := samplePlan().Settings
	older = version.Listed{Version: state.Version{Generation: 3, Created: started, Settings: s, Frames: 90, Counts: map[string]map[string]int{"train": {"Common": 60}, "test": {"Common": 20, "Rare": 10}}}, Tags: []string{"paper"}}
	newer = version.Listed{Version: state.Version{Generation: 5, Parent: 3, Created: started, Settings: s, Frames: 100, Held: []state.HeldEpisode{{}}, Counts: map[string]map[string]int{"train": {"Common": 75}, "test": {"Common": 10, "Rare": 15}}}}
	newer.Settings.Group, newer.Settings.Stratify = "30s", true
	return older, newer
}

func TestVersions(t *testing.T) {
	older, newer := sampleVersions()
	p := &Versions{Latest: 5, Trends: CountTrends([]version.Listed{older, newer}), All: []VersionRow{
		{Version: newer.Version, Latest: true, Before: 3, Added: 10, Changes: older.Definition.ChangesTo(newer.Definition)}, {Version: older.Version, Tags: older.Tags}}}
	body, text := render(t, p)
	expect(t, text, "5 latest", "100 +10 train=0.8,test=0.2, group 30s, stratified, guard 2, subsample 3 group: 10s → 30s stratify: false → true 1 held against 3", "3 paper",
		"Common 80 → 85", "Rare 10 → 15", "Share of train 66.7% → 75.0%", "Held episodes 0 → 1")
	expect(t, body, `href="/versions/compare?from=3&amp;to=5"`, `<option value="3" selected>3 paper</option>`, `<option value="5" selected>5</option>`)
	_, text = render(t, &Versions{})
	expect(t, text, "There is no dataset version yet")
}

func TestCompare(t *testing.T) {
	older, newer := sampleVersions()
	p := &Compare{From: older.Version, To: newer.Version, Pending: true, Query: "from=3&to=5"}
	body, text := render(t, p)
	expect(t, text, "Version 3 → 5", "Comparing the versions", "shuffle --local ./x restore 3 --dry-run", "shuffle --local ./x pull --version 5 DIR")
	expect(t, body, `data-events="/versions/compare/events?from=3&amp;to=5"`)
	change := version.Change{Frame: frame, Kind: version.Relabelled, From: []string{"train/Common"}, To: []string{"test/Rare"}}
	p.Pending, p.Kind, p.Was, p.Count = false, "relabelled", "Common", 1
	p.SetDiff(version.Diff{Same: 80, Totals: map[version.Kind]int{version.Added: 12, version.Relabelled: 3}, Relabellings: []version.Relabelling{{From: "Common", To: "Rare", Frames: 3}},
		Settings: []state.SettingChange{{Name: "group", Before: "10s", After: "30s"}}})
	p.Tiles = []Tile{{Frame: frame, Note: "train/Common → test/Rare"}}
	body, text = render(t, p)
	expect(t, text, "group: 10s → 30s", "12 added 0 removed 3 relabelled 0 moved 0 refreshed 80 the same", "Rows: was. Columns: is. Common Rare Common 3 frames Rare 0", "1 frame relabelled, was Common")
	expect(t, body, `href="/versions/compare?from=3&amp;is=Rare&amp;kind=relabelled&amp;to=5&amp;was=Common"`, `aria-current="true"><strong>3`, "!data-events")
	for _, tc := range []struct {
		p    Compare
		want bool
	}{{Compare{}, true}, {Compare{Kind: "relabelled", Was: "Common", Is: "Rare"}, true}, {Compare{Kind: "moved"}, false}, {Compare{Is: "Common"}, false}} {
		if tc.p.Matches(change) != tc.want {
			t.Errorf("%s %s %s: expected %t", tc.p.Kind, tc.p.Was, tc.p.Is, tc.want)
		}
	}
}

// A page with events has regions, and they contain what it shows.
func TestRegions(t *testing.T) {
	older, newer := sampleVersions()
	pending := ReadProgress{Of: 3, Pending: true}
	for _, p := range []Page{
		&Frames{Reading: pending}, &Frame{Frame: frame, Reading: pending}, &Episodes{Reading: pending}, &Episode{Episode: "S01E01", Reading: pending}, &Labels{Reading: pending},
		&Duplicates{Reading: pending}, &Versions{All: []VersionRow{{Version: newer.Version}}, Pending: true}, &Compare{From: older.Version, To: newer.Version, Pending: true}, &Workers{}, &Runs{},
	} {
		body, _ := render(t, p)
		all, err := Regions(site, p)
		if err != nil || len(all) == 0 || p.Events() == "" {
			t.Errorf("%T: %d regions, events %q, %v", p, len(all), p.Events(), err)
		}
		for _, r := range all {
			expect(t, body, `<div id="`+r.ID+`">`+r.HTML+"</div>")
		}
	}
}

// Any name of a sheet, a worker or a tag is plain text on these pages too.
func TestDrawingsAreEscaped(t *testing.T) {
	const evil = `"'></script><img src=x onerror=alert(1)>javascript:`
	older, newer := sampleVersions()
	newer.Classes, newer.Datasets, newer.Split = []string{evil}, []string{evil}, evil
	newer.Counts = map[string]map[string]int{evil: {evil: 3}}
	lane := NewLane(evil, inventory.Lane{Counts: [][]int{{1}}}, []string{evil}, []int{1})
	counts := map[inventory.Pair]int{{A: evil, B: "Rare"}: 1}
	compare := &Compare{From: older.Version, To: newer.Version, Kind: evil, Was: evil, Is: evil}
	compare.SetDiff(version.Diff{Relabellings: []version.Relabelling{{From: evil, To: "Rare", Frames: 1}}, Settings: []state.SettingChange{{Name: evil, Before: evil, After: evil}}})
	for _, p := range []Page{
		&Labels{Matrices: []Confusion{NewConfusion(0, 1, counts, []string{evil, "Rare"}, nil)}, Islands: []Island{{Class: evil, Around: evil, Row: 1, Sheet: evil}}, Query: evil},
		&Duplicates{Training: evil, Group: evil}, &Episodes{Rows: []EpisodeLine{{Episode: "S01E01", Sheet: evil, Held: evil, Classes: lane}}},
		&Episode{Episode: "S01E01", Sheet: evil, Lanes: []Lane{lane}, Failed: evil, Query: evil, WhatIf: &WhatIf{Settings: evil, Missing: []string{evil}, Command: evil, Rare: []state.RareClass{{Dataset: evil, Class: evil}}}},
		&Versions{All: []VersionRow{{Version: newer.Version, Tags: []string{evil}, Changes: []state.SettingChange{{Name: evil, Before: evil, After: evil}}}}, Trends: CountTrends([]version.Listed{older, newer})},
		compare, &Workers{Live{ReceivesResults: true, Workers: []Worker{{Name: evil}}, Queues: []Queue{{Name: evil, Content: evil}}, Failed: evil}},
	} {
		t.Run(strings.TrimPrefix(fmt.Sprintf("%T", p), "*page."), func(t *testing.T) {
			body, _ := render(t, p)
			harmless(t, body)
		})
	}
}
