package worlds

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/planner"
)

// judge checks every write against the guarantees (DESIGN 2).
type judge struct {
	world   *world
	plans   map[string]*planned // by run
	listed  int64               // the newest generation whose planner has listed the datasets
	inForce state.InForce       // the last settings.json that was written
	written int                 // number of keys written in the datasets
	verdict error               // the first guarantee that was broken
}

// planned is a saved plan, with the sheets that its planner read.
type planned struct {
	*state.Plan
	tasks []messages.Task
	read  sheets
}

func (j *judge) wrong(format string, args ...any) {
	if j.verdict == nil {
		j.verdict = fmt.Errorf(format, args...)
	}
}

// wantedPlaces is guarantee 1: the place where each frame should be.
func (j *judge) wantedPlaces(read sheets, settings state.Definition) map[string]string {
	split, err := planner.ParseSplit(settings.Split)
	j.world.must(err)
	assign := planner.Assigner{Split: split, Seed: settings.Seed}
	if settings.Group != "" {
		assign.Group, err = time.ParseDuration(settings.Group)
		j.world.must(err)
	}
	want := map[string]string{}
	for e, wished := range read {
		for i, class := range wished {
			f := dataset.FrameAt(e, i)
			name, ok := assign.Dataset(f)
			image, err := j.world.bucket.HeadObject(always, imageKey(f))
			if class != "" && ok && err == nil {
				want[layout.Key(dataset.Place{Dataset: name, Class: class}, f)] = image.ETag
			}
		}
	}
	return want
}

// put checks an object of the state that a process has just written.
func (j *judge) put(p *process, key string, body []byte) {
	switch name := strings.TrimPrefix(key, layout.State()); {
	case name == "current.json":
		var now state.Pointer
		j.world.must(json.Unmarshal(body, &now))
		j.pointer(p, now)
	case name == "settings.json":
		var now state.InForce
		j.world.must(json.Unmarshal(body, &now))
		j.settings(now)
	case name == state.LatestName:
		j.parts()
	case strings.HasSuffix(name, "/plan.json"):
		var plan state.Plan
		j.world.must(json.Unmarshal(body, &plan))
		j.plan(p, &plan)
	}
}

func (j *judge) plan(p *process, plan *state.Plan) {
	pl := &planned{Plan: plan, read: maps.Clone(p.read)}
	for chunk := range state.Chunks(plan.Tasks) {
		tasks, err := j.world.store.ReadTasks(always, plan.Run, chunk)
		if err != nil {
			j.wrong("the plan of %s is saved before its tasks: %v", plan.Run, err)
		}
		pl.tasks = append(pl.tasks, tasks...)
	}
	j.plans[plan.Run] = pl
}

// settings checks a change of settings.json. Guarantee 8: it records the settings of a plan, never
// of an older plan than before. The settings change only when a person wants that.
func (j *judge) settings(now state.InForce) {
	before := j.inForce
	j.inForce = now
	for _, p := range j.plans {
		if p.Generation != now.Generation || !p.Settings.Equal(now.Settings) || now.Generation < before.Generation {
			continue
		}
		var opt planner.Options
		j.world.must(json.Unmarshal(p.Options, &opt))
		if before.Exists() && !before.Settings.Equal(now.Settings) && !opt.Reshuffle && !opt.ChangeSettings {
			j.wrong("guarantee 8: generation %d changes the settings without being asked to, from %+v to %+v", now.Generation, before.Settings, now.Settings)
		}
		return
	}
	j.wrong("guarantee 8: after generation %d, settings.json has %+v of generation %d, which are no plan's", before.Generation, now.Settings, now.Generation)
}

// pointer checks a change of current.json. Guarantee 7: a succeeded run has the result that its
// plan describes.
func (j *judge) pointer(p *process, now state.Pointer) {
	if now.State == state.Planning {
		p.generation = now.Generation
	}
	if now.State != state.Succeeded {
		return
	}
	plan := j.plans[now.Run]
	if plan == nil {
		j.wrong("guarantee 7: %s has succeeded without a plan", now.Run)
		return
	}
	// Frames must not change when the plan does not include them or could not read their sheet.
	want, stands := plan.of(j.wantedPlaces(plan.read, plan.Settings.Definition)), plan.of(j.world.datasetETags())
	if !maps.Equal(want, stands) {
		j.wrong("guarantee 7: generation %d has succeeded\nand there stands %s\nwhere it planned  %s", now.Generation, keysOf(stands), keysOf(want))
	}
}

// of returns the keys of the planned episodes, without the ETags: an image that was replaced after
// its copy belongs to the next plan.
func (p *planned) of(all map[string]string) map[string]string {
	keys := map[string]string{}
	for key := range all {
		_, f, _ := layout.Parse(key)
		if _, ok := p.Digests[f.Episode()]; ok {
			keys[key] = ""
		}
	}
	return keys
}

func keysOf(all map[string]string) []string { return slices.Sorted(maps.Keys(all)) }

// lists records a listing of the datasets.
func (j *judge) lists(p *process) { j.listed = max(j.listed, p.generation) }

// copied and deleted check a key of the datasets that a worker has just changed. Guarantee 4: the
// change must belong to a task of the newest generation that has listed, or of a newer one.
func (j *judge) copied(p *process, key string) {
	j.written++
	if j.taskOf(func(t messages.Task) bool { return t.Dst == key }) == nil {
		j.wrong("guarantee 4: %s has copied to %s although generation %d has listed the datasets and has no such task", p.name, key, j.listed)
	}
}

// checkDeletion checks the deletion of an existing key. Guarantee 3: a frame that is wanted is
// never absent.
func (j *judge) checkDeletion(p *process, key string) {
	j.written++
	plan := j.taskOf(func(t messages.Task) bool { return slices.Contains(t.Del, key) })
	if plan == nil {
		j.wrong("guarantee 4: %s has deleted %s although generation %d has listed the datasets and has no such task", p.name, key, j.listed)
		return
	}
	_, f, _ := layout.Parse(key)
	same := func(k string) bool { _, g, _ := layout.Parse(k); return f == g }
	wanted := slices.ContainsFunc(keysOf(j.wantedPlaces(plan.read, plan.Settings.Definition)), same)
	if wanted && !slices.ContainsFunc(keysOf(j.world.datasetETags()), same) {
		j.wrong("guarantee 3: %s has deleted %s, and now %s stands nowhere although generation %d wants it", p.name, key, f, plan.Generation)
	}
}

// taskOf is the newest plan that has such a task and may act.
func (j *judge) taskOf(fits func(messages.Task) bool) (newest *planned) {
	for _, plan := range j.plans {
		if plan.Generation >= j.listed && slices.ContainsFunc(plan.tasks, fits) && (newest == nil || plan.Generation > newest.Generation) {
			newest = plan
		}
	}
	return newest
}

func (w *world) wrote(p *process, key string, body []byte) { w.judge.put(p, key, body) }

func (w *world) copy(p *process, src, dst, ifMatch string) (string, error) {
	etag, err := w.bucket.CopyObject(always, src, dst, ifMatch)
	if err == nil {
		w.judge.copied(p, dst)
	}
	return etag, err
}

// delete executes a request key by key, as S3 does.
func (w *world) delete(p *process, keys []string) ([]*bucket.Error, error) {
	for _, key := range keys {
		_, err := w.bucket.HeadObject(always, key)
		if _, derr := w.bucket.DeleteObjects(always, []string{key}); derr != nil {
			return nil, derr
		}
		switch {
		case err == nil && strings.HasPrefix(key, layout.ML()):
			w.judge.checkDeletion(p, key)
		case strings.HasPrefix(key, layout.State()):
			w.judge.parts()
		}
	}
	return nil, nil
}

// settled checks the world after the end: guarantees 1, 2, 3 and 7 for the run in force.
func (j *judge) settled() {
	w := j.world
	pointer := w.pointer()
	now, err := w.store.Settings(always)
	w.must(err)
	if pointer.State != state.Succeeded {
		j.wrong("guarantee 7: in the end the run is %s: %s", pointer.State, pointer.Reason)
	}
	if plan := j.plans[pointer.Run]; plan == nil || now.Generation != pointer.Generation || !now.Settings.Equal(plan.Settings.Definition) {
		j.wrong("guarantee 8: in the end generation %d is the newest, and the settings in force are %+v", pointer.Generation, now)
	}
	if want, stands := j.wantedPlaces(w.sheets, now.Settings), w.datasetETags(); !maps.Equal(want, stands) {
		j.wrong("guarantee 1: in the end there stands %v\nwhere there should be %v", stands, want)
	}
	for _, q := range []struct {
		name string
		left []string
	}{{tasksQueue, w.tasks.Bodies()}, {resultsQueue, w.results.Bodies()}, {lettersQueue, w.letters.Bodies()}} {
		if len(q.left) > 0 {
			j.wrong("guarantee 3: in the end there are messages on the queue %s: %q", q.name, q.left)
		}
	}
	for _, plan := range j.plans {
		j.accounted(plan)
	}
	j.checkVersion()
}

// parts checks that all parts of the latest version exist. Trainers use that version, and the next
// version shares its parts.
func (j *judge) parts() {
	c, err := version.OpenLatest(always, j.world.store)
	j.world.must(err)
	if c == nil {
		return
	}
	episodes, err := c.Episodes(always)
	j.world.must(err)
	for _, e := range episodes {
		if _, err := c.Stored(always, e); err != nil {
			j.wrong("the latest version, %d, has lost a part: %v", c.Version.Generation, err)
		}
	}
}

// accounted is guarantee 3: every task is in the ledger once, and is done when its run has
// succeeded.
func (j *judge) accounted(plan *planned) {
	status, err := state.ReadStatus(always, j.world.store, plan.Run)
	j.world.must(err)
	p, err := j.world.store.ReadProgress(always, plan.Run, plan.Tasks)
	j.world.must(err)
	if sum := p.Done + p.Dead + p.Superseded + p.Open; sum != plan.Tasks || p.Tasks != plan.Tasks {
		j.wrong("guarantee 3: the ledger of generation %d counts %+v of %d tasks", plan.Generation, p, plan.Tasks)
	}
	if status.State == state.Succeeded && p.Done != plan.Tasks {
		j.wrong("guarantee 3: generation %d has succeeded with %+v", plan.Generation, p)
	}
}

// checkVersion is guarantee 7 for trainers and readers: the latest version equals the datasets, and
// the report agrees.
func (j *judge) checkVersion() {
	w := j.world
	v, err := w.store.LatestVersion(always)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		w.must(err)
	}
	rows := map[string]string{}
	if v.Generation > 0 {
		all, err := versiontest.Rows(always, w.store, v)
		w.must(err)
		for _, r := range all {
			rows[layout.Key(r.Place, r.Frame)] = r.ETag
		}
	}
	if stands := w.datasetETags(); !maps.Equal(rows, stands) {
		j.wrong("guarantee 7: the latest version, %d, has %v\nand there stands %v", v.Generation, rows, stands)
	}
	r, err := w.store.ReadReport(always, w.pointer().Run)
	if err != nil || r.State != state.Succeeded || !r.Verified || r.Differences != 0 {
		j.wrong("guarantee 7: the report of the last run says %s, verified %t, %d differences; %v", r.State, r.Verified, r.Differences, err)
	}
}
