package doctor_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
	"github.com/angel-nft/google-shuffle/messages"
)

const runInForce = "20261123T212443Z-2-abcd"

// newState is a bucket with dataset version 1 and a run in force of 2 tasks.
func newState(t *testing.T, now state.State) *state.Store {
	t.Helper()
	s, ctx := &state.Store{Bucket: &membucket.Bucket{}, Layout: layout}, t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	settings := state.Settings{Definition: state.Definition{Seed: "7", Split: "train=0.7,test=0.3", Classes: []string{"Rare"}}, Datasets: []string{"train", "test"}}
	var rows []version.Row
	for i := range 40 {
		rows = append(rows, version.Row{Place: dataset.Place{Dataset: "train", Class: "Rare"}, Frame: dataset.FrameAt("S01E01", i), ETag: "0cc175b9c0f1b6a831c399e269772661"})
	}
	_, err := versiontest.Publish(ctx, s, state.Version{Generation: 1, Run: "20261122T212443Z-1-abcd", Settings: settings}, rows)
	must(err)
	_, err = version.SetTag(ctx, s, "paper", 1, false)
	must(err)
	must(s.WriteTasks(ctx, runInForce, 0, []messages.Task{{Run: runInForce, Seq: 0}, {Run: runInForce, Seq: 1}}))
	must(s.WritePlan(ctx, &state.Plan{Run: runInForce, Generation: 2, Tasks: 2, Settings: settings}))
	must(s.WriteJSON(ctx, state.RunName(runInForce, state.LedgerName), map[string]any{"v": 1, "run": runInForce, "tasks": 2, "done": 1, "samples": strings.Repeat("x", 200)}, bucket.Condition{}))
	_, err = s.WriteReport(ctx, &state.Report{Status: state.Status{Run: runInForce, State: now}}, bucket.Condition{})
	must(err)
	for name, line := range map[string]string{
		state.RunName(runInForce, state.DeadName): `{"task":{"run":"x"},"reason":"AccessDenied, as the bucket says"}`,
		state.UnreadableName:                      `{"id":"1","queue":"results","reason":"what it was","body":"x"}`,
	} {
		_, err = s.Write(ctx, name, []byte(line+"\n"), bucket.Condition{})
		must(err)
	}
	must(s.NoteEnvironment(ctx, state.OtherEnvironment{Scope: "other/tt", Seen: time.Unix(0, 0)}))
	_, err = s.Swap(ctx, state.PointerSnapshot{}, state.Pointer{Run: runInForce, Generation: 2, State: now, Tasks: 2})
	must(err)
	return s
}

// partOf is the name of the part that newState's version has.
func partOf(t *testing.T) string {
	t.Helper()
	names, err := newState(t, state.Running).Names(t.Context(), "versions/1/parts/")
	if err != nil || len(names) != 1 {
		t.Fatalf("parts %q: %v", names, err)
	}
	return "versions/1/parts/" + names[0]
}

// Each object of the state, damaged in each way: doctor names it, says whether it is missing or
// damaged, and what to type. What the program makes again by itself is a warning.
func TestStateDamaged(t *testing.T) {
	heals, fails := "by itself", "restore"
	run := func(name string) string { return state.RunName(runInForce, name) }
	objects := map[string]struct {
		want, typed string
		absent      bool // it may be missing
	}{
		"current.json": {fails, "shuffle plan", false}, run("plan.json"): {fails, "shuffle plan --supersede", false},
		run("tasks-00000.jsonl.zst"): {fails, "shuffle plan --supersede", false},
		run(state.LedgerName):        {heals, "", true}, run(state.DeadName): {heals, "", true},
		state.LatestName: {fails, "shuffle plan", false}, "versions/1/version.json": {fails, "", false},
		"versions/1/snapshot.json": {heals, "", false}, partOf(t): {heals, "", false}, "versions/1/train.csv": {fails, "delete it", false},
		"versions/tags.json": {fails, "set the tags again", true}, state.UnreadableName: {heals, "", true}, "other-environments.json": {heals, "", true},
	}
	damages := map[string]func([]byte) []byte{
		"deleted": func([]byte) []byte { return nil },
		"empty":   func([]byte) []byte { return []byte{} },
		"cut":     func(body []byte) []byte { return body[:len(body)/2] },
		"flipped": func(body []byte) []byte {
			body = bytes.Clone(body)
			body[len(body)/2] ^= 0x10
			return body
		},
	}
	for name, object := range objects {
		for how, damage := range damages {
			if how == "flipped" && (strings.HasSuffix(name, "tasks-00000.jsonl.zst") || strings.HasPrefix(name, "versions/tags") || strings.HasSuffix(name, ".jsonl") || strings.HasPrefix(name, "other")) ||
				how == "cut" && strings.Contains(name, "tasks-") || how == "empty" && strings.HasSuffix(name, ".jsonl") {
				continue // chunks are not read; the lists have no digest, and an empty one is one
			}
			s := newState(t, state.Running)
			c, err := s.Read(t.Context(), name)
			if err != nil {
				t.Fatal(name, err)
			}
			if body := damage(c.Body); body == nil {
				if _, err := s.Bucket.(*membucket.Bucket).DeleteObjects(t.Context(), []string{layout.State() + name}); err != nil {
					t.Fatal(err)
				}
			} else if _, err := s.Write(t.Context(), name, body, bucket.Condition{}); err != nil {
				t.Fatal(err)
			}
			kind := "damaged"
			if how == "deleted" {
				kind = "missing"
			}
			if how == "deleted" && object.absent {
				expectState(t, name+" "+how, doctor.State(t.Context(), s))
				continue
			}
			if strings.Contains(name, "tasks-") {
				kind = "missing or empty"
			}
			expectState(t, name+" "+how, doctor.State(t.Context(), s), kind, strings.TrimSuffix(name[strings.LastIndex(name, "/")+1:], "-00000.jsonl.zst"), object.want, object.typed)
		}
	}
}

// expectState looks for texts in the checks that fail or warn; without texts none may.
func expectState(t *testing.T, what string, checks []show.Check, texts ...string) {
	t.Helper()
	var all []string
	for _, c := range checks {
		if !c.OK || c.Warning {
			all = append(all, c.Name+": "+c.Detail+" → "+c.Fix)
		}
	}
	if len(texts) == 0 && len(all) > 0 || len(texts) > 0 && len(all) == 0 {
		t.Errorf("%s: %q", what, all)
		return
	}
	found := slices.ContainsFunc(all, func(line string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) })
	})
	if len(texts) > 0 && !found {
		t.Errorf("%s: no line has %q: %q", what, texts, all)
	}
}

// A whole state passes, in each state of the run; so does one without any run.
func TestStateWhole(t *testing.T) {
	for _, now := range []state.State{state.Planning, state.Publishing, state.Running, state.Verifying, state.Succeeded, state.Failed, state.Review, state.Cancelled} {
		expectState(t, string(now), doctor.State(t.Context(), newState(t, now)))
	}
	expectState(t, "nothing", doctor.State(t.Context(), &state.Store{Bucket: &membucket.Bucket{}, Layout: layout}))
}

// noAnswers is a bucket that refuses to read one object.
type noAnswers struct {
	state.Bucket
	name string
}

func (b noAnswers) GetObject(ctx context.Context, key, known string) (bucket.Content, error) {
	if strings.HasSuffix(key, b.name) {
		return bucket.Content{}, &bucket.Error{Op: "GetObject", Key: key, Code: bucket.CodeAccessDenied, Status: http.StatusForbidden, Err: errors.New("access denied")}
	}
	return b.Bucket.GetObject(ctx, key, known)
}

// What cannot be read is neither missing nor damaged.
func TestStateUnreadable(t *testing.T) {
	for name := range maps.Keys(map[string]bool{"current.json": true, "plan.json": true, "ledger.json": true, "tags.json": true, "snapshot.jsonl.zst": true}) {
		s := newState(t, state.Running)
		s.Bucket = noAnswers{s.Bucket, name}
		for _, c := range doctor.State(t.Context(), s) {
			if strings.HasSuffix(c.Name, name) && (c.OK || strings.Contains(c.Detail, "missing") || strings.Contains(c.Detail, "damaged")) {
				t.Errorf("%s: %+v", name, c)
			}
		}
	}
}
