package inventory

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const e1 = dataset.Episode("S01E01")

// film is an episode whose frames have these classes, "" for none, and stand in these datasets.
func film(classes, datasets []string) *Table {
	s := Survey{Episode: e1}
	for i, class := range classes {
		seen := SurveyFrame{Frame: dataset.FrameAt(e1, i), Row: i + 2, Class: class, Image: fmt.Sprint(i)}
		seen.Cells[Unsupervised] = class
		if i < len(datasets) && datasets[i] != "" {
			seen.Stands = []dataset.Place{{Dataset: datasets[i], Class: class}}
		}
		s.Frames = append(s.Frames, seen)
	}
	return New(s, time.Now())
}

func repeat(text string, n int) []string { return slices.Repeat([]string{text}, n) }

// A table gives back what its survey had, in time order.
func TestTable(t *testing.T) {
	place := dataset.Place{Dataset: "test", Class: "Rare"}
	s := Survey{Episode: e1, Frames: []SurveyFrame{
		{Frame: dataset.FrameAt(e1, 5), Row: 3, Cells: [Columns]string{"Junk", "", "Rare"}, Class: "Rare", Image: "etag", Stands: []dataset.Place{place, {Dataset: "train"}}},
		{Frame: dataset.FrameAt(e1, 2), Row: 2, Cells: [Columns]string{"Epic"}, Frozen: true, Image: "etag"},
	}, Problems: []state.Problem{{Frame: string(dataset.FrameAt(e1, 2)), Problem: "unknown"}, {Frame: string(dataset.FrameAt(e1, 5)), Problem: "twice", Warning: true}}}
	table := New(s, time.Unix(1, 0))
	first, second := table.Frames[0], table.Frames[1]
	if table.Name(0) != s.Frames[1].Frame || table.Name(1) != s.Frames[0].Frame || first.Image != second.Image || first.Image == 0 {
		t.Fatalf("%+v", table.Frames)
	}
	if !first.Frozen() || !first.Problem() || first.InDataset() || first.Duplicated() || second.Frozen() || second.Problem() || !second.InDataset() || !second.Duplicated() {
		t.Errorf("states: %+v", table.Frames)
	}
	if c, ok := second.Deciding(); !ok || c != Jonny || table.Text(second.Cells[Unsupervised]) != "Junk" || table.Text(second.Class) != "Rare" || table.Place(1) != place {
		t.Errorf("the second frame: %+v", second)
	}
	if at, ok := table.IndexOf(dataset.FrameAt(e1, 5)); at != 1 || !ok {
		t.Errorf("frame 5 is at %d, %t", at, ok)
	}
	if at, ok := table.IndexOf(dataset.FrameAt(e1, 3)); at != 1 || ok {
		t.Errorf("frame 3, which has no place, is at %d, %t", at, ok)
	}
	if p := table.ProblemsOf(table.Name(0)); len(p) != 1 || p[0].Problem != "unknown" {
		t.Errorf("problems: %+v", p)
	}
	if l := table.LabelledFrames(); len(l) != 1 || l[0] != (LabelledFrame{table.Name(1), "Rare"}) {
		t.Errorf("labelled: %+v", l)
	}
	if len(New(Survey{Episode: e1}, time.Now()).CountLane(10, 1, nil).Counts) != 0 {
		t.Error("an empty episode has a lane")
	}
}

// An island is a single frame of another class than the ten frames at each side, which all follow
// each other.
func TestIslands(t *testing.T) {
	common := repeat("Common", 41)
	with := func(changes map[int]string) *Table {
		classes := slices.Clone(common)
		for i, class := range changes {
			classes[i] = class
		}
		return film(classes, nil)
	}
	for _, tc := range []struct {
		name  string
		table *Table
		want  []int
	}{
		{"none", with(nil), nil},
		{"one", with(map[int]string{20: "Rare"}), []int{20}},
		{"at the least distance from both ends", with(map[int]string{10: "Rare", 30: "Junk"}), []int{10, 30}},
		{"too near an end", with(map[int]string{9: "Rare"}), nil},
		{"two in a row", with(map[int]string{20: "Rare", 21: "Rare"}), nil},
		{"too near each other", with(map[int]string{20: "Rare", 25: "Rare"}), nil},
		{"unclassified", with(map[int]string{20: ""}), nil},
		{"between two classes", film(slices.Concat(repeat("Common", 20), []string{"Rare"}, repeat("Junk", 20)), nil), nil},
	} {
		if got := tc.table.FindIslands(); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	gap := with(map[int]string{20: "Rare"})
	gap.Frames = slices.Delete(gap.Frames, 15, 16)
	if got := gap.FindIslands(); got != nil {
		t.Errorf("beside a gap: %v", got)
	}
}

// On any film, the islands are those that a look at each frame finds.
func TestIslandsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var classes []string
		for range rapid.IntRange(1, 5).Draw(t, "runs") {
			classes = append(classes, repeat(rapid.SampledFrom([]string{"Common", "Rare"}).Draw(t, "class"), rapid.SampledFrom([]int{1, 1, 9, 10, 11, 14}).Draw(t, "length"))...)
		}
		var want []int
		for i := islandSide; i+islandSide < len(classes); i++ {
			others := slices.Concat(classes[i-islandSide:i], classes[i+1:i+islandSide+1])
			if !slices.Contains(others, classes[i]) && !slices.ContainsFunc(others, func(c string) bool { return c != others[0] }) {
				want = append(want, i)
			}
		}
		if got := film(classes, nil).FindIslands(); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v in %q", got, want, classes)
		}
	})
}

func TestConfusion(t *testing.T) {
	s := Survey{Episode: e1}
	for i, cells := range [][Columns]string{{"Junk", "Rare"}, {"Junk", "Rare", "Rare"}, {"Junk", "Junk"}, {"Junk"}, {"", "Rare"}} {
		s.Frames = append(s.Frames, SurveyFrame{Frame: dataset.FrameAt(e1, i), Cells: cells})
	}
	tables := []*Table{New(s, time.Now()), New(s, time.Now())}
	want := map[Pair]int{{"Junk", "Rare"}: 4, {"Junk", "Junk"}: 2}
	if diff := cmp.Diff(want, CountPairs(tables, Unsupervised, Supervised)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got, want := ListClasses(tables, []string{"Rare", "Common"}), []string{"Rare", "Common", "Junk"}; !slices.Equal(got, want) {
		t.Errorf("classes %v, want %v", got, want)
	}
}

// Leaking counts as a plan does: frames outside train with a train frame one frame away.
func TestLeaking(t *testing.T) {
	table := film(repeat("Common", 8), []string{"train", "test", "test", "validate", "train", "", "test", "test"})
	leaking, of := table.FindLeaking(table.CurrentDatasets(), "train")
	if !slices.Equal(leaking, []int{1, 3}) || of != 5 {
		t.Errorf("%v of %d", leaking, of)
	}
	for i, want := range map[int]int{1: 0, 3: 4, 6: -1} {
		if at := table.TrainingNeighbour(i, "train"); at != want {
			t.Errorf("beside frame %d: %d, want %d", i, at, want)
		}
	}
}

// The same image in one dataset is no leak; in several it is, at any distance.
func TestIdentical(t *testing.T) {
	s := Survey{Episode: e1}
	for i, in := range []struct{ image, dataset string }{{"a", "train"}, {"b", "train"}, {"a", "test"}, {"b", "train"}, {"c", "test"}, {"", "test"}, {"", "train"}, {"d", "train"}, {"d", ""}, {"a", "train"}} {
		seen := SurveyFrame{Frame: dataset.FrameAt(e1, i*100), Image: in.image}
		if in.dataset != "" {
			seen.Stands = []dataset.Place{{Dataset: in.dataset, Class: "Common"}}
		}
		s.Frames = append(s.Frames, seen)
	}
	got := FindIdentical([]*Table{New(s, time.Now())})
	if want := [][]Ref{{{0, 0}, {0, 2}, {0, 9}}}; !cmp.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// What is drawn is what a plan does: a frozen frame stays, one without a class or an image is
// nowhere.
func TestDrawn(t *testing.T) {
	s := Survey{Episode: e1, Frames: []SurveyFrame{
		{Frame: dataset.FrameAt(e1, 0), Class: "Rare", Image: "x"},
		{Frame: dataset.FrameAt(e1, 1), Frozen: true, Image: "x", Stands: []dataset.Place{{Dataset: "train", Class: "Junk"}}},
		{Frame: dataset.FrameAt(e1, 2), Class: "Rare"},
		{Frame: dataset.FrameAt(e1, 3), Image: "x", Stands: []dataset.Place{{Dataset: "train", Class: "Junk"}}},
		{Frame: dataset.FrameAt(e1, 24), Class: "Rare", Image: "x"},
	}}
	draw := func(f dataset.Frame) (string, bool) { return "test", true }
	table := New(s, time.Now())
	names := table.AssignDatasets(draw)
	if want := []string{"test", "train", "", "", "test"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	in, all := table.CountUnits(names, time.Second)
	if in[dataset.Place{Dataset: "test", Class: "Rare"}] != 2 || in[dataset.Place{Dataset: "train", Class: "Junk"}] != 1 || all["Rare"] != 2 {
		t.Errorf("blocks %v, %v", in, all)
	}
	s.Held = "its sheet is broken"
	if got, want := New(s, time.Now()).AssignDatasets(draw), []string{"", "train", "", "train", ""}; !slices.Equal(got, want) {
		t.Errorf("of a held episode %q, want %q", got, want)
	}
}

// Every frame is in one column of a lane, and the columns are as long as each other.
func TestLane(t *testing.T) {
	table := film(slices.Concat(repeat("Common", 30), repeat("Rare", 10)), nil)
	l := table.CountLane(4, 2, func(i int) int {
		if table.Text(table.Frames[i].Class) == "Rare" {
			return 1
		}
		return 0
	})
	if want := (Lane{First: 0, Last: 39, Counts: [][]int{{10, 0}, {10, 0}, {10, 0}, {0, 10}}}); !cmp.Equal(l, want) {
		t.Errorf("%+v, want %+v", l, want)
	}
	if l = table.CountLane(1000, 1, func(int) int { return 0 }); len(l.Counts) != 40 {
		t.Errorf("%d columns for 40 frames", len(l.Counts))
	}
}
