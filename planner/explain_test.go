package planner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	film "github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

func (w *world) explain(f dataset.Frame) *why.Explanation {
	w.t.Helper()
	x, err := w.planner().Explain(context.Background(), f)
	w.must(err)
	return x
}

func TestExplain(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		w := newWorld(t)
		w.config.Split, w.config.MaxBadRows = Split{{"train", 0.75}, {"test", 0.25}}, limit(t, "50%")
		w.manifest("S01", e1)
		all := w.episode(e1, 4)
		w.sheet(e1, [][]string{header, {string(all[0]), "Common", "Junk", " rare "}, {string(all[1]), "Common"}, {string(all[2]), "Epic"}, {string(all[3]), ""}})
		before := w.listing("")
		if x := w.explain(all[0]); x.Split.Seed != "" || x.Change != "copy" {
			t.Errorf("before the first run: %+v", x)
		}
		same(t, before, w.listing(""))
		w.converge(Options{Seed: "seed"})

		u := Position("seed", string(all[0]))
		name := w.config.Split.At(u)
		etag := w.listing(imageKey(all[0]))[imageKey(all[0])]
		place := why.Copy{Object: why.Object{Key: layout.Key(dataset.Place{Dataset: name, Class: "Rare"}, all[0]), ETag: etag}, Dataset: name, Class: "Rare", Current: true}
		want := &why.Explanation{
			Frame: all[0], Episode: e1,
			Sheet:  why.Sheet{Title: w.explain(all[1]).Sheet.Title, URL: "https://docs.google.com/spreadsheets/d/S01E01/edit#gid=0"},
			Rows:   []why.Row{{Row: 2, Jonny: "rare", Supervised: "Junk", Unsupervised: "Common", Deciding: "JONNY's RECLASSIFICATION"}},
			Class:  "Rare",
			Source: why.Object{Key: imageKey(all[0]), ETag: etag},
			Split: why.Split{Unit: string(all[0]), Seed: "seed", U: u, Line: u, Dataset: name,
				Shares: []why.Share{{Dataset: "train", From: 0, To: 0.75}, {Dataset: "test", From: 0.75, To: 1}}},
			Stands: []why.Copy{place}, Wanted: &place, Change: "keep",
			Problems: []state.Problem{}, Operations: []why.Operation{},
		}
		if diff := cmp.Diff(want, w.explain(all[0])); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if x := w.explain(all[2]); !strings.Contains(x.Frozen, `unknown class "Epic"`) || x.Change != "" || len(x.Problems) != 1 {
			t.Errorf("of an unknown class: %+v", x)
		}
		if x := w.explain(all[3]); x.Class != "" || x.Change != "" || x.Wanted != nil || x.Frozen != "" || len(x.Rows) != 1 {
			t.Errorf("unclassified: %+v", x)
		}
	})
}

// A reason to hold an episode holds its frames. The explanation still has their copies.
func TestExplainHeld(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(w *world, all []dataset.Frame)
		want   string
		rows   int
	}{
		{"a sheet that cannot be read", func(w *world, _ []dataset.Frame) { w.sheets.fail[string(e1)] = sheet.ErrPermission }, sheet.ErrPermission.Error(), 0},
		{"an empty sheet", func(w *world, _ []dataset.Frame) { w.sheet(e1, nil) }, "empty sheet", 0},
		{"a required column is missing", func(w *world, all []dataset.Frame) { w.sheet(e1, [][]string{header[:3], {string(all[0])}}) }, "expected the column", 0},
		{"too many bad rows", func(w *world, all []dataset.Frame) {
			w.sheet(e1, [][]string{header, {string(all[0]), "Common"}, {"nonsense", "Common"}})
		}, "expected at most 5%", 1},
		{"the ceiling", func(w *world, all []dataset.Frame) { w.sheet(e1, table("Common", all[:1])) }, "--allow-delete S01E01", 1},
		{"a manifest that cannot be read", func(w *world, _ []dataset.Frame) { w.put(layout.Manifests()+"S01-episodes.json", "broken") }, "S01-episodes.json", 0},
		{"no manifest names it", func(w *world, _ []dataset.Frame) { w.manifest("S01", e2) }, "no manifest names S01E01", 0},
	} {
		bubble(t, test.name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			all := w.episode(e1, 30)
			w.converge(Options{})
			test.change(w, all)
			x := w.explain(all[0])
			if !strings.Contains(x.Held, test.want) || x.Change != "" || len(x.Rows) != test.rows {
				t.Errorf("held: %q, expected something of %q; %+v", x.Held, test.want, x)
			}
			if len(x.Stands) != 1 || x.Stands[0].Key != layout.Key(trainCommon, all[0]) {
				t.Errorf("it stands at %+v", x.Stands)
			}
		})
	}
}

func TestExplainWhatIsLeftOut(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		w := newWorld(t)
		w.config.Split, w.config.Group, w.config.Guard = Split{{"train", 0.5}, {"test", 0.5}}, time.Second, 2
		w.manifest("S01", e1)
		all := w.episode(e1, 240)
		seed := ""
		for i := 0; seed == ""; i++ { // a seed that puts a border between the first two blocks
			try := fmt.Sprint(i)
			if w.config.Split.At(Position(try, Unit(all[0], time.Second))) != w.config.Split.At(Position(try, Unit(all[24], time.Second))) {
				seed = try
			}
		}
		w.converge(Options{Seed: seed})
		if x := w.explain(all[23]); !strings.Contains(x.Split.LeftOut, "SHUFFLE_GUARD") || x.Split.Dataset != "" || x.Split.Unit != "S01E01/1s/0" {
			t.Errorf("at a border: %+v", x.Split)
		}
		w.config.MaxDelete = limit(t, "100%")
		w.change(func(c *Config) { c.Guard, c.Subsample = 0, 1000 })
		if x := w.explain(all[0]); !strings.Contains(x.Split.LeftOut, "SHUFFLE_SUBSAMPLE") || x.Change != "delete" {
			t.Errorf("subsampled: %+v", x)
		}
		w.change(func(c *Config) { c.Subsample, c.Stratify = 1, true })
		if x := w.explain(all[0]); !x.Split.Stratified || x.Split.Line == x.Split.U || w.config.Split.At(x.Split.Line) != x.Split.Dataset {
			t.Errorf("stratified: %+v", x.Split)
		}
	})
}

// For every frame of a season with oddities and edits, the explanation agrees with the plan.
func TestExplainAgreesWithThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Split = usualSplit
		s, err := film.Generate(film.Options{Episodes: 1, Frames: 120, Oddities: true, Prefix: layout.Prefix})
		w.must(err)
		e := s.Episodes[0]
		for _, f := range e.Images {
			w.put(e.ImagePrefix()+f.File(), imageOf(f))
		}
		w.must(s.WriteManifest(context.Background(), w.bucket.Bucket))
		w.must(s.WriteSheets(w.dir))
		w.converge(Options{})
		e.Relabel(5)
		e.RemoveRows(3)
		e.InsertRows(2, "Rare") // without images
		for _, f := range e.Repaint(4) {
			w.put(e.ImagePrefix()+f.File(), "repainted")
		}
		w.stand(dataset.Place{Dataset: "test", Class: "Rarr"}, e.Images[:4]...)
		w.must(s.WriteSheets(w.dir))

		want := map[dataset.Frame]messages.Op{}
		in, err := w.planner().readInputs(context.Background(), Options{DryRun: true}, nil)
		w.must(err)
		_, err = in.plan(context.Background(), purpose{onTask: func(task messages.Task) { want[task.Frame] = task.Op }})
		w.must(err)
		_, frozen := e.Wanted()
		kinds := map[messages.Op]bool{}
		some := slices.Concat(slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(frozen)), e.Images[40:50])
		for _, f := range some {
			x := w.explain(f)
			if x.Held != "" || (x.Frozen != "") != frozen[f] || messages.Op(strings.Replace(x.Change, "keep", "", 1)) != want[f] {
				t.Errorf("%s: held %q, frozen %q, %q; the plan has %q", f, x.Held, x.Frozen, x.Change, want[f])
			}
			kinds[want[f]] = true
		}
		if got := slices.Sorted(maps.Keys(kinds)); len(got) != 4 { // refresh, move, delete, nothing
			t.Errorf("the plan had %q only", got)
		}
	})
}
