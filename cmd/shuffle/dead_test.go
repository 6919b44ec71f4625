package main

import (
	"os"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// lost is a world whose planned run has two tasks without a source image: the images were deleted
// between plan and work. Its run has ended.
func lost(t *testing.T) (w *world, run string, dead []state.DeadTask, restore func(dataset.Frame)) {
	t.Helper()
	w = generated(t, season.Options{Episodes: 1, Frames: 60})
	e := w.episode(0)
	plan := w.plan(0)
	frames := e.Relabel(2) // any two with an image; the sheet is not saved
	for _, f := range frames {
		w.must(os.Remove(w.image(e, f)))
	}
	s := w.carry(1)
	if s.State != state.Failed || s.Dead != 2 || s.Done != plan.Tasks-2 || s.Outcomes["dead"] != 2 {
		t.Fatalf("%+v, expected 2 dead tasks", s)
	}
	w.seasons[0], _ = season.Generate(w.seasons[0].Options) // without the change to those two
	out, _ := w.run(0, "dead", "--json")
	return w, plan.Run, decode[[]state.DeadTask](t, out), func(f dataset.Frame) {
		w.draw(w.episode(0), []dataset.Frame{f})
	}
}

// shuffle dead; shuffle redrive RUN --seq N; shuffle redrive RUN.
func TestDeadAndRedrive(t *testing.T) {
	t.Parallel()
	w, run, dead, restore := lost(t)
	if len(dead) != 2 || dead[0].Code != "NoSuchKey" || dead[0].Reason == "" || dead[0].Attempts < 1 || dead[0].Worker == "" {
		t.Fatalf("the dead list: %+v", dead)
	}
	out, _ := w.run(0, "dead", run)
	says(t, out, string(dead[0].Task.Frame)+`.*NoSuchKey.*shuffle --local \S+ redrive `+run)
	out, _ = w.run(1, "status")
	says(t, out, `failed: .* 2 tasks are dead.*shuffle --local \S+ dead `+run)
	if !w.empty() {
		t.Error("a queue still holds what the dead list has")
	}

	restore(dead[1].Task.Frame)
	out, _ = w.run(0, "redrive", run, "--seq", seqOf(dead[1]))
	says(t, out, `tasks published again: 1; shuffle --local \S+ status `+run+` --watch`)
	if s := w.carry(1); s.Dead != 1 || s.State != state.Failed {
		t.Errorf("after the redrive of one: %+v", s)
	}
	restore(dead[0].Task.Frame)
	w.run(0, "redrive", run)
	if s := w.carry(0); s.Dead != 0 || s.State != state.Succeeded || s.Run != run || s.Done != s.Tasks {
		t.Errorf("after the redrive of all: %+v", s)
	}
	w.checkDatasets()
	w.run(0, "status", run)
	out, _ = w.run(0, "dead")
	says(t, out, `(?i)no .*dead`)
	_, logs := w.run(1, "redrive", run)
	says(t, logs, `run `+run+` has succeeded: there is nothing to publish again`)
}

func seqOf(d state.DeadTask) string {
	text, _, _ := strings.Cut(strings.SplitAfter(d.Task.Encode(), `"seq":`)[1], ",")
	return text
}

// shuffle redrive RUN of a run that is no longer in force, and of an unknown one.
func TestRedriveRefused(t *testing.T) {
	t.Parallel()
	w, run, _, _ := lost(t)
	w.run(0, "run", "--max-delete", "100%") // the lost images are problems now, not tasks
	_, logs := w.run(1, "redrive", run)
	says(t, logs, `run `+run+` is no longer in force`)
	if !w.empty() {
		t.Error("the refused redrive has sent tasks")
	}
	w.run(1, "status", run)
	_, logs = w.run(2, "redrive", "20261123T212443Z-42")
	says(t, logs, `20261123T212443Z-42`)
}

// shuffle cancel RUN: its tasks change nothing afterwards; shuffle plan starts a new run.
func TestCancel(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	run := w.plan(0).Run
	_, logs := w.run(2, "cancel", "20261123T212443Z-42")
	says(t, logs, `no such run: 20261123T212443Z-42; see shuffle --local \S+ runs`)
	out, _ := w.run(0, "cancel", run)
	says(t, out, `cancelled: run `+run)
	if s := w.status(1); s.State != state.Cancelled || s.Reason == "" || s.Finished == nil {
		t.Errorf("status: %+v", s)
	}
	w.run(1, "cancel", run)
	w.run(0, "work", "--exit-when-idle", "100ms")
	if n := w.images(); n != 0 {
		t.Errorf("the tasks of a cancelled run made %d images", n)
	}
	_, logs = w.run(1, "redrive", run)
	says(t, logs, `was cancelled: run shuffle --local \S+ plan`)
	w.finish(w.wanted())
	w.checkDatasets()
}

// shuffle plan --supersede, while a worker applies the tasks of the previous run and more of them
// wait in the queue.
func TestSupersede(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 1500})
	old := w.plan(0)
	slow := w.start("--concurrency", "1", "work")
	awaitOf(slow, "a worker in the middle", func() bool { return w.images() > 50 })
	w.episode(0).Relabel(1000)
	w.save(w.episode(0))
	plan := w.plan(0, "--supersede")
	if plan.Generation != old.Generation+1 || plan.Run == old.Run {
		t.Fatalf("run %s, generation %d, after run %s", plan.Run, plan.Generation, old.Run)
	}
	tracker := w.start("track")
	await(t, "the end of the new run", func() bool { return w.status(anyCode).Ended() })
	await(t, "empty queues", w.empty)
	if s := w.status(0); s.Run != plan.Run || s.State != state.Succeeded || s.Done != plan.Tasks {
		t.Errorf("status: %+v", s)
	}
	w.checkDatasets()
	if s := w.status(1, old.Run); s.State != state.Superseded {
		t.Errorf("the run before: %+v", s)
	}
	for _, p := range []*process{slow, tracker} {
		p.signal(os.Interrupt)
		p.wait(0)
	}
	says(t, slow.logs.String(), `"worker ended".*"superseded":[1-9]`)
}
