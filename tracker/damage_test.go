package tracker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/tracker"
)

// damages are what a person, a disk or a cut write does to an object. nil deletes it.
var damages = map[string]func(body []byte) []byte{
	"deleted": func([]byte) []byte { return nil },
	"empty":   func([]byte) []byte { return []byte{} },
	"cut":     func(body []byte) []byte { return body[:len(body)/2] },
	"flipped": func(body []byte) []byte {
		body = bytes.Clone(body)
		body[len(body)/2] ^= 0x10
		return body
	},
	"newer": func([]byte) []byte { return []byte(`{"v":99,"run":"x","generation":"none"}`) },
}

func (w *world) damage(name string, how func([]byte) []byte) {
	w.t.Helper()
	c, err := w.store.Read(context.Background(), name)
	if errors.Is(err, bucket.ErrNotFound) {
		return
	}
	w.must(err)
	body := how(c.Body)
	if body == nil {
		w.bucket.remove(layout.State() + name)
	} else {
		_, err = w.store.Write(context.Background(), name, body, bucket.Condition{})
	}
	w.must(err)
}

// moments are states of a run of 12 tasks, with a tracker and a worker to come.
var moments = map[string]func(w *world, gen int64){
	"planning": func(w *world, gen int64) { // its planner has died before it wrote the plan
		w.plan(runName(gen), gen, 12)
		w.bucket.remove(layout.State() + state.RunName(runName(gen), "plan.json"))
		p := w.pointer()
		p.State, p.Tasks = state.Planning, 0
		w.point(p)
	},
	"publishing": func(w *world, gen int64) { w.plan(runName(gen), gen, 12) },
	"running":    func(w *world, gen int64) { w.published(runName(gen), gen, 12) },
	"half done": func(w *world, gen int64) {
		w.published(runName(gen), gen, 12)
		w.work(onlySeqs(dead("AccessDenied"), 3))
		w.tasks.purge()
	},
	"verifying": func(w *world, gen int64) {
		w.published(runName(gen), gen, 12)
		w.work(nil)
		l := tracker.NewLedger(runName(gen), gen, 12)
		for seq := range uint32(12) {
			w.must(l.Add(seq, "copied", 0))
		}
		w.must(w.store.WriteJSON(context.Background(), state.RunName(runName(gen), state.LedgerName), l, bucket.Condition{}))
		p := w.pointer()
		p.State = state.Verifying
		w.point(p)
	},
}

// besideRuns are the objects that belong to no run. They are there before the run begins.
var besideRuns = []string{"versions/tags.json", "other-environments.json", state.UnreadableName}

func (w *world) keepLists() {
	ctx := context.Background()
	_, err := w.store.Write(ctx, "versions/tags.json", []byte(`{"v":1,"revision":1,"tags":{"paper":1}}`+"\n"), bucket.Condition{})
	w.must(err)
	w.must(w.store.NoteEnvironment(ctx, state.OtherEnvironment{Scope: "other/tt", Generation: 1}))
	_, err = w.store.Write(ctx, state.UnreadableName, []byte(`{"id":"1","queue":"results","reason":"x","generation":1,"body":"x"}`+"\n"), bucket.Condition{})
	w.must(err)
}

// ofAnotherRun replaces an object by the same one of run 8.
func ofAnotherRun(t *testing.T, name string, bring func(*world, int64)) func([]byte) []byte {
	other := newWorld(t)
	bring(other, 8)
	return func(body []byte) []byte {
		c, err := other.store.Read(context.Background(), strings.ReplaceAll(name, runName(1), runName(8)))
		if errors.Is(err, bucket.ErrNotFound) {
			return body
		}
		other.must(err)
		return c.Body
	}
}

// Each object of the state, damaged in each way in each state of a run: the run ends, and it has
// succeeded only if the datasets are what was planned; else its reason names the object and the
// command to type.
func TestDamagedState(t *testing.T) {
	names := slices.Clone(besideRuns)
	for _, name := range []string{
		"plan.json", "tasks-00000.jsonl.zst", "expected-S01E01.jsonl.zst", state.LedgerName, state.DeadName, state.ReportName, "published.json",
	} {
		names = append(names, state.RunName(runName(1), name))
	}
	hows := append(slices.Collect(maps.Keys(damages)), "of another run")
	for _, name := range names {
		for _, how := range hows {
			for moment, bring := range moments {
				what := fmt.Sprintf("%s %s while %s", name, how, moment)
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.keepLists()
					bring(w, 1)
					damage := damages[how]
					if damage == nil {
						damage = ofAnotherRun(t, name, bring)
					}
					w.damage(name, damage)
					w.hire()
					w.endsAfterDamage(what, name)
				})
			}
		}
	}
}

// endsAfterDamage lets a tracker bring the run to its end.
func (w *world) endsAfterDamage(what, name string) {
	t, ctx := w.t, context.Background()
	tr := w.tracker()
	tr.Options.Stall = time.Minute
	running, stop := context.WithTimeout(ctx, time.Hour)
	defer stop()
	status, err := tr.Run(running)
	if err != nil {
		t.Errorf("%s: the run does not end: %v", what, err)
		return
	}
	found := 0
	for _, images := range w.list() {
		found += len(images)
	}
	_, object, _ := strings.Cut(name, runName(1)+"/")
	switch {
	case status.State == state.Succeeded && (found != 12 || status.Done != 12 || !w.exists(state.RunName(runName(1), "plan.json"))):
		t.Errorf("%s: succeeded with %d of 12 done and %d images", what, status.Done, found)
	case status.State == state.Failed && status.Dead == 0 && status.Differences == 0 &&
		(!strings.Contains(status.Reason, "shuffle plan") || !strings.Contains(status.Reason, object) && !strings.Contains(status.Reason, "died while planning")):
		t.Errorf("%s: failed: %s", what, status.Reason)
	case status.State != state.Succeeded && status.State != state.Failed:
		t.Errorf("%s: ended as %s", what, status.State)
	}
	if v, err := w.store.LatestVersion(ctx); err == nil && (v.Generation != 1 || v.Frames != 12) {
		t.Errorf("%s: version %d of %d frames", what, v.Generation, v.Frames)
	}
}

// The report, the plan and the ledger of a run that has ended, damaged: the run stays what it was,
// and its report is there again.
func TestDamagedEnd(t *testing.T) {
	for _, name := range []string{"plan.json", "tasks-00000.jsonl.zst", state.LedgerName, state.ReportName} {
		for how, damage := range damages {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.published(runName(1), 1, 12)
				w.work(nil)
				w.run(w.tracker())
				w.damage(state.RunName(runName(1), name), damage)
				status := w.run(w.tracker())
				if r := w.readReport(runName(1)); status.State != state.Succeeded || status.Done != 12 || !r.Verified || r.Done != 12 {
					t.Errorf("%s %s: %s with %d done; verified %t with %d done in the report", name, how, status.State, status.Done, r.Verified, r.Done)
				}
				if v, err := w.store.LatestVersion(t.Context()); err != nil || v.Frames != 12 {
					t.Errorf("%s %s: version of %d frames, %v", name, how, v.Frames, err)
				}
			})
		}
	}
}

// A pointer that is gone or damaged: nothing is decided by it, and status shows what to type.
func TestDamagedPointer(t *testing.T) {
	for how, damage := range damages {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.published(runName(1), 1, 12)
			w.damage("current.json", damage)
			ctx, stop := context.WithTimeout(t.Context(), time.Hour)
			defer stop()
			if _, err := w.tracker().Run(ctx); err == nil {
				t.Errorf("%s: the tracker ends as if nothing were wrong", how)
			}
			if _, err := state.ReadStatus(t.Context(), w.store, ""); err == nil || !strings.Contains(err.Error(), "current.json") || !strings.Contains(err.Error(), "shuffle plan") {
				t.Errorf("%s: status: %v", how, err)
			}
			if w.exists(state.UnreadableName) || w.exists(state.LatestName) {
				t.Errorf("%s: something was decided without the pointer", how)
			}
		})
	}
}

// onceGone answers once, to the n-th read of an object, that it is not there.
type onceGone struct {
	*memBucket
	name string
	n    int32
	seen atomic.Int32
}

func (b *onceGone) GetObject(ctx context.Context, key, known string) (bucket.Content, error) {
	if strings.HasSuffix(key, "/"+b.name) {
		if b.seen.Add(1) == b.n {
			return bucket.Content{}, &bucket.Error{Code: "NoSuchKey", Op: "GetObject", Key: key, Status: 404, Err: bucket.ErrNotFound}
		}
	}
	return b.memBucket.GetObject(ctx, key, known)
}

// One answer that an object is not there changes nothing.
func TestOneAnswerThatThereIsNone(t *testing.T) {
	for _, name := range []string{"plan.json", "current.json", "tasks-00000.jsonl.zst", "expected-S01E01.jsonl.zst", state.LedgerName, "latest.json"} {
		for n := int32(1); n <= 4; n++ {
			what := fmt.Sprintf("read %d of %s", n, name)
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.published(runName(1), 1, 12)
				w.hire()
				tr := w.tracker()
				tr.Options.Stall = time.Minute
				tr.Store = &state.Store{Bucket: &onceGone{memBucket: w.bucket, name: name, n: n}, Layout: layout}
				status := w.run(tr)
				if status.State != state.Succeeded || status.Done != 12 || !w.readReport(runName(1)).Verified || w.exists(state.UnreadableName) {
					t.Errorf("%s: %s, %d done: %s", what, status.State, status.Done, status.Reason)
				}
				if v, err := w.store.LatestVersion(t.Context()); err != nil || v.Generation != 1 || v.Frames != 12 {
					t.Errorf("%s: version %d of %d frames, %v", what, v.Generation, v.Frames, err)
				}
			})
		}
	}
}

// The plan of a running run is gone: the run fails, and its results are counted all the same.
func TestResultsWithoutThePlanAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 12)
		w.work(nil)
		w.bucket.remove(layout.State() + state.RunName(plan.Run, "plan.json"))
		status := w.run(w.tracker())
		if status.State != state.Failed || status.Done != 12 {
			t.Errorf("%s with %d of 12 done: %s", status.State, status.Done, status.Reason)
		}
		if r := w.readReport(plan.Run); r.Done != 12 || r.Unreadable != 0 {
			t.Errorf("the report has %d done and %d unreadable messages", r.Done, r.Unreadable)
		}
	})
}
