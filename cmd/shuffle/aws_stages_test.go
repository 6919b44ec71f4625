package main

import (
	"encoding/json"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// shuffle work, work, track and plan as separate processes. A worker and the tracker are killed in
// the middle of a run, and others are started. The services continue with the next run, and end by
// SIGTERM.
func wireStages(w *wire) {
	w.writeSeason()
	want := w.want(w.list(), w.season.Episodes)
	victims := []*wireProcess{w.start("work"), w.start("track")}
	services := []*wireProcess{w.start("work")}
	plan := w.plan(0, "--seed", wireSeed)
	for _, p := range victims {
		p.kill()
	}
	services = append(services, w.start("work"), w.start("track"))
	if s := w.await(plan.Run); s.State != state.Succeeded || s.Tasks != plan.Tasks || s.Done != plan.Tasks || plan.Tasks == 0 {
		w.t.Errorf("the first run: %+v, expected %d tasks, all done", s, plan.Tasks)
	}
	w.mustHold(want)

	before := w.list()
	frames := w.season.Episodes[0].Relabel(5)
	w.writeSheets()
	plan = w.plan(0)
	if s := w.await(plan.Run); s.State != state.Succeeded || s.Done != len(frames) {
		w.t.Errorf("the second run: %+v, expected %d tasks, all done", s, len(frames))
	}
	w.mustHold(w.want(before, w.season.Episodes))
	for _, p := range services {
		p.terminate()
	}
	w.mustBeDrained()
}

// await polls the status of a run until it has ended.
func (w *wire) await(run string) (s state.Status) {
	w.t.Helper()
	w.until("run "+run+" has ended", func() bool {
		cmd, out, logs := w.command(w.t.Context(), "status", run, "--json")
		_ = cmd.Run() // the exit code repeats the state of the run; the output is what counts
		s = state.Status{}
		if err := json.Unmarshal(out.Bytes(), &s); err != nil {
			w.t.Fatalf("status: %v\n%s\n%s", err, out, logs)
		}
		return s.Ended()
	})
	return s
}
