package messages

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const (
	goldenFrame = "TT_S01_E01_FRM-00-00-08-12"
	goldenSrc   = "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/" + goldenFrame + ".jpg"
	goldenRun   = "20261123T212443Z-42"
	// What is written now; a message without them, of an earlier build, stays readable.
	goldenScopedRun = "20261123T212443Z-42-k7f3"
	goldenScope     = "media.angel-nft.com/tuttle_twins"
	etagA           = "0cc175b9c0f1b6a831c399e269772661"
	etagB           = "92eb5ffee6ae2fec3ad71c777531578f"
	etagC           = "4a8a08f09d37b73795649038408b5f33"
)

func ml(place string) string { return "tuttle_twins/ML/" + place + "/" + goldenFrame + ".jpg" }

// goldenTasks are the wire's own words (DESIGN 6), by file.
func goldenTasks() map[string]Task {
	task := func(seq uint32, op Op) Task {
		return Task{V: 1, Run: goldenRun, Gen: 42, Seq: seq, Op: op, Frame: goldenFrame}
	}
	move, cp, refresh, del := task(1234, Move), task(0, Copy), task(7, Refresh), task(4294967295, Delete)
	move.Src, move.SrcETag, move.Dst, move.Del = goldenSrc, etagA, ml("test/Rare"), []string{ml("train/Rare")}
	cp.Src, cp.SrcETag, cp.Dst = goldenSrc, etagA, ml("train/Common")
	refresh.Src, refresh.SrcETag, refresh.Dst = goldenSrc, etagA, ml("train/Common")
	del.Del = []string{ml("train/Junk"), ml("train")}
	round := task(7, Delete)
	round.Del, round.Round = []string{ml("train/Junk")}, 2
	scoped := move
	scoped.Run, scoped.Scope = goldenScopedRun, goldenScope
	again := round
	again.Run, again.Scope = goldenScopedRun, goldenScope
	return map[string]Task{
		"task-move.json": move, "task-copy.json": cp, "task-refresh.json": refresh, "task-delete.json": del, "task-round.json": round,
		"task-scope.json": scoped, "task-scope-round.json": again,
	}
}

func goldenResults() Results {
	return Results{V: 1, Run: goldenRun, Gen: 42, Worker: "ip-10-0-0-7-1", Results: []Result{
		{Seq: 0, Outcome: Copied, ETag: etagA, Attempts: 1},
		{Seq: 1, Outcome: Moved, ETag: etagB, SrcETag: etagC, Attempts: 2},
		{Seq: 2, Outcome: Refreshed, ETag: etagA, Attempts: 1},
		{Seq: 3, Outcome: Deleted, Attempts: 1},
		{Seq: 4, Outcome: Superseded, Attempts: 1},
		{Seq: 5, Outcome: Dead, Attempts: 5, Code: "NoSuchKey", Error: "source image is gone", Round: 1},
	}}
}

func golden(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(body), "\n")
}

// The golden files are version 1. They change with a new version only: a worker and a planner of
// different builds meet on one queue.
func TestGoldenTasks(t *testing.T) {
	for name, want := range goldenTasks() {
		body := golden(t, name)
		if got := want.Encode(); got != body {
			t.Errorf("%s: encoded\n%s\nwant\n%s", name, got, body)
		}
		if got, err := ParseTask(body); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: parsed %+v, %v", name, got, err)
		}
		if err := want.Check(checked); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGoldenResults(t *testing.T) {
	scoped := goldenResults()
	scoped.Run, scoped.Scope = goldenScopedRun, goldenScope
	load := scoped
	load.Throttled, load.WaitedSeconds = 17, 95
	for name, want := range map[string]Results{"results.json": goldenResults(), "results-scope.json": scoped, "results-load.json": load} {
		body := golden(t, name)
		if got := want.Encode(); got != body {
			t.Errorf("%s: encoded\n%s\nwant\n%s", name, got, body)
		}
		if got, err := ParseResults(body); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: parsed %+v, %v", name, got, err)
		}
	}
}

// Fields that a later build adds do not stop an earlier one.
func TestUnknownFields(t *testing.T) {
	more := func(body string) string { return `{"later":{"v":9},` + body[1:] }
	want := goldenTasks()["task-move.json"]
	if got, err := ParseTask(more(golden(t, "task-move.json"))); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("parsed %+v, %v", got, err)
	}
	body := strings.ReplaceAll(more(golden(t, "results.json")), `{"seq"`, `{"later":1,"seq"`)
	if got, err := ParseResults(body); err != nil || !reflect.DeepEqual(got, goldenResults()) {
		t.Errorf("parsed %+v, %v", got, err)
	}
}
