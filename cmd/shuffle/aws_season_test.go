package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// shuffle plan --dry-run, run, plan, run, verify, doctor: a season in the three styles of sheets
// with their peculiarities, over datasets in disorder. First unchanged, then with ten edits and
// sorted rows, and then with images that someone has damaged.
func wireSeason(w *wire) {
	// The fourth episode is held, which another test covers.
	w.season.Episodes = w.season.Episodes[:3]
	w.writeSeason()
	for _, e := range w.season.Episodes {
		w.disorder(e)
	}
	w.litter()

	before := w.list()
	want := w.want(before, w.season.Episodes)
	tasks := changed(before, want)
	plan := w.plan(0, "--dry-run", "--seed", wireSeed)
	if plan.Tasks != tasks || plan.Totals.Tasks() != tasks || min(plan.Totals.Copy, plan.Totals.Move, plan.Totals.Refresh, plan.Totals.Delete) == 0 {
		w.t.Errorf("dry run: %d tasks, %+v; expected %d, of every kind", plan.Tasks, plan.Totals, tasks)
	}
	w.mustBeUntouched(before, "")
	w.wireOrphans(plan)

	if s := w.status(0, "run", "--seed", wireSeed); s.State != state.Succeeded || s.Tasks != tasks || s.Done != tasks {
		w.t.Errorf("first run: %+v, expected %d tasks, all done", s, tasks)
	}
	w.mustHold(want)
	w.mustHaveVersion()

	before = w.list()
	if plan := w.plan(0); plan.Tasks != 0 || plan.State != state.Succeeded {
		w.t.Errorf("an unchanged world plans %d tasks and is %s", plan.Tasks, plan.State)
	}
	w.mustBeUntouched(before, stateFolder)

	w.tenEdits()
	w.spoiltImages()
	w.run(0, "doctor")
}

// tenEdits relabels ten frames and sorts the rows of every sheet, as people do.
func (w *wire) tenEdits() {
	w.t.Helper()
	before := w.list()
	for i, n := range []int{4, 3, 3} {
		w.season.Episodes[i].Relabel(n)
		w.season.Episodes[i].Sort()
	}
	w.writeSheets()
	s := w.status(0, "run")
	if s.State != state.Succeeded || s.Tasks != 10 || s.Outcomes["moved"] != 10 {
		w.t.Errorf("after ten edits: %+v", s)
	}
	w.mustHold(w.want(before, w.season.Episodes))
	w.mustHaveVersion()
	if now := w.status(0, "status"); now.Run != s.Run || now.Done != 10 || now.Differences != 0 {
		w.t.Errorf("status: %+v", now)
	}
}

// spoiltImages deletes an image of a dataset and replaces another one.
func (w *wire) spoiltImages() {
	w.t.Helper()
	before := w.list()
	classes, _ := w.season.Episodes[0].Wanted()
	frames := slices.Sorted(maps.Keys(classes))
	w.remove(home(frames[0], classes[frames[0]]))
	w.put(home(frames[1], classes[frames[1]]), []byte("spoilt"))
	var found struct {
		Differences int                `json:"differences"`
		List        []state.Difference `json:"difference_list"`
	}
	if w.read(&found, 1, "verify", "--json"); found.Differences != 2 || len(found.List) != 2 ||
		found.List[0].Frame != frames[0] || found.List[1].Frame != frames[1] {
		w.t.Errorf("verify: %+v", found)
	}
	if s := w.status(0, "run"); s.Tasks != 2 || s.Outcomes["copied"] != 1 || s.Outcomes["refreshed"] != 1 {
		w.t.Errorf("after two were spoilt: %+v", s)
	}
	w.mustHold(w.want(before, w.season.Episodes))
	w.run(0, "verify")
}

// disorder puts images of the episode into the datasets, as years of manual work have left them:
// wrong, duplicate, stale, and of frames that belong in no dataset.
func (w *wire) disorder(e *season.Episode) {
	w.t.Helper()
	classes, frozen := e.Wanted()
	for i, f := range slices.Sorted(maps.Keys(classes))[:50] {
		image, err := e.Image(f)
		if err != nil {
			w.t.Fatal(err)
		}
		right, misspelt, loose := home(f, classes[f]), mlFolder+"train/rare/"+f.File(), mlFolder+"test/"+f.File()
		switch i % 5 {
		case 0: // in the right place
			w.put(right, image)
		case 1: // in a wrong place
			w.put(misspelt, image)
		case 2: // in two places
			w.put(right, image)
			w.put(misspelt, image)
			w.put(loose, image)
		case 3: // stale content
			w.put(right, []byte("an earlier render"))
		case 4: // in two places, with stale content, and in no right place
			w.put(misspelt, []byte("an earlier render"))
			w.put(loose, image)
		}
	}
	nowhere := append(slices.Clone(e.Oddities.WithoutImage), e.Oddities.WithoutRow...)
	nowhere = append(nowhere, dataset.FrameAt(e.Episode, 50_000))
	for _, f := range append(nowhere, slices.Collect(maps.Keys(frozen))...) {
		w.put(mlFolder+"validate/Junk/"+f.File(), []byte("image of "+f))
		w.put(mlFolder+"train/Common/"+f.File(), []byte("image of "+f))
	}
}

// litter puts foreign objects beside the datasets and into them.
func (w *wire) litter() {
	const frame = "TT_S01_E01_FRM-00-00-00-00"
	for _, key := range []string{
		mlFolder + "train/Rare/TT_S02_E01_FRM-00-00-00-00.jpg", mlFolder + "test/Junk/TT_S01_E09_FRM-00-00-00-00.jpg",
		mlFolder + "README.md", mlFolder + "train/Rare/notes.txt", mlFolder + "train/Rare/" + frame + ".png",
		mlFolder + "train/Rare/" + frame + " (1).jpg", mlFolder + "train/Rare/ä+%20.jpg", mlFolder + "train/Rare/deep/" + frame + ".jpg",
		mlFolder + "archive/Rare/" + frame + ".jpg", mlFolder + frame + ".jpg", "tuttle_twins/ML2/train/Rare/" + frame + ".jpg",
		"other_series/ML/train/Rare/" + frame + ".jpg", "ML/train/Rare/" + frame + ".jpg", "tuttle_twins/s01e01/notes.txt",
	} {
		w.put(key, []byte("do not touch "+key))
	}
}

// wireOrphans: the episodes of the litter that no manifest names are reported.
func (w *wire) wireOrphans(plan state.Plan) {
	w.t.Helper()
	want := []state.Orphan{{Episode: "S01E09", Places: []string{"test/Junk"}}, {Episode: "S02E01", Places: []string{"train/Rare"}}}
	if !slices.EqualFunc(plan.Orphans, want, func(a, b state.Orphan) bool { return a.Episode == b.Episode && slices.Equal(a.Places, b.Places) }) {
		w.t.Errorf("orphans %+v, want %+v", plan.Orphans, want)
	}
}

// mustHaveVersion compares the latest dataset version with a listing: every frame of every dataset,
// with its ETag.
func (w *wire) mustHaveVersion() {
	w.t.Helper()
	var latest struct{ Folder string }
	if err := json.Unmarshal(w.get(stateFolder+"versions/latest.json"), &latest); err != nil {
		w.t.Fatal(err)
	}
	got, want := map[string]string{}, map[string]string{}
	for _, name := range []string{"train", "validate", "test"} {
		rows, err := csv.NewReader(bytes.NewReader(w.get(stateFolder + latest.Folder + "/" + name + ".csv"))).ReadAll()
		if err != nil {
			w.t.Fatal(err)
		}
		for _, row := range rows[1:] {
			got[row[2]] = row[3]
		}
	}
	for key, o := range w.list() {
		if _, ok := frameAt(key); ok {
			want[key] = o.etag
		}
	}
	if !maps.Equal(got, want) {
		w.t.Errorf("version %s has %d images, a listing %d, or they differ", latest.Folder, len(got), len(want))
	}
}
