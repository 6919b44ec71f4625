package planner

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// oddFrames is the size of the odd episode: two bad rows are within 5%, three are not.
const oddFrames = 40

// oddity is a row of the table in DESIGN 4. It changes an episode of oddFrames Common frames that
// have images and copies in train/Common, where they should be.
type oddity struct {
	name  string
	edit  func(rows [][]string) [][]string // the frame with index i is in rows[i+1]
	gone  []int                            // frames whose source images are gone
	stand map[dataset.Place][]int          // more copies
	lone  []int                            // frames without copies

	totals   state.Totals
	problems []state.Problem // Problem is a part of the text
	held     []string        // parts of the reason
}

func frame(i int) string { return string(dataset.FrameAt(e1, i)) }

// cell sets one cell of the i-th frame's row: 1 unsupervised, 2 supervised, 3 Jonny's.
func cell(i, column int, text string) func([][]string) [][]string {
	return func(rows [][]string) [][]string {
		rows[i+1][column] = text
		return rows
	}
}

// more appends rows.
func more(cells ...[]string) func([][]string) [][]string {
	return func(rows [][]string) [][]string { return append(rows, cells...) }
}

// without removes the rows of the frames in [from, to).
func without(from, to int) func([][]string) [][]string {
	return func(rows [][]string) [][]string { return slices.Delete(rows, from+1, to+1) }
}

// headed changes the header of the sheet.
func headed(change func(header []string) []string) func([][]string) [][]string {
	return func(rows [][]string) [][]string {
		rows[0] = change(slices.Clone(rows[0]))
		return rows
	}
}

// based adds a first column whose header is a base URI.
func based(uri string) func([][]string) [][]string {
	return func(rows [][]string) [][]string {
		for i := range rows {
			rows[i] = slices.Concat([]string{""}, rows[i])
		}
		rows[0][0] = uri
		return rows
	}
}

const foreign = "TT_S01_E02_FRM-00-00-00-00"

// odd are the rows of the table, in its order.
var odd = []oddity{
	{name: "nothing is odd", totals: state.Totals{Keep: 40}},
	// blank row
	{name: "blank rows", edit: func(rows [][]string) [][]string {
		return slices.Insert(rows, 5, []string{"", "", "", ""}, []string{" ", "\u00a0"}, []string{})
	}, totals: state.Totals{Keep: 40}},
	// frame name malformed, or of another episode
	{name: "malformed frame name", edit: more([]string{"TT_S01_E01_FRM-00-00-08", "Rare"}),
		totals:   state.Totals{Keep: 40},
		problems: []state.Problem{{Row: 42, Frame: "TT_S01_E01_FRM-00-00-08", Problem: `malformed frame name "TT_S01_E01_FRM-00-00-08"`}}},
	{name: "malformed frame name, after blank rows", edit: func(rows [][]string) [][]string {
		return append(rows, []string{""}, nil, []string{"frame 12", "Rare"})
	}, totals: state.Totals{Keep: 40}, problems: []state.Problem{{Row: 44, Frame: "frame 12", Problem: "malformed frame name"}}},
	{name: "no frame name", edit: more([]string{"", "Rare"}),
		totals: state.Totals{Keep: 40}, problems: []state.Problem{{Row: 42, Problem: "no frame name"}}},
	{name: "frame of another episode", edit: more([]string{foreign, "Rare"}),
		totals:   state.Totals{Keep: 40},
		problems: []state.Problem{{Row: 42, Frame: foreign, Problem: "expected frames of S01E01"}}},
	{name: "the frame's own row is spoilt", edit: cell(3, 0, "TT_S01_E01"),
		totals: state.Totals{Keep: 39, Frozen: 1}, problems: []state.Problem{rowless(1, 1), {Row: 5, Frame: "TT_S01_E01", Problem: "malformed"}}},
	{name: "a row is gone, and another one is of another episode", edit: func(rows [][]string) [][]string {
		return cell(3, 0, foreign)(without(20, 21)(rows))
	}, totals: state.Totals{Keep: 38, Frozen: 2}, problems: []state.Problem{rowless(2, 1), {Row: 5, Frame: foreign, Problem: "expected frames of S01E01"}}},
	{name: "a frame name is gone, and another frame is unclassified", edit: func(rows [][]string) [][]string {
		return cell(3, 0, "")(cell(20, 1, "")(rows))
	}, totals: state.Totals{Keep: 38, Frozen: 1, Delete: 1}, problems: []state.Problem{rowless(1, 1), {Row: 5, Problem: "no frame name"}}},
	// frame name in another form
	{name: "50 frames under other names", edit: func(rows [][]string) [][]string {
		for i, r := range rows[1:] {
			r[0] = [...]string{strings.ToLower(r[0]), r[0] + ".JPG", strings.ReplaceAll(r[0], "-", "–"), "\u200b" + r[0], r[0]}[i%5]
		}
		return rows
	}, totals: state.Totals{Keep: 40}, problems: []state.Problem{
		{Row: 2, Frame: frame(0), Problem: "in another case in 8 rows", Warning: true}, {Row: 3, Frame: frame(1), Problem: "with the extension of an image file in 8 rows", Warning: true},
		{Row: 4, Frame: frame(2), Problem: "with other dashes than - in 8 rows", Warning: true}, {Row: 5, Frame: frame(3), Problem: "with invisible characters in 8 rows", Warning: true}}},
	// a row without a frame name and without a class
	{name: "rows filled in advance", edit: func(rows [][]string) [][]string {
		rows[0] = append(rows[0], "ROW_INDEX", "done")
		for i := range 30 {
			rows = append(rows, []string{"", " ", "", "", strconv.Itoa(i), "FALSE"})
		}
		return rows
	}, totals: state.Totals{Keep: 40}},
	// cell whose value is not known
	{name: "an error in the deciding cell", edit: cell(3, 3, "#REF!"),
		totals:   state.Totals{Keep: 39, Frozen: 1},
		problems: []state.Problem{{Row: 5, Frame: frame(3), Problem: `unknown class in JONNY's RECLASSIFICATION: the cell has an error value, "#REF!"`}}},
	// unknown class in the deciding cell
	{name: "unknown class", edit: cell(3, 3, "Epic"),
		totals:   state.Totals{Keep: 39, Frozen: 1},
		problems: []state.Problem{{Row: 5, Frame: frame(3), Problem: `unknown class "Epic" in JONNY's RECLASSIFICATION`}}},
	{name: "unknown class in a cell that does not decide", edit: func(rows [][]string) [][]string {
		rows[4] = []string{frame(3), "Epic", "", "common"}
		return rows
	}, totals: state.Totals{Keep: 40}},
	{name: "frozen frames stay exactly as they stand", edit: func(rows [][]string) [][]string {
		return cell(3, 1, "Epic")(cell(4, 2, "Epic")(rows))
	}, stand: map[dataset.Place][]int{{Dataset: "train", Class: "Rare"}: {3}, {Dataset: "train", Class: "Comon"}: {3}}, lone: []int{4}, gone: []int{3, 4},
		totals:   state.Totals{Keep: 38, Frozen: 2},
		problems: []state.Problem{{Row: 5, Frame: frame(3), Problem: `unknown class "Epic" in UNSUPERVISED`}, {Row: 6, Frame: frame(4), Problem: `unknown class "Epic" in SUPERVISED`}}},
	// frame twice, same class
	{name: "frame twice, same class", edit: more([]string{frame(3), "Rare", "Common"}),
		totals:   state.Totals{Keep: 40},
		problems: []state.Problem{{Row: 42, Frame: frame(3), Problem: "row 5 too, with the same class; counted once", Warning: true}}},
	// frame twice, different classes
	{name: "frame twice, different classes", edit: more([]string{frame(3), "Rare"}),
		totals:   state.Totals{Keep: 39, Frozen: 1},
		problems: []state.Problem{{Row: 42, Frame: frame(3), Problem: `different classes: "Common" there, "Rare" here`}}},
	{name: "frame twice, once without a class", edit: more([]string{frame(3), ""}),
		totals:   state.Totals{Keep: 39, Frozen: 1},
		problems: []state.Problem{{Row: 42, Frame: frame(3), Problem: `"Common" there, no class here`}}},
	// class, but no source image
	{name: "no source image", gone: []int{3},
		totals:   state.Totals{Keep: 39, Delete: 1},
		problems: []state.Problem{{Row: 5, Frame: frame(3), Problem: "no source image"}}},
	{name: "no source image, and it stands nowhere", gone: []int{3}, lone: []int{3},
		totals:   state.Totals{Keep: 39},
		problems: []state.Problem{{Row: 5, Frame: frame(3), Problem: "no source image"}}},
	{name: "neither a class nor a source image", edit: cell(3, 1, ""), gone: []int{3}, totals: state.Totals{Keep: 39, Delete: 1}},
	// source image without a row
	{name: "source image without a row", edit: without(3, 4), totals: state.Totals{Keep: 39, Delete: 1}},
	{name: "source image without a row, and it stands nowhere", edit: without(3, 4), lone: []int{3}, totals: state.Totals{Keep: 39}},
	{name: "unclassified", edit: cell(3, 1, " "), totals: state.Totals{Keep: 39, Delete: 1}},
	// the episode is held
	{name: "required column missing", edit: headed(func(h []string) []string { h[2] = "NOTES"; return h }),
		held: []string{`sheet "S01E01.csv"`, `expected the column "SUPERVISED CLASSIFICATION"`, `found "FRAME NUMBER", "UNSUPERVISED CLASSIFICATION", "NOTES"`}},
	{name: "required column twice", edit: headed(func(h []string) []string { return append(h, "frame  number") }),
		held: []string{`sheet "S01E01.csv"`, `expected one column "FRAME NUMBER"`, "found it in columns A and E"}},
	{name: "the header is gone", edit: func(rows [][]string) [][]string { return rows[1:] },
		held: []string{`sheet "S01E01.csv"`, "expected the column", frame(0)}},
	{name: "empty sheet", edit: func([][]string) [][]string { return nil },
		held: []string{`sheet "S01E01.csv"`, "expected a header and a row for each frame", "found an empty sheet"}},
	{name: "a header and no rows", edit: func(rows [][]string) [][]string { return rows[:1] },
		held: []string{`sheet "S01E01.csv"`, "expected a row for each frame", "found a header and no rows"}},
	{name: "base URI of another bucket", edit: based("https://s3.us-west-2.amazonaws.com/other-bucket/tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"),
		held: []string{`sheet "S01E01.csv"`, "expected the bucket media.angel-nft.com", `found another bucket, "other-bucket"`}},
	{name: "base URI of another episode", edit: based("s3://media.angel-nft.com/tuttle_twins/s01e02/default_eng/v1/frames/thumbnails/"),
		held: []string{`sheet "S01E01.csv"`, "expected the episode S01E01", `found another episode, "s01e02"`}},
	{name: "base URI lost", edit: based("#REF!"), held: []string{`sheet "S01E01.csv"`, "expected the base URI of the images", `in cell A1, found "#REF!"`}},
	{name: "base URI of a folder without images", edit: based("media.angel-nft.com/tuttle_twins/s01e01/default_eng/v1/frames/large/"),
		held: []string{`sheet "Frames of S01E01"`, "expected images of S01E01 under tuttle_twins/s01e01/default_eng/v1/frames/large/", "found none"}},
	{name: "no images, and a bad row", edit: more([]string{"x", "Rare"}), gone: seq(0, 40), held: []string{`sheet "Frames of S01E01"`, "found none"},
		problems: []state.Problem{{Row: 42, Frame: "x", Problem: "malformed"}}},
	{name: "base URI without the episode", edit: based("media.angel-nft.com/tuttle_twins/default_eng/v1/frames/thumbnails/"), totals: state.Totals{Keep: 40}},
	{name: "2 bad rows of 42 are within 5%", edit: more([]string{"x", "Rare"}, []string{"y", "Rare"}), totals: state.Totals{Keep: 40},
		problems: []state.Problem{{Row: 42, Frame: "x", Problem: "malformed"}, {Row: 43, Frame: "y", Problem: "malformed"}}},
	{name: "3 bad rows of 42 are not", edit: func(rows [][]string) [][]string {
		return cell(3, 3, "Epic")(more([]string{"x", "Rare"}, []string{"y", "Rare"})(rows))
	}, held: []string{`sheet "S01E01.csv"`, "expected at most 5% of the rows", "found 3 of 42 (7.1%)"},
		problems: []state.Problem{{Row: 5, Frame: frame(3), Problem: "unknown class"}, {Row: 42, Frame: "x", Problem: "malformed"}, {Row: 43, Frame: "y", Problem: "malformed"}}},
	// more deletions than the ceiling allows
	{name: "20 deletions are never too many", edit: without(0, 20), totals: state.Totals{Keep: 20, Delete: 20}},
	{name: "21 deletions of 40 are", edit: without(0, 21),
		held: []string{"would delete 21 of the 40 frames in the datasets (52.5%)", "more than the ceiling 10% (--max-delete, SHUFFLE_MAX_DELETE)", "--allow-delete S01E01"}},
	{name: "the images of 21 are gone", gone: seq(0, 21), held: []string{"would delete 21 of the 40 frames"}, problems: noImages(0, 21)},
	{name: "moves are no deletions", edit: func(rows [][]string) [][]string {
		for _, r := range rows[1:] {
			r[3] = "Rare"
		}
		return rows
	}, totals: state.Totals{Move: 40}},
	{name: "doubles that go are no deletions", stand: map[dataset.Place][]int{{Dataset: "train", Class: "Comon"}: seq(0, 40), {Dataset: "train"}: seq(0, 30)},
		totals: state.Totals{Keep: 0, Delete: 40}},
}

// rowless returns the problem of frames without a row in a sheet with unreadable rows.
func rowless(frames, rows int) state.Problem {
	return state.Problem{Problem: fmt.Sprintf("frames without a row (%d) are left as they stand: rows without a usable frame name (%d) may be theirs", frames, rows)}
}

func seq(from, to int) []int {
	var all []int
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

func noImages(from, to int) []state.Problem {
	var all []state.Problem
	for i := from; i < to; i++ {
		all = append(all, state.Problem{Row: i + 2, Frame: frame(i), Problem: "no source image"})
	}
	return all
}

// world returns the sheet, the images and the copies of an oddity.
func (o oddity) world() (cells [][]string, images []dataset.Frame, stand map[dataset.Place][]dataset.Frame) {
	all := frames(e1, oddFrames)
	cells = table("Common", all)
	if o.edit != nil {
		cells = o.edit(cells)
	}
	stand = map[dataset.Place][]dataset.Frame{}
	for i, f := range all {
		if !slices.Contains(o.gone, i) {
			images = append(images, f)
		}
		if !slices.Contains(o.lone, i) {
			stand[trainCommon] = append(stand[trainCommon], f)
		}
	}
	for p, indexes := range o.stand {
		for _, i := range indexes {
			stand[p] = append(stand[p], all[i])
		}
	}
	return cells, images, stand
}

// check compares the episode in the plan with the oddity.
func (o oddity) check(t *testing.T, totals state.Totals, problems []state.Problem, held string) {
	t.Helper()
	if totals != o.totals {
		t.Errorf("totals %+v, want %+v", totals, o.totals)
	}
	if len(o.held) == 0 && held != "" {
		t.Errorf("held: %s", held)
	}
	for _, part := range o.held {
		if !strings.Contains(held, part) {
			t.Errorf("held %q, want %q in it", held, part)
		}
	}
	for i := range max(len(problems), len(o.problems)) {
		if i >= len(problems) || i >= len(o.problems) {
			t.Fatalf("problems %+v, want %d", problems, len(o.problems))
		}
		got, want := problems[i], o.problems[i]
		if !strings.Contains(got.Problem, want.Problem) {
			t.Errorf("problem %q, want %q in it", got.Problem, want.Problem)
		}
		// Package rows tests these.
		got.Problem, got.Kind, got.Value, got.Column = want.Problem, "", "", ""
		if got != want {
			t.Errorf("problem %+v, want %+v", got, want)
		}
	}
}

// TestOddities is the table of DESIGN 4, tested with PlanEpisode alone.
func TestOddities(t *testing.T) {
	for _, o := range odd {
		t.Run(o.name, func(t *testing.T) {
			cells, images, stand := o.world()
			in := EpisodeInput{
				Episode: e1, Assign: &Assigner{Split: Split{{"train", 1}}, Seed: "7"}, Layout: layout, Same: sameETag, Ceiling: limit(t, "10%"),
				Images: map[dataset.Frame]string{}, Standing: dataset.Standing{},
			}
			for _, f := range images {
				in.Images[f] = "v1"
			}
			for p, all := range stand {
				for _, f := range all {
					in.Standing[f] = append(in.Standing[f], dataset.Copy{Place: p, ETag: "v1"})
				}
			}
			var err error
			in.Sheet, err = rows.Read(sheet.Values{Title: "S01E01.csv", Rows: cells}, rows.Options{
				Episode: e1, BucketNames: []string{"media.angel-nft.com"}, Prefix: layout.Prefix, ImageSize: "thumbnails", Classes: classes, MaxBad: limit(t, "5%"),
			})
			if err != nil {
				o.check(t, state.Totals{}, convert(in.Sheet.Problems), err.Error())
				return
			}
			if in.Sheet.Base != "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/" || len(images) == 0 {
				return // a property of the listing, see TestOdditiesInAPlan
			}
			out := PlanEpisode(in)
			out.Problems, _ = bounded(out.Problems)
			o.check(t, out.Totals, out.Problems, out.Held)
			if len(o.held) > 0 && (len(out.Tasks) > 0 || out.Totals != state.Totals{} || len(out.Expected) > 0) {
				t.Errorf("a held episode has %+v and %d tasks", out.Totals, len(out.Tasks))
			}
		})
	}
}

// TestOdditiesInAPlan is the same table, tested with a whole plan from the bucket and the folder of
// sheets. The other episode goes on. After the run the odd episode is as in the table.
func TestOdditiesInAPlan(t *testing.T) {
	for _, o := range odd {
		bubble(t, o.name, func(t *testing.T) {
			w := newWorld(t)
			w.bucket.page = 17
			w.manifest("S01", e1, e2)
			w.episode(e2, 5)
			cells, images, stand := o.world()
			w.sheet(e1, cells)
			w.images(images...)
			for p, all := range stand {
				w.stand(p, all...)
			}
			before := w.listing(layout.ML())
			plan := w.plan(Options{})
			got := of(plan, e1)
			o.check(t, got.Totals, got.Problems, got.Reason)
			if want := map[bool]string{true: state.EpisodeHeld, false: state.EpisodePlanned}[len(o.held) > 0]; got.State != want {
				t.Errorf("the episode is %s, want %s", got.State, want)
			}
			if other := of(plan, e2); other.State != state.EpisodePlanned || other.Totals != (state.Totals{Copy: 5}) || len(other.Problems) != 0 {
				t.Errorf("the other episode: %+v", other)
			}
			if plan.Tasks != 5+o.totals.Tasks() || len(w.sent()) != plan.Tasks || plan.State != state.Running {
				t.Errorf("%d tasks, %d of them sent, and the run is %s", plan.Tasks, len(w.sent()), plan.State)
			}
			w.apply()
			after := w.listing(layout.ML())
			if frozen := o.totals.Frozen; len(o.held) > 0 || frozen > 0 {
				for key, etag := range before {
					_, f, _ := layout.Parse(key)
					if i := f.Index(); (len(o.held) > 0 || i == 3 || i == 4) && after[key] != etag {
						t.Errorf("%s has changed", key)
					}
				}
			}
			if again := w.plan(Options{}); again.Tasks != 0 || again.State != state.Succeeded {
				t.Errorf("planned again: %d tasks, %s", again.Tasks, again.State)
			}
		})
	}
}
