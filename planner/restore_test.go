package planner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
	"github.com/angel-nft/google-shuffle/messages"
)

var (
	trainRare = dataset.Place{Dataset: "train", Class: "Rare"}
	testRare  = dataset.Place{Dataset: "test", Class: "Rare"}
)

// TestRestoreEpisode is the table in the comment of RestoreEpisode. The frame was in train/Rare
// with the content v1.
func TestRestoreEpisode(t *testing.T) {
	f := dataset.FrameAt(e1, 0)
	at := func(p dataset.Place, etag string) dataset.Copy { return dataset.Copy{Place: p, ETag: etag} }
	once := []version.Row{{Place: trainRare, Frame: f, ETag: "v1", SrcETag: "v1"}}
	twice := append(slices.Clone(once), version.Row{Place: testRare, Frame: f, ETag: "v1", SrcETag: "v1"})
	kms := []version.Row{{Place: trainRare, Frame: f, ETag: "k1", SrcETag: "v1"}}
	for _, test := range []struct {
		name    string
		version []version.Row
		stands  []dataset.Copy
		source  string
		want    Change
		problem string
	}{
		{"not in the version, stands", nil, []dataset.Copy{at(testRare, "v1")}, "v1", Change{Op: messages.Delete, Del: []dataset.Place{testRare}}, ""},
		{"as it stood", once, []dataset.Copy{at(trainRare, "v1")}, "v1", Change{Keep: true}, ""},
		{"as it stood, the source is gone", once, []dataset.Copy{at(trainRare, "v1")}, "", Change{Keep: true}, ""},
		{"as it stood, the source has changed", once, []dataset.Copy{at(trainRare, "v1")}, "v2", Change{Keep: true}, ""},
		{"as it stood and elsewhere, the source is gone", once, []dataset.Copy{at(trainRare, "v1"), at(testRare, "v2")}, "", Change{Op: messages.Delete, Del: []dataset.Place{testRare}}, ""},
		{"nowhere", once, nil, "v1", Change{Op: messages.Copy}, ""},
		{"elsewhere", once, []dataset.Copy{at(testRare, "v1")}, "v1", Change{Op: messages.Move, Del: []dataset.Place{testRare}}, ""},
		{"other content", once, []dataset.Copy{at(trainRare, "v2")}, "v1", Change{Op: messages.Refresh}, ""},
		{"elsewhere, the source has changed", once, []dataset.Copy{at(testRare, "v1")}, "v2", Change{Frozen: true}, "has changed since version 3 (ETag v2, in the version v1)"},
		{"elsewhere, the source is gone", once, []dataset.Copy{at(testRare, "v1")}, "", Change{Frozen: true}, "its source image is gone"},
		{"nowhere, the source is gone", once, nil, "", Change{Frozen: true}, "its source image is gone"},
		{"a copy with an ETag of its own, as it stood", kms, []dataset.Copy{at(trainRare, "k1")}, "v1", Change{Keep: true}, ""},
		{"a copy with an ETag of its own, the source has changed", kms, []dataset.Copy{at(trainRare, "k1")}, "v2", Change{Keep: true}, ""},
		{"twice, as it stood", twice, []dataset.Copy{at(trainRare, "v1"), at(testRare, "v1")}, "v1", Change{Frozen: true}, ""},
		{"twice, one is gone", twice, []dataset.Copy{at(trainRare, "v1")}, "v1", Change{Frozen: true}, "stands in train/Rare and test/Rare in version 3"},
	} {
		in := EpisodeInput{Episode: e1, Images: map[dataset.Frame]string{}, Standing: dataset.Standing{}, Layout: layout, Same: sameETag,
			Assign: &Assigner{Split: Split{{"train", 1}}}}
		in.Sheet.Base = "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"
		if test.source != "" {
			in.Images[f] = test.source
		}
		if len(test.stands) > 0 {
			in.Standing[f] = test.stands
		}
		out := RestoreEpisode(in, 3, test.version)
		got := Change{Keep: out.Totals.Keep == 1, Frozen: out.Totals.Frozen == 1}
		for _, task := range out.Tasks {
			got.Op = task.Op
			for _, key := range task.Del {
				p, _, _ := layout.Parse(key)
				got.Del = append(got.Del, p)
			}
			if task.Op != messages.Delete && (task.SrcETag != "v1" || task.Dst != layout.Key(trainRare, f)) {
				t.Errorf("%s: task %+v", test.name, task)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
		problems := fmt.Sprint(out.Problems)
		if (len(out.Problems) > 0) != (test.problem != "") || !strings.Contains(problems, test.problem) {
			t.Errorf("%s: problems %s, expected %q", test.name, problems, test.problem)
		}
	}
}

// From any copies and any sources, a restore leads to the version, except for the frames that it
// refuses. These are unchanged, and the next plan has no task.
func TestRestoreLeadsToTheVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		had := map[string]string{} // key → ETag
		var restored []version.Row
		for i := range modelFrames {
			f := dataset.FrameAt(e1, i)
			for _, p := range rapid.SliceOfNDistinct(rapid.SampledFrom(modelPlaces), 0, 2, rapid.ID[dataset.Place]).Draw(t, "stood") {
				etag := rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "version")
				had[layout.Key(p, f)] = etag
				restored = append(restored, version.Row{Place: p, Frame: f, ETag: etag, SrcETag: etag})
			}
		}
		before := m.episodeKeys()
		in := m.input(t)
		in.Sheet.Base = "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"
		out := RestoreEpisode(in, 3, restored)
		m.run(t, out.Tasks)
		refused := map[dataset.Frame]bool{}
		for _, p := range out.Problems {
			refused[dataset.Frame(p.Frame)] = true
		}
		want := map[string]string{}
		for _, from := range []struct {
			keys    map[string]string
			refused bool
		}{{before, true}, {had, false}} {
			for key, etag := range from.keys {
				if _, f, _ := layout.Parse(key); refused[f] == from.refused {
					want[key] = etag
				}
			}
		}
		if diff := cmp.Diff(want, m.episodeKeys()); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		in.Standing = m.standing()
		if again := RestoreEpisode(in, 3, restored); len(again.Tasks) != 0 || len(again.Problems) != len(out.Problems) {
			t.Fatalf("again: %+v, problems %v, at first %v", again.Tasks, again.Problems, out.Problems)
		}
	})
}

// publishVersion publishes the copies as a version of the run in force.
func (w *world) publishVersion(plan *state.Plan) state.Version {
	w.t.Helper()
	var all []version.Row
	digests := map[dataset.Episode]string{}
	for key, etag := range w.listing(layout.ML()) {
		if p, f, ok := layout.Parse(key); ok {
			all = append(all, version.Row{Place: p, Frame: f, ETag: etag, SrcETag: etag})
			digests[f.Episode()] = "x"
		}
	}
	v, err := versiontest.Publish(context.Background(), w.store, state.Version{
		Generation: plan.Generation, Run: plan.Run, Settings: plan.Settings, Bases: plan.Bases, Digests: digests}, all)
	w.must(err)
	return v
}

// restorable runs a test with a world of two episodes and a version. After the version everything
// has changed: a row is relabelled, one is removed and one added, an episode is added, and the seed
// is another one.
func restorable(t *testing.T, test func(t *testing.T, w *world, v state.Version, stood map[string]string)) {
	bubble(t, "", func(t *testing.T) {
		w := newWorld(t)
		w.config.Split = Split{{"train", 0.5}, {"test", 0.5}}
		w.manifest("S01", e1, e2)
		first, second := w.episode(e1, 30), w.episode(e2, 30)
		w.sheet(e1, table("Common", first[:29]))
		v := w.publishVersion(w.converge(Options{Seed: "first"}))
		stood := w.listing(layout.ML())

		w.manifest("S01", e1, e2, "S01E03")
		w.episode("S01E03", 10)
		w.sheet(e1, cell(3, 1, "Rare")(table("Common", first)))
		w.sheet(e2, table("Common", second[1:]))
		w.converge(Options{Reshuffle: true, Seed: "second"})
		if maps.Equal(stood, w.listing(layout.ML())) {
			t.Fatal("nothing has changed")
		}
		test(t, w, v, stood)
	})
}

func TestRestore(t *testing.T) {
	restorable(t, func(t *testing.T, w *world, v state.Version, stood map[string]string) {
		w.put(layout.Manifests()+"S01-episodes.json", "broken") // a restore does not read it
		before := w.listing("")
		dry := w.plan(Options{Restore: v.Generation, DryRun: true})
		same(t, before, w.listing(""))
		plan := w.converge(Options{Restore: v.Generation})
		if dry.Totals != plan.Totals || plan.Restores != v.Generation || plan.Settings.Seed != "first" {
			t.Errorf("plan %+v of version %d with seed %s, in the dry run %+v", plan.Totals, plan.Restores, plan.Settings.Seed, dry.Totals)
		}
		same(t, stood, w.listing(layout.ML()))
		if again := w.plan(Options{Restore: v.Generation}); again.Tasks != 0 || again.State != state.Succeeded {
			t.Errorf("again: %d tasks, %s", again.Tasks, again.State)
		}
		// The restore brings the seed back, so unchanged sheets move nothing.
		w.manifest("S01", e1, e2)
		w.sheet(e1, table("Common", frames(e1, 29)))
		w.sheet(e2, table("Common", frames(e2, 30)))
		if next := w.plan(Options{}); next.Tasks != 0 {
			t.Errorf("with the old sheets: %+v", next.Totals)
		}
	})
}

func TestRestoreOfOneEpisode(t *testing.T) {
	restorable(t, func(t *testing.T, w *world, v state.Version, stood map[string]string) {
		now := w.listing(layout.ML())
		plan := w.converge(Options{Restore: v.Generation, Episodes: []dataset.Episode{e1}})
		if plan.Settings.Seed != "second" {
			t.Errorf("the seed is %s: the other episodes would move", plan.Settings.Seed)
		}
		got := w.listing(layout.ML())
		want := map[string]string{}
		for key, etag := range stood {
			if strings.Contains(key, "S01_E01") {
				want[key] = etag
			}
		}
		for key, etag := range now {
			if !strings.Contains(key, "S01_E01") {
				want[key] = etag
			}
		}
		same(t, want, got)
	})
}

func TestRestoreIsRefused(t *testing.T) {
	restorable(t, func(t *testing.T, w *world, v state.Version, _ map[string]string) {
		before := w.listing("")
		for _, opt := range []Options{{Restore: 77}, {Restore: v.Generation, Episodes: []dataset.Episode{"S01E03"}}} {
			if _, err := w.planner().Plan(context.Background(), opt); !errors.Is(err, ErrUsage) {
				t.Errorf("%+v: %v", opt, err)
			}
		}
		same(t, before, w.listing(""))
	})
}

// The ceiling applies to a restore: an episode that was added since is deleted only with
// --allow-delete.
func TestRestoreUnderTheCeiling(t *testing.T) {
	restorable(t, func(t *testing.T, w *world, v state.Version, stood map[string]string) {
		many := w.episode("S01E03", 30)
		w.converge(Options{})
		plan := w.converge(Options{Restore: v.Generation})
		e := of(plan, "S01E03")
		if e.State != state.EpisodeHeld || !strings.Contains(e.Reason, fmt.Sprintf("would delete %d", len(many))) ||
			!strings.Contains(e.Reason, fmt.Sprintf("shuffle restore %d --allow-delete S01E03", v.Generation)) {
			t.Errorf("S01E03 is %s: %s", e.State, e.Reason)
		}
		w.converge(Options{Restore: v.Generation, AllowDelete: []dataset.Episode{"S01E03"}})
		same(t, stood, w.listing(layout.ML()))
	})
}

// An empty listing of source images counts as broken: the episode is held.
func TestRestoreWithoutImages(t *testing.T) {
	restorable(t, func(t *testing.T, w *world, v state.Version, _ map[string]string) {
		for _, f := range frames(e1, 30) {
			w.remove(imageKey(f))
		}
		if e := of(w.plan(Options{Restore: v.Generation}), e1); e.State != state.EpisodeHeld || !strings.Contains(e.Reason, "expected images of S01E01") {
			t.Errorf("S01E01 is %s: %s", e.State, e.Reason)
		}
	})
}

func TestRestoreReviewedAndApplied(t *testing.T) {
	restorable(t, func(t *testing.T, w *world, v state.Version, stood map[string]string) {
		plan := w.plan(Options{Restore: v.Generation, Review: true})
		relabelled := frames(e1, 4)[3]
		w.put(imageKey(relabelled), "repainted")
		var changed *ChangedError
		if _, err := w.planner().Apply(context.Background(), plan.Run); !errors.As(err, &changed) {
			t.Errorf("applied after a change: %v", err)
		}
		w.images(relabelled)
		applied, err := w.planner().Apply(context.Background(), plan.Run)
		w.must(err)
		w.apply()
		if applied.Restores != v.Generation {
			t.Errorf("applied %+v", applied)
		}
		same(t, stood, w.listing(layout.ML()))
	})
}

// A restore refuses rows that point outside the datasets. For a CSV file, which has all rows, it
// fails before a run starts. For a part, it holds the episode.
func TestRestoreOfHostileVersion(t *testing.T) {
	restorable(t, func(t *testing.T, w *world, v state.Version, _ map[string]string) {
		rows, err := versiontest.Rows(t.Context(), w.store, v)
		w.must(err)
		v, err = versiontest.PublishFormat1(t.Context(), w.store, v, rows)
		w.must(err)
		body := "file_name,label,key,etag,source_etag,frame\ntrain/../" + frames(e1, 1)[0].File() + ",x,x,1,1,x\n"
		_, err = w.store.Write(context.Background(), state.VersionName(v.Generation, "train.csv"), []byte(body), bucket.Condition{})
		w.must(err)
		before := w.listing("")
		if plan, err := w.planner().Plan(context.Background(), Options{Restore: v.Generation}); err == nil {
			t.Errorf("planned %+v", plan.Totals)
		}
		same(t, before, w.listing(""))
	})
	restorable(t, func(t *testing.T, w *world, v state.Version, _ map[string]string) {
		rows, err := versiontest.Rows(t.Context(), w.store, v)
		w.must(err)
		for i, r := range rows {
			if r.Frame.Episode() == e1 {
				rows[i].Place = dataset.Place{Dataset: "..", Class: ".."}
			}
		}
		elsewhere := &state.Store{Bucket: &membucket.Bucket{}, Layout: layout}
		_, err = versiontest.Publish(t.Context(), elsewhere, v, rows)
		w.must(err)
		for page, err := range bucket.Pages(t.Context(), elsewhere.Bucket, bucket.ListInput{Prefix: layout.State() + state.VersionName(v.Generation, "")}) {
			w.must(err)
			for _, o := range page.Objects {
				c, err := elsewhere.Bucket.GetObject(t.Context(), o.Key, "")
				w.must(err)
				if strings.Contains(o.Key, "/parts/") || strings.HasSuffix(o.Key, "/snapshot.json") {
					w.put(o.Key, string(c.Body))
				}
			}
		}
		before := w.listing(layout.ML())
		plan := w.plan(Options{Restore: v.Generation, DryRun: true})
		if e := of(plan, e1); e.State != state.EpisodeHeld || !strings.Contains(e.Reason, "which is no class of ..") {
			t.Errorf("S01E01 is %s: %s", e.State, e.Reason)
		}
		same(t, before, w.listing(layout.ML()))
	})
}
