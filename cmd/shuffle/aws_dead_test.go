package main

import (
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// shuffle plan, work --exit-when-idle, track --until-done, dead, redrive: two tasks become dead,
// one because its worker crashes each time, and one because its image is missing. The others are
// done. Each dead task is redriven.
func wireDeadTasks(w *wire) {
	w.first()
	e := w.season.Episodes[0]
	frames := e.Relabel(6)
	w.writeSheets()
	poison, gone := frames[0], frames[1]
	plan := w.plan(0)
	if plan.Tasks != len(frames) {
		w.t.Fatalf("%d tasks, expected %d", plan.Tasks, len(frames))
	}
	w.run(3, "plan")

	w.exhaust(len(frames), poison)
	image := w.get(e.ImagePrefix() + gone.File())
	w.remove(e.ImagePrefix() + gone.File())
	before := w.list()
	w.mustEnd(1, plan.Run, 4, 2)
	w.mustHold(w.want(before, w.season.Episodes, poison, gone))
	w.mustBeDrained()
	dead := w.dead()
	if !slices.Equal(dead.frames, sorted(poison, gone)) {
		w.t.Fatalf("dead: %+v", dead)
	}
	if d := dead.of[poison]; d.Code != "" || !strings.Contains(d.Reason, "received 5 times without a result") {
		w.t.Errorf("the task that nobody survived: %+v", d)
	}
	if d := dead.of[gone]; d.Code != "NoSuchKey" || !strings.Contains(d.Reason, "source image is gone") || d.Worker == "" {
		w.t.Errorf("the task whose image is gone: %+v", d)
	}
	w.run(1, "verify")

	w.run(0, "redrive", plan.Run, "--seq", seq(dead.of[poison]))
	w.mustEnd(1, plan.Run, 5, 1)
	w.mustHold(w.want(before, w.season.Episodes, gone))
	if dead := w.dead(); !slices.Equal(dead.frames, sorted(gone)) {
		w.t.Errorf("dead after one was redriven: %+v", dead)
	}

	w.put(e.ImagePrefix()+gone.File(), image)
	before = w.list()
	w.run(0, "redrive", plan.Run)
	w.mustEnd(0, plan.Run, 6, 0)
	w.mustHold(w.want(before, w.season.Episodes))
	if dead := w.dead(); len(dead.frames) != 0 {
		w.t.Errorf("dead after the redrive: %+v", dead)
	}
	w.run(1, "redrive", plan.Run) // nothing is left to redrive
	w.run(0, "verify")
}

// mustEnd works and tracks until the run has ended, and checks the numbers of done and dead tasks.
func (w *wire) mustEnd(code int, run string, done, dead int) {
	w.t.Helper()
	w.run(0, "work", "--exit-when-idle", "2s")
	s := w.status(code, "track", "--until-done")
	want := state.Succeeded
	if dead > 0 {
		want = state.Failed
	}
	if s.Run != run || s.State != want || s.Done != done || s.Dead != dead {
		w.t.Errorf("run %s ended as %+v; expected %s, %d done and %d dead", run, s, want, done, dead)
	}
}

// deadList is the output of shuffle dead, by frame.
type deadList struct {
	frames []dataset.Frame // sorted
	of     map[dataset.Frame]state.DeadTask
}

func (w *wire) dead() deadList {
	w.t.Helper()
	var tasks []state.DeadTask
	w.read(&tasks, 0, "dead", "--json")
	list := deadList{of: map[dataset.Frame]state.DeadTask{}}
	for _, d := range tasks {
		list.frames = append(list.frames, d.Task.Frame)
		list.of[d.Task.Frame] = d
	}
	slices.Sort(list.frames)
	return list
}

func sorted(frames ...dataset.Frame) []dataset.Frame {
	slices.Sort(frames)
	return frames
}
