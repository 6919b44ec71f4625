package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// crafted are tasks of the run in force that no planner publishes: they write, delete or read
// elsewhere.
func crafted(plan state.Plan, real messages.Task) map[string]messages.Task {
	outside := "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/" + real.Frame.File()
	all := map[string]messages.Task{}
	change := func(name string, spoil func(*messages.Task)) {
		task := real
		spoil(&task)
		all[name] = task
	}
	remove := func(key string) func(*messages.Task) {
		return func(t *messages.Task) {
			*t = messages.Task{V: 1, Run: plan.Run, Gen: plan.Generation, Seq: real.Seq, Op: messages.Delete, Frame: real.Frame, Del: []string{key}}
		}
	}
	change("writes up and out", func(t *messages.Task) { t.Dst = "tuttle_twins/ML/../../../escaped/" + real.Frame.File() })
	change("writes beside the prefix", func(t *messages.Task) { t.Dst = "other/ML/train/Rare/" + real.Frame.File() })
	change("writes over a source", func(t *messages.Task) { t.Dst = outside })
	change("writes the state", func(t *messages.Task) { t.Dst = "tuttle_twins/shuffle/current.json" })
	change("writes an absolute path", func(t *messages.Task) { t.Dst = "/tmp/" + real.Frame.File() })
	change("reads up and out", func(t *messages.Task) { t.Src = "../../../etc/" + real.Frame.File() })
	change("reads the state", func(t *messages.Task) { t.Src = "tuttle_twins/shuffle/" + real.Frame.File() })
	change("deletes a source", remove(outside))
	change("deletes the manifest", remove("tuttle_twins/manifests/S01-episodes.json"))
	change("deletes up and out", remove("tuttle_twins/ML/train/../../s01e01/default_eng/v1/frames/thumbnails/"+real.Frame.File()))
	change("is beyond the run's tasks", func(t *messages.Task) { t.Seq = uint32(plan.Tasks) + 7 })
	change("is of a run to come", func(t *messages.Task) { t.Gen += 5 })
	return all
}

// shuffle work and track, with crafted messages among the tasks. Nothing is written, deleted or
// read in a wrong place, the real tasks are done, and the other messages are reported.
func TestCraftedMessages(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	w.env = append(w.env, "SHUFFLE_MAX_RECEIVE_COUNT=2")
	w.run(0, "setup")
	plan := w.plan(0)
	real := w.firstTask(plan.Run)
	tasks := []string{"not JSON", `{"v":2,"run":"` + plan.Run + `"}`, `[]`, `null`, strings.Replace(real.Encode(), `"copy"`, `"destroy"`, 1)}
	for _, task := range crafted(plan, real) {
		tasks = append(tasks, task.Encode())
	}
	nowhere := real
	nowhere.Run = "../../escaped"
	results := []string{"not JSON either", `{"v":1,"run":"../../escaped","gen":1,"worker":"x","results":[{"seq":0,"outcome":"copied"}]}`}
	// A task of a run that is not in force: a worker reports it, and the tracker keeps the report.
	w.send(tasksQueue, append(tasks, nowhere.Encode())...)
	w.send(resultsQueue, results...)
	w.send(deadQueue, "nor this")

	for _, folder := range []string{"s01e01", "manifests"} {
		before := tree(t, w.bucket("tuttle_twins", folder))
		defer func() {
			if diff := cmp.Diff(before, tree(t, w.bucket("tuttle_twins", folder))); diff != "" {
				t.Errorf("%s has changed (-before +after):\n%s", folder, diff)
			}
		}()
	}
	// A message that may become valid is released for a while.
	w.run(0, "work", "--exit-when-idle", "11s")
	out, logs := w.run(0, "track", "--until-done")
	says(t, out, `succeeded: .* 60 done, 0 dead, 0 open.* Messages \d+ unreadable`)
	says(t, logs, `unreadable`)
	if !w.empty() {
		t.Error("a queue is blocked")
	}
	w.onlyIn("bucket", "queues.db", "sheets")
	w.checkDatasets()
	w.kept(slices.Concat(tasks, results, []string{"nor this"}))
}

// kept checks that unreadable.jsonl has each of the messages, with a reason.
func (w *world) kept(bodies []string) {
	w.t.Helper()
	body, err := os.ReadFile(w.own("unreadable.jsonl"))
	w.must(err)
	kept, err := state.ParseLines[state.Unreadable](body)
	w.must(err)
	for _, body := range bodies {
		i := slices.IndexFunc(kept, func(u state.Unreadable) bool { return u.Body == body })
		if i < 0 || kept[i].Reason == "" || kept[i].Queue == "" {
			w.t.Errorf("unreadable.jsonl has not, or without a reason: %s", body)
		}
	}
}

// firstTask returns the first task of the run's plan, which waits in the queue.
func (w *world) firstTask(run string) messages.Task {
	w.t.Helper()
	opener := open.New(1)
	b, _, err := opener.Bucket(w.t.Context(), "file://"+w.bucket())
	w.must(err)
	store := state.Store{Bucket: b, Layout: dataset.Layout{Prefix: "tuttle_twins"}}
	tasks, err := store.ReadTasks(w.t.Context(), run, 0)
	w.must(err)
	w.must(opener.Close())
	return tasks[0]
}

// onlyIn checks that the world's folder, and the bucket in it, contain only these names.
func (w *world) onlyIn(names ...string) {
	w.t.Helper()
	for dir, expected := range map[string][]string{
		w.dir: names, w.bucket(): {".tmp", "tuttle_twins"}, w.bucket("tuttle_twins"): {"ML", "manifests", "s01e01", "shuffle"},
	} {
		entries, err := os.ReadDir(dir)
		w.must(err)
		for _, e := range entries {
			if !slices.Contains(expected, e.Name()) {
				w.t.Errorf("%s has come into being", filepath.Join(dir, e.Name()))
			}
		}
	}
}
