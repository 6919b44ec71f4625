package planner

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

var (
	layout  = dataset.Layout{Prefix: "tuttle_twins"}
	classes = []string{"Junk", "Common", "Uncommon", "Rare", "Legendary"}
	header  = []string{"FRAME NUMBER", "UNSUPERVISED CLASSIFICATION", "SUPERVISED CLASSIFICATION", "JONNY's RECLASSIFICATION"}
)

func limit(t interface{ Fatal(...any) }, text string) rows.Limit {
	l, err := rows.ParseLimit(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// modelRow is a row of one frame. The class may be unknown ("Epic") or empty.
type modelRow struct {
	frame dataset.Frame
	class string
}

// model is one episode: its sheet, its images, and the bucket, which also has other objects.
type model struct {
	rows   []modelRow
	images map[dataset.Frame]string // frame → ETag
	bucket map[string]string        // key → ETag
	assign *Assigner
}

const modelFrames = 8

var (
	modelPlaces = []dataset.Place{
		{Dataset: "train", Class: "Common"}, {Dataset: "train", Class: "Rare"}, {Dataset: "test", Class: "Common"}, {Dataset: "test", Class: "Rare"},
		{Dataset: "more", Class: "Rare"},
		{Dataset: "train", Class: "Comon"},                  // a folder of an old spelling
		{Dataset: "test"},                                   // the folder of the dataset
		{Dataset: "gone", Class: "Rare"}, {Dataset: "gone"}, // a dataset that the split has dropped
	}
	modelListed = []string{"train", "validate", "test", "more", "gone"}
)

func drawModel(t *rapid.T) *model {
	m := &model{images: map[dataset.Frame]string{}, bucket: map[string]string{}, assign: anyAssigner(t, modelFrames)}
	m.assign.Guard = min(m.assign.Guard, 2)
	for i := range modelFrames {
		f := dataset.FrameAt(e1, i)
		m.draw(t, f)
		for _, p := range rapid.SliceOfNDistinct(rapid.SampledFrom(modelPlaces), 0, 3, rapid.ID[dataset.Place]).Draw(t, "stands") {
			m.bucket[layout.Key(p, f)] = rapid.SampledFrom([]string{"v1", "v2", "other"}).Draw(t, "content")
		}
		// Objects that do not belong to the episode.
		m.bucket[layout.Key(modelPlaces[i], dataset.FrameAt(e2, i))] = "of e2"
		m.bucket[layout.Folder(modelPlaces[i])+"README.md"] = "of somebody"
		m.bucket["tuttle_twins/ML/elsewhere/Rare/"+f.File()] = "no dataset of ours"
	}
	return m
}

// draw draws the rows and the image of a frame.
func (m *model) draw(t *rapid.T, f dataset.Frame) {
	class := rapid.SampledFrom([]string{"Common", "Rare", "rare", "", "Epic"})
	m.rows = slices.DeleteFunc(m.rows, func(r modelRow) bool { return r.frame == f })
	for range rapid.SampledFrom([]int{1, 1, 1, 2, 0}).Draw(t, "rows") {
		m.rows = append(m.rows, modelRow{f, class.Draw(t, "class")})
	}
	delete(m.images, f)
	if etag := rapid.SampledFrom([]string{"v1", "v2", "v2", ""}).Draw(t, "image"); etag != "" {
		m.images[f] = etag
	}
}

// standing returns the copies of the episode that a listing of the datasets finds.
func (m *model) standing() dataset.Standing {
	s := dataset.Standing{}
	for _, key := range slices.Sorted(maps.Keys(m.bucket)) {
		if p, f, ok := layout.Parse(key); ok && f.Episode() == e1 && slices.Contains(modelListed, p.Dataset) {
			s[f] = append(s[f], dataset.Copy{Place: p, ETag: m.bucket[key]})
		}
	}
	return s
}

// input reads the sheet and the listings. The episode is so small that the limits allow all rows to
// be bad and all frames to be deleted.
func (m *model) input(t *rapid.T) EpisodeInput {
	values := sheet.Values{Title: "model", Rows: [][]string{header}}
	for _, r := range m.rows {
		values.Rows = append(values.Rows, []string{string(r.frame), "", r.class})
	}
	read, err := rows.Read(values, rows.Options{Episode: e1, Prefix: layout.Prefix, ImageSize: "thumbnails", Classes: classes, MaxBad: limit(t, "100%")})
	if err != nil && len(m.rows) > 0 {
		t.Fatal(err)
	}
	return EpisodeInput{
		Episode: e1, Sheet: read, Images: m.images, Standing: m.standing(), Assign: m.assign, Layout: layout, Same: sameETag, AllowDelete: true,
	}
}

// wanted is guarantee 1, written without the planner. It returns the content of the bucket after
// the run.
func (m *model) wanted() map[string]string {
	want := maps.Clone(m.bucket)
	for i := range modelFrames {
		f := dataset.FrameAt(e1, i)
		var said []string
		for _, r := range m.rows {
			if class := strings.Replace(r.class, "rare", "Rare", 1); r.frame == f && !slices.Contains(said, class) {
				said = append(said, class)
			}
		}
		if len(said) > 1 || slices.Contains(said, "Epic") {
			continue // frozen
		}
		for _, c := range m.standing()[f] {
			delete(want, layout.Key(c.Place, f))
		}
		etag, image := m.images[f]
		name, assigned := m.assign.Dataset(f)
		if len(said) == 1 && said[0] != "" && image && assigned {
			want[layout.Key(dataset.Place{Dataset: name, Class: said[0]}, f)] = etag
		}
	}
	return want
}

// step is one request of a task.
type step struct {
	put string // key; "" without one
	del string // key; "" without one
}

func steps(task messages.Task) (all []step) {
	if task.Op != messages.Delete {
		all = append(all, step{put: task.Dst})
	}
	for _, key := range task.Del {
		all = append(all, step{del: key})
	}
	return all
}

// deliver makes the first n requests of a task, like a worker that dies after them.
func (m *model) deliver(t *rapid.T, task messages.Task, n int) {
	for _, s := range steps(task)[:n] {
		if s.put != "" {
			if task.Src != "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"+task.Frame.File() {
				t.Fatalf("copies from %s", task.Src)
			}
			m.bucket[s.put] = m.images[task.Frame]
		} else {
			delete(m.bucket, s.del)
		}
		if task.Op != messages.Delete && len(m.standing()[task.Frame]) == 0 {
			t.Fatalf("%s stands nowhere in the middle of %+v", task.Frame, task)
		}
	}
}

// run applies the tasks in any order, each at least once. Some deliveries stop after any request.
// At least one delivery of each task is complete.
func (m *model) run(t *rapid.T, tasks []messages.Task) {
	type delivery struct {
		task  messages.Task
		steps int
	}
	var all []delivery
	for _, task := range tasks {
		whole := len(steps(task))
		all = append(all, delivery{task, whole})
		for range rapid.IntRange(0, 2).Draw(t, "more deliveries") {
			all = append(all, delivery{task, rapid.IntRange(0, whole).Draw(t, "steps")})
		}
	}
	if len(all) == 0 {
		return
	}
	for _, d := range rapid.Permutation(all).Draw(t, "order") {
		m.deliver(t, d.task, d.steps)
	}
}

// checkPlan checks that a plan is consistent and that its tasks are allowed.
func checkPlan(t *rapid.T, in EpisodeInput, out EpisodeChanges) {
	if out.Held != "" || out.Totals.Tasks() != len(out.Tasks) {
		t.Fatalf("held %q; %d tasks of %+v", out.Held, len(out.Tasks), out.Totals)
	}
	seen := map[dataset.Frame]bool{}
	for i, task := range out.Tasks {
		if seen[task.Frame] {
			t.Fatalf("two tasks of %s", task.Frame)
		}
		seen[task.Frame] = true
		task.Run, task.Gen, task.Seq = "r", 1, uint32(i)
		if err := task.Check(layout); err != nil {
			t.Fatal(err)
		}
		if _, err := messages.ParseTask(task.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range out.Expected {
		if e.Copied != slices.ContainsFunc(out.Tasks, func(task messages.Task) bool { return task.Dst == layout.Key(e.Place, e.Frame) }) {
			t.Fatalf("expected %+v: copied is wrong", e)
		}
	}
	if again := PlanEpisode(in); !cmp.Equal(out, again) {
		t.Fatalf("planned twice, it differs: %s", cmp.Diff(out, again))
	}
}

// expectedKeys returns the copies that the plan expects, as a listing.
func expectedKeys(expected []state.Expected) map[string]string {
	all := map[string]string{}
	for _, e := range expected {
		all[layout.Key(e.Place, e.Frame)] = e.ETag
	}
	return all
}

func (m *model) episodeKeys() map[string]string {
	all := map[string]string{}
	for f, copies := range m.standing() {
		for _, c := range copies {
			all[layout.Key(c.Place, f)] = c.ETag
		}
	}
	return all
}

// TestConvergence is guarantees 1 and 2. It starts from any copies and after any edit, and applies
// the tasks in any order and any number of times. Then exactly the wanted copies remain, nothing
// else has changed, and the next plan has no task.
func TestConvergence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		for round := range 3 {
			in, want := m.input(t), m.wanted()
			out := PlanEpisode(in)
			checkPlan(t, in, out)
			m.run(t, out.Tasks)
			if diff := cmp.Diff(want, m.bucket); diff != "" {
				t.Fatalf("round %d (-want +got):\n%s", round, diff)
			}
			if diff := cmp.Diff(expectedKeys(out.Expected), m.episodeKeys()); diff != "" {
				t.Fatalf("round %d, what the plan expects (-expected +stands):\n%s", round, diff)
			}
			next := PlanEpisode(m.input(t))
			if len(next.Tasks) != 0 || next.Totals.Tasks() != 0 {
				t.Fatalf("round %d: the next plan has %+v", round, next.Tasks)
			}
			if round < 2 {
				m.edit(t)
			}
		}
	})
}

// edit changes the rows and images of some frames, and the order of all rows.
func (m *model) edit(t *rapid.T) {
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, modelFrames-1), 0, 4, rapid.ID[int]).Draw(t, "edited") {
		m.draw(t, dataset.FrameAt(e1, i))
	}
	if len(m.rows) > 0 {
		m.rows = rapid.Permutation(m.rows).Draw(t, "rows")
	}
}

// TestMinimalWork is guarantee 2: after an edit only changed frames have tasks, at most one each. A
// different order of the rows changes no frame.
func TestMinimalWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		m.assign.strata = nil
		m.run(t, PlanEpisode(m.input(t)).Tasks)
		before, images := slices.Clone(m.rows), maps.Clone(m.images)
		m.edit(t)
		for _, task := range PlanEpisode(m.input(t)).Tasks {
			if m.images[task.Frame] == images[task.Frame] && slices.Equal(rowsOf(before, task.Frame), rowsOf(m.rows, task.Frame)) {
				t.Fatalf("%s of %s, which nobody has changed", task.Op, task.Frame)
			}
		}
	})
}

func rowsOf(all []modelRow, f dataset.Frame) []string {
	var of []string
	for _, r := range all {
		if r.frame == f {
			of = append(of, r.class)
		}
	}
	slices.Sort(of)
	return of
}

func ExamplePlanEpisode() {
	cells := [][]string{
		{"FRAME NUMBER", "UNSUPERVISED CLASSIFICATION", "SUPERVISED CLASSIFICATION", "JONNY's RECLASSIFICATION"},
		{"TT_S01_E01_FRM-00-00-08-10", "Common"},
		{"TT_S01_E01_FRM-00-00-08-11", "Common", "", "Rare"},
		{"TT_S01_E01_FRM-00-00-08-12", "Common", "", "Epic"},
	}
	some, _ := rows.ParseLimit("50%")
	sheet, err := rows.Read(sheet.Values{Title: "S01E01", Rows: cells}, rows.Options{
		Episode: "S01E01", Prefix: "tuttle_twins", ImageSize: "thumbnails", Classes: []string{"Common", "Rare"}, MaxBad: some,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	rare := dataset.Place{Dataset: "train", Class: "Common"}
	out := PlanEpisode(EpisodeInput{
		Episode: "S01E01", Sheet: sheet, Layout: dataset.Layout{Prefix: "tuttle_twins"},
		Assign: &Assigner{Split: Split{{"train", 0.7}, {"test", 0.3}}, Seed: "7", Group: 10 * time.Second},
		Images: map[dataset.Frame]string{"TT_S01_E01_FRM-00-00-08-10": "a", "TT_S01_E01_FRM-00-00-08-11": "b"},
		Standing: dataset.Standing{
			"TT_S01_E01_FRM-00-00-08-11": {{Place: rare, ETag: "b"}},
			"TT_S01_E01_FRM-00-00-08-12": {{Place: rare, ETag: "c"}},
		},
		Same: func(copyETag, srcETag string) bool { return copyETag == srcETag },
	})
	fmt.Printf("%+v\n", out.Totals)
	for _, task := range out.Tasks {
		fmt.Println(task.Op, task.Dst, task.Del)
	}
	for _, p := range out.Problems {
		fmt.Printf("row %d: %s\n", p.Row, p.Problem)
	}
	// Output:
	// {Keep:0 Copy:1 Move:1 Refresh:0 Delete:0 Frozen:1}
	// copy tuttle_twins/ML/train/Common/TT_S01_E01_FRM-00-00-08-10.jpg []
	// move tuttle_twins/ML/train/Rare/TT_S01_E01_FRM-00-00-08-11.jpg [tuttle_twins/ML/train/Common/TT_S01_E01_FRM-00-00-08-11.jpg]
	// row 4: unknown class "Epic" in JONNY's RECLASSIFICATION: expected one of Common, Rare; the frame is left as it stands
}
