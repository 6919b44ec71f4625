package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// shuffle plan --supersede, work, track: tasks of the previous run are still in the queue. Someone
// has also crafted messages, which are among the tasks of the run in force. Nothing is written in a
// wrong place, and every message is accounted for.
func wireMessages(w *wire) {
	w.first()
	first, second := w.season.Episodes[0], w.season.Episodes[1]
	rows := slices.Clone(first.Rows)
	relabelled := first.Relabel(5)
	w.writeSheets()
	old := w.plan(0)
	first.Rows = rows // the sheet changes back, so the tasks in the queue are wrong now
	edited := second.Relabel(3)
	w.writeSheets()
	before := w.list()
	plan := w.plan(0, "--supersede")
	if old.Tasks != len(relabelled) || plan.Tasks != len(edited) || plan.Generation != old.Generation+1 {
		w.t.Fatalf("plans of %d tasks, and of %d in generation %d; expected %d and %d, in the next generation",
			old.Tasks, plan.Tasks, plan.Generation, len(relabelled), len(edited))
	}

	crafted := w.craft(plan)
	w.mustEnd(0, plan.Run, plan.Tasks, 0)
	w.mustHold(w.want(before, w.season.Episodes))
	w.mustBeDrained()
	if s := w.status(1, "status", old.Run); s.State != state.Superseded || s.Done != 0 || s.Outcomes["superseded"] != old.Tasks {
		w.t.Errorf("the run before: %+v", s)
	}
	w.mustBeUnreadable(crafted)
	w.run(0, "verify")
}

// craft sends messages that no stage of the program sends, and returns their bodies.
func (w *wire) craft(plan state.Plan) []string {
	w.t.Helper()
	task := w.craftedTasks(plan)
	forQueue := map[string][]string{
		w.queues.tasks: slices.Concat(task, []string{
			"not JSON", `{"v":1}`, `[]`, `"` + strings.Repeat("long ", 20_000) + `"`,
			fmt.Sprintf(`{"v":2,"run":%q,"gen":%d,"seq":0,"op":"delete","frame":"TT_S01_E01_FRM-00-00-00-00"}`, plan.Run, plan.Generation),
		}),
		w.queues.results: {
			"not JSON either", `{"v":1,"run":"../../current","gen":1,"results":[{"seq":0,"outcome":"copied"}]}`,
			fmt.Sprintf(`{"v":1,"run":%q,"gen":%d,"results":[{"seq":4000000000,"outcome":"copied"}]}`, plan.Run, plan.Generation),
			fmt.Sprintf(`{"v":1,"run":%q,"gen":%d,"results":[{"seq":0,"outcome":"blessed"}]}`, plan.Run, plan.Generation),
		},
		w.queues.deadLetters: {"not JSON at all", `{"v":1,"run":"no-such-run","gen":1,"seq":0,"op":"delete","frame":"TT_S01_E01_FRM-00-00-00-00","del":["x"]}`},
	}
	for queue, bodies := range forQueue {
		for _, body := range bodies {
			w.send(queue, body)
		}
	}
	return slices.Concat(slices.Collect(maps.Values(forQueue))...)
}

// craftedTasks are tasks of the run in force that would write, delete or read in forbidden places.
func (w *wire) craftedTasks(plan state.Plan) (bodies []string) {
	w.t.Helper()
	e := w.season.Episodes[0]
	classes, _ := e.Wanted()
	frame := slices.Sorted(maps.Keys(classes))[0]
	file, src, dst := frame.File(), e.ImagePrefix()+frame.File(), home(frame, classes[frame])
	other := dataset.FrameAt(e.Episode, 30).File()
	for _, fields := range []map[string]any{
		{"op": "copy", "src": src, "src_etag": "e", "dst": "tuttle_twins/manifests/" + file},
		{"op": "copy", "src": src, "src_etag": "e", "dst": "tuttle_twins/shuffle/current.json"},
		{"op": "copy", "src": src, "src_etag": "e", "dst": mlFolder + "train/../../manifests/" + file},
		{"op": "copy", "src": src, "src_etag": "e", "dst": "/" + mlFolder + "train/Rare/" + file},
		{"op": "copy", "src": src, "src_etag": "e", "dst": mlFolder + "train/Rare/deep/" + file},
		{"op": "copy", "src": src, "src_etag": "e", "dst": mlFolder + "train/Rare/" + other},
		{"op": "copy", "src": "../other-bucket/" + file, "src_etag": "e", "dst": dst},
		{"op": "copy", "src": "tuttle_twins/shuffle/" + file, "src_etag": "e", "dst": dst},
		{"op": "copy", "src": "tuttle_twins/s01e01/secret.txt", "src_etag": "e", "dst": dst},
		{"op": "move", "src": src, "src_etag": "e", "dst": dst, "del": []string{dst}},
		{"op": "move", "src": src, "src_etag": "e", "dst": dst, "del": []string{src}},
		{"op": "delete", "del": []string{src}},
		{"op": "delete", "del": []string{"tuttle_twins/manifests/S01-episodes.json"}},
		{"op": "delete", "del": []string{mlFolder + "train/Rare/" + other}},
		{"op": "delete", "del": []string{mlFolder}},
		{"op": "delete", "seq": plan.Tasks, "del": []string{dst}}, // the run has no such task
		{"op": "purge", "del": []string{dst}},
	} {
		task := map[string]any{"v": 1, "run": plan.Run, "gen": plan.Generation, "seq": 0, "frame": frame}
		maps.Copy(task, fields)
		body, err := json.Marshal(task)
		if err != nil {
			w.t.Fatal(err)
		}
		bodies = append(bodies, string(body))
	}
	return bodies
}

// mustBeUnreadable compares unreadable.jsonl with the sent bodies. Of a long body only the
// beginning is kept.
func (w *wire) mustBeUnreadable(bodies []string) {
	w.t.Helper()
	const kept = 64 << 10
	lines := strings.Split(strings.TrimSpace(string(w.get(stateFolder+"unreadable.jsonl"))), "\n")
	left := map[string]int{}
	for _, body := range bodies {
		left[body[:min(len(body), kept)]]++
	}
	for _, line := range lines {
		var u state.Unreadable
		if err := json.Unmarshal([]byte(line), &u); err != nil {
			w.t.Fatal(err)
		}
		if left[u.Body]--; left[u.Body] < 0 || u.Reason == "" {
			w.t.Errorf("unreadable.jsonl has a line too much, or without a reason: %.300s", line)
		}
	}
	for body, n := range left {
		if n > 0 {
			w.t.Errorf("unreadable.jsonl lacks %.300s", body)
		}
	}
}
