package faults_test

import (
	"context"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

func (w *world) settingsKey() string { return w.layout().State() + "settings.json" }

// forget deletes settings.json, as a person does.
func (w *world) forget(ctx context.Context) error {
	w.front.Did(faults.Deleted, "")
	_, err := w.bucket.DeleteObjects(ctx, []string{w.settingsKey()})
	return err
}

// truncate removes the second half of settings.json.
func (w *world) truncate(ctx context.Context) error {
	c, err := w.bucket.GetObject(ctx, w.settingsKey(), "")
	if err != nil {
		return err
	}
	_, err = w.bucket.PutObject(ctx, w.settingsKey(), c.Body[:len(c.Body)/2], bucket.Condition{})
	return err
}

// expectRefusal runs plan, which must end with exit code 2, print these texts, and begin no run.
func (w *world) expectRefusal(t *testing.T, things ...string) {
	t.Helper()
	before, err := w.store.Current(t.Context(), state.PointerSnapshot{})
	must(t, err)
	p, err := w.start("refused", "plan")
	must(t, err)
	if code, err := p.code(t.Context()); err != nil || code != 2 {
		t.Errorf("exit code %d, %v; expected 2", code, err)
	}
	expectText(t, p.stderrText(t), append(things, "settings.json")...)
	after, err := w.store.Current(t.Context(), state.PointerSnapshot{})
	must(t, err)
	if after.Generation != before.Generation || after.Run != before.Run {
		t.Errorf("run %s was begun", after.Run)
	}
}

// TestSettingsAreDeleted deletes the settings in the middle of the first run and between two runs.
// They are restored from the other state, and no frame changes its dataset.
func TestSettingsAreDeleted(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, services("w1", "t1")), t.Context()
	first := make(chan error, 1)
	w.front.Add(faults.Rule{Kind: faults.Event, From: "w1", Op: "CopyObject", First: 20, Do: func(faults.Request) { first <- w.forget(ctx) }})
	plan, err := w.plan(ctx, 0)
	must(t, err)
	must(t, <-first)
	again, err := w.run(ctx, "--supersede")
	must(t, err)
	must(t, w.forget(ctx))
	must(t, w.relabel(5))
	next, err := w.run(ctx)
	must(t, err)
	if again.Settings.Seed != plan.Settings.Seed || next.Settings.Seed != plan.Settings.Seed || next.Tasks != 5 {
		t.Errorf("seeds %q, %q, %q; the third plan has %d tasks, expected 5", plan.Settings.Seed, again.Settings.Seed, next.Settings.Seed, next.Tasks)
	}
	must(t, w.converge(ctx))
	must(t, w.check(ctx))
}

// TestSettingsAreTruncated truncates the settings in the middle of a run. The run ends as it was
// planned. Every later plan is refused until someone does what the message advises.
func TestSettingsAreTruncated(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, services("w1", "t1")), t.Context()
	first := make(chan error, 1)
	w.front.Add(faults.Rule{Kind: faults.Event, From: "w1", Op: "CopyObject", First: 20, Do: func(faults.Request) { first <- w.truncate(ctx) }})
	w.audit.OnPointer = nil // it would read the settings
	plan, err := w.plan(ctx, 0)
	must(t, err)
	must(t, <-first)
	must(t, w.succeeds(ctx))
	must(t, w.relabel(5))
	w.expectRefusal(t, "it is damaged", "restore the object's last version, or delete it")
	must(t, w.forget(ctx))
	next, err := w.run(ctx)
	must(t, err)
	if next.Settings.Seed != plan.Settings.Seed || next.Tasks != 5 {
		t.Errorf("seeds %q and %q, %d tasks; expected 5", plan.Settings.Seed, next.Settings.Seed, next.Tasks)
	}
	must(t, w.converge(ctx))
	must(t, w.check(ctx))
}

// TestSettingsAreNotFound: one answer that there is no settings.json is not believed. When each
// answer is so, the plan is refused, and the next one goes on as before.
func TestSettingsAreNotFound(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, services("w1", "t1")), t.Context()
	plan, err := w.run(ctx)
	must(t, err)
	must(t, w.relabel(5))
	w.front.Add(faults.Rule{Kind: faults.NotFound, From: "refused", Target: "settings.json", First: 1, Times: -1})
	w.expectRefusal(t, "the bucket lists it, and each read finds it missing")
	refused := w.front.Counts()[faults.NotFound]
	w.front.Add(faults.Rule{Kind: faults.NotFound, From: "plan", Target: "settings.json", First: 1})
	// While it publishes, too.
	w.front.Add(faults.Rule{Kind: faults.NotFound, From: "plan", Target: "settings.json", First: 3})
	next, err := w.run(ctx)
	must(t, err)
	if n := w.front.Counts()[faults.NotFound]; n != refused+2 || next.Settings.Seed != plan.Settings.Seed || next.Tasks != 5 {
		t.Errorf("%d answers 404; seeds %q and %q, %d tasks; expected 5", n, plan.Settings.Seed, next.Settings.Seed, next.Tasks)
	}
	must(t, w.converge(ctx))
	must(t, w.check(ctx))
}
