package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// neighbour is a world that shares its queue file with another world.
type neighbour struct {
	*world
	db     string
	bucket string
}

// neighbours returns two worlds with one queue file. Their buckets have these names.
func neighbours(t *testing.T, names ...string) (both []*neighbour) {
	t.Helper()
	shared := t.TempDir()
	for _, name := range names {
		w := generated(t, season.Options{Episodes: 1, Frames: 60})
		n := &neighbour{world: w, db: filepath.Join(shared, "queues.db"), bucket: filepath.Join(t.TempDir(), name)}
		w.must(os.Symlink(w.bucket(), n.bucket))
		both = append(both, n)
	}
	return both
}

// run runs the program on the neighbour's bucket and sheets and the shared queues.
func (n *neighbour) run(code int, args ...string) (out, logs string) {
	n.t.Helper()
	return n.start(args...).wait(code)
}

func (n *neighbour) start(args ...string) *process {
	n.t.Helper()
	return n.command(append([]string{"--bucket", "file://" + n.bucket, "--sheets", "file://" + n.sheets(), "--queues", "sqlite://" + n.db}, args...)...)
}

// inQueue counts the messages of a shared queue.
func (n *neighbour) inQueue(name string) int {
	n.t.Helper()
	f, err := sqlitequeue.Open(n.db)
	n.must(err)
	defer f.Close() //nolint:errcheck // It was only read.
	q, err := f.Queue(n.t.Context(), name)
	n.must(err)
	a, err := q.GetQueueAttributes(n.t.Context())
	n.must(err)
	return a.Visible + a.InFlight
}

// shuffle plan, work, track, status and doctor of two environments that share queues by mistake,
// with buckets of different names and of the same name. Each completes its own run, and changes
// nothing of the other's.
func TestTwoEnvironments(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		names []string
		met   string
	}{
		{"buckets of other names", []string{"production", "staging"}, `"production/tuttle_twins"`},
		{"buckets of the same name", []string{"bucket", "bucket"}, `"bucket/tuttle_twins"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			both := neighbours(t, tc.names...)
			production, staging := both[0], both[1]
			production.run(0, "plan")
			before := production.standing()

			// Staging has no run yet: its worker leaves production's tasks alone.
			_, logs := staging.run(0, "work", "--exit-when-idle", "1s")
			if got := staging.inQueue(tasksQueue); got != 60 {
				t.Errorf("%d tasks of production are left, want 60", got)
			}
			// With one name, generation 1 is in the future for staging.
			if tc.names[0] != tc.names[1] {
				says(t, logs, `another environment uses these queues.*`+strings.Trim(tc.met, `"`))
			}

			staging.run(0, "plan")
			staging.run(0, "work", "--exit-when-idle", "3s")
			if after := production.standing(); len(after) != len(before) {
				t.Errorf("production had %d frames, and has %d after staging's worker", len(before), len(after))
			}
			staging.checkDatasets()
			out, _ := staging.run(0, "track", "--until-done")
			says(t, out, `succeeded: .* 60 done, 0 dead`)
			out, _ = staging.run(0, "status")
			says(t, out, `another environment uses these queues: `+tc.met)
			out, _ = staging.run(1, "doctor")
			says(t, out, `another environment uses these queues: .*SHUFFLE_TASKS_QUEUE`)

			production.run(0, "work", "--exit-when-idle", "12s")
			out, _ = production.run(0, "track", "--until-done")
			says(t, out, `succeeded: .* 60 done, 0 dead`)
			production.checkDatasets()
		})
	}
}

// The tracker of one environment does not delete the other's results and dead letters.
func TestTwoTrackers(t *testing.T) {
	t.Parallel()
	both := neighbours(t, "production", "staging")
	production, staging := both[0], both[1]
	production.run(0, "plan")
	production.run(0, "work", "--exit-when-idle", "1s")
	results := production.inQueue(resultsQueue)
	out, _ := staging.run(0, "run") // plans, works and tracks until its own run ends
	says(t, out, `succeeded: .* 60 done, 0 dead`)
	if got := production.inQueue(resultsQueue); got != results || results == 0 {
		t.Errorf("%d messages of production's results are left of %d", got, results)
	}
	if _, err := os.Stat(staging.own("unreadable.jsonl")); err == nil {
		t.Error("staging keeps production's results as unreadable")
	}
	out, _ = production.run(0, "track", "--until-done")
	says(t, out, `succeeded: .* 60 done, 0 dead`)
}

// shuffle run, with thousands of dead letters of another environment and as many invalid results in
// the queues: it ends, and the other environment's messages remain.
func TestDeadLettersOfOthers(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	w.run(0, "setup")
	other := messages.Task{
		V: 1, Run: "20261123T212443Z-7-k7f3", Gen: 7, Op: messages.Delete, Frame: "TT_S01_E01_FRM-00-00-08-12",
		Del: []string{"x/ML/train/Rare/TT_S01_E01_FRM-00-00-08-12.jpg"}, Scope: "staging/x",
	}
	letters := make([]string, 3000)
	for i := range letters {
		other.Seq = uint32(i)
		letters[i] = other.Encode()
	}
	w.send(deadQueue, letters...)
	w.send(resultsQueue, slices.Repeat([]string{"junk"}, 3000)...)
	out, _ := w.run(0, "run")
	says(t, out, `succeeded: .* 60 done, 0 dead.* another environment uses these queues: "staging/x"`)
	if all, _ := w.count(deadQueue); all != len(letters) {
		t.Errorf("%d dead letters of the other are left, want %d", all, len(letters))
	}
	w.checkDatasets()
}

// withFile opens the queue file, to change queues directly.
func (w *world) withFile(do func(*sqlitequeue.File)) {
	w.t.Helper()
	f, err := sqlitequeue.Open(filepath.Join(w.dir, "queues.db"))
	w.must(err)
	do(f)
	w.must(f.Close())
}

// A published task names its environment, and its run has four random characters.
func TestTaskNamesItsEnvironment(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	plan := w.plan(0)
	if !regexp.MustCompile(`^\d{8}T\d{6}Z-1-[a-z0-9]{4}$`).MatchString(plan.Run) {
		t.Errorf("run %s", plan.Run)
	}
	w.withQueue(tasksQueue, func(q *sqlitequeue.Queue) {
		got, err := q.ReceiveMessage(t.Context(), 1, 0)
		w.must(err)
		if len(got) != 1 || !strings.Contains(got[0].Body, `"scope":"bucket/tuttle_twins"`) {
			t.Errorf("%+v", got)
		}
		_, err = q.ChangeMessageVisibilityBatch(t.Context(), []string{got[0].Receipt}, 0)
		w.must(err)
	})
	if s := w.carry(0); s.State != state.Succeeded || s.Done != 60 {
		t.Errorf("%+v", s)
	}
}

// shuffle work, with tasks of the run in force whose keys are allowed but that are not in the plan:
// they have no effect.
func TestTasksThatWereNotPlanned(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	plan := w.plan(0)
	real := w.firstTask(plan.Run)
	var forged []string
	change := func(spoil func(*messages.Task)) {
		task := real
		spoil(&task)
		forged = append(forged, task.Encode())
	}
	elsewhere := "tuttle_twins/ML/test/Legendary/" + real.Frame.File()
	if real.Dst == elsewhere {
		elsewhere = "tuttle_twins/ML/train/Junk/" + real.Frame.File()
	}
	change(func(t *messages.Task) { t.Dst = elsewhere })
	change(func(t *messages.Task) {
		t.Op, t.Src, t.SrcETag, t.Dst, t.Del = messages.Delete, "", "", "", []string{real.Dst}
	})
	change(func(t *messages.Task) { t.Op, t.Dst, t.Del = messages.Move, elsewhere, []string{real.Dst} })
	change(func(t *messages.Task) { t.Seq = 7 })
	change(func(t *messages.Task) { t.Scope = "" })
	w.run(0, "work", "--exit-when-idle", "100ms")
	w.send(tasksQueue, forged...)
	w.run(0, "work", "--exit-when-idle", "1s")
	w.checkDatasets()
	out, _ := w.run(0, "track", "--until-done")
	says(t, out, `succeeded: .* 60 done, 0 dead.* Messages 5 unreadable`)
	w.kept(forged)
}

// shuffle doctor of queues that differ from those of setup, and shuffle setup, which reports its
// changes.
func TestDoctorAndSetupOfBrokenQueues(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 48})
	w.run(0, "setup")
	w.withFile(func(f *sqlitequeue.File) {
		for _, spec := range []queue.Spec{
			{Name: resultsQueue, VisibilityTimeout: 10 * time.Second, MaxReceiveCount: 3, DeadLetterQueue: deadQueue},
			{Name: tasksQueue, VisibilityTimeout: 10 * time.Second, MaxReceiveCount: 5, DeadLetterQueue: resultsQueue},
		} {
			w.must(f.Setup(t.Context(), spec))
		}
	})
	out, _ := w.run(1, "doctor")
	says(t, out, `queue `+tasksQueue+`, redrive its redrive policy gives tasks to `+resultsQueue+`, expected `+deadQueue)
	says(t, out, `queue `+resultsQueue+`, redrive its redrive policy gives messages to `+deadQueue+`, where they mean something else`)
	says(t, out, `queue `+deadQueue+`, messages a probe was sent, received and deleted`)
	out, _ = w.run(0, "setup")
	says(t, out, `queue `+resultsQueue+`, visibility timeout 10s; changed: redrive to `+deadQueue+` after 3 receives → no redrive`)
	says(t, out, `queue `+tasksQueue+`.*; changed: redrive to `+resultsQueue+` after 5 receives → redrive to `+deadQueue+` after 5 receives`)
	out, _ = w.run(0, "setup")
	if strings.Contains(out, "changed") {
		t.Errorf("the second time it changes something:\n%s", out)
	}
	w.run(0, "doctor")
	if !w.empty() {
		t.Error("a probe is left")
	}
}

// shuffle doctor while services run: its probes leave no trace.
func TestDoctorBesideServices(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 48})
	w.finish(48)
	worker, tracker := w.start("work"), w.start("track")
	await(t, "the services are up", func() bool { return worker.up() && tracker.up() })
	for range 3 {
		w.run(0, "doctor")
	}
	await(t, "the queues are empty", w.empty)
	if _, err := os.Stat(w.own("unreadable.jsonl")); err == nil {
		t.Error("a probe was kept as unreadable")
	}
}

// shuffle status of an active run whose queue file someone has deleted.
func TestStatusOfMissingQueues(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 48})
	w.plan(0)
	entries, err := filepath.Glob(filepath.Join(w.dir, "queues.db*"))
	w.must(err)
	for _, file := range entries {
		w.must(os.Remove(file))
	}
	out, _ := w.run(0, "status")
	says(t, out, `the queue `+tasksQueue+` does not exist: shuffle --local \S+ setup creates it.* shuffle --local \S+ setup +create the missing queues`)
	if s := w.status(0); !slices.Equal(s.MissingQueues, []string{deadQueue, resultsQueue, tasksQueue}) {
		t.Errorf("missing: %q", s.MissingQueues)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "queues.db")); err == nil {
		t.Error("status has created the file")
	}
}
