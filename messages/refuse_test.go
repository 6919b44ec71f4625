package messages

import (
	"errors"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

var checked = dataset.Layout{Prefix: "tuttle_twins"}

// TestParseTaskRefuses takes a golden task and spoils it in one place.
func TestParseTaskRefuses(t *testing.T) {
	tests := []struct{ name, file, old, new string }{
		{"another version", "task-move.json", `"v":1`, `"v":2`},
		{"no version", "task-move.json", `"v":1,`, ``},
		{"a version in words", "task-move.json", `"v":1`, `"v":"1"`},
		{"no run", "task-move.json", goldenRun, ``},
		{"no generation", "task-move.json", `"gen":42`, `"gen":0`},
		{"a negative generation", "task-move.json", `"gen":42`, `"gen":-42`},
		{"a negative seq", "task-move.json", `"seq":1234`, `"seq":-1`},
		{"a seq beyond 32 bits", "task-move.json", `"seq":1234`, `"seq":4294967296`},
		{"a fraction of a seq", "task-move.json", `"seq":1234`, `"seq":1.5`},
		{"an unknown op", "task-move.json", `"op":"move"`, `"op":"rename"`},
		{"no op", "task-move.json", `"op":"move",`, ``},
		{"an op in capitals", "task-move.json", `"op":"move"`, `"op":"Move"`},
		{"a frame of another shape", "task-move.json", `"frame":"TT_S01`, `"frame":"TT_X01`},
		{"no frame", "task-move.json", `"frame":"` + goldenFrame + `",`, ``},
		{"a path for a frame", "task-move.json", `"frame":"` + goldenFrame, `"frame":"../` + goldenFrame},
		{"a move without deletes", "task-move.json", `,"del":["` + ml("train/Rare") + `"]`, ``},
		{"a move without a source", "task-move.json", `"src":"` + goldenSrc + `",`, ``},
		{"a move without an ETag", "task-move.json", `"src_etag":"` + etagA + `",`, ``},
		{"a copy with deletes", "task-move.json", `"op":"move"`, `"op":"copy"`},
		{"a copy without a destination", "task-copy.json", `,"dst":"` + ml("train/Common") + `"`, ``},
		{"a delete with a source", "task-move.json", `"op":"move"`, `"op":"delete"`},
		{"a delete of nothing", "task-copy.json", `"op":"copy"`, `"op":"delete"`},
		{"keys that are no list", "task-move.json", `["` + ml("train/Rare") + `"]`, `"` + ml("train/Rare") + `"`},
		{"a scope with a line break", "task-scope.json", goldenScope, `bucket\nprefix`},
		{"a scope beyond all names", "task-scope.json", goldenScope, strings.Repeat("a", 2000)},
		{"a scope that is no text", "task-scope.json", `"` + goldenScope + `"`, `7`},
		{"cut off", "task-move.json", `]}`, `]`},
		{"two in one", "task-move.json", `]}`, `]} {}`},
	}
	for _, test := range tests {
		body := strings.Replace(golden(t, test.file), test.old, test.new, 1)
		if body == golden(t, test.file) {
			t.Fatalf("%s: nothing was spoilt", test.name)
		}
		if got, err := ParseTask(body); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: parsed %+v, %v", test.name, got, err)
		}
	}
	for _, body := range []string{"", "null", "[]", "{}", "1", `"v"`, "hello", "{\"v\":1}", strings.Repeat("[", 100_000)} {
		if got, err := ParseTask(body); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%.20q: parsed %+v, %v", body, got, err)
		}
	}
}

func TestParseResultsRefuses(t *testing.T) {
	tests := []struct{ name, old, new string }{
		{"another version", `"v":1`, `"v":2`},
		{"no run", goldenRun, ``},
		{"no generation", `"gen":42`, `"gen":0`},
		{"an unknown outcome", `"outcome":"moved"`, `"outcome":"lost"`},
		{"no outcome", `"outcome":"moved",`, ``},
		{"a negative seq", `"seq":3`, `"seq":-3`},
		{"cut off", `]}`, ``},
	}
	for _, test := range tests {
		body := strings.Replace(golden(t, "results.json"), test.old, test.new, 1)
		if got, err := ParseResults(body); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: parsed %+v, %v", test.name, got, err)
		}
	}
	for _, body := range []string{"", "null", "[]", "{}", golden(t, "task-move.json"), `{"v":1,"run":"r","gen":1,"worker":"w","results":[]}`} {
		if got, err := ParseResults(body); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%.20q: parsed %+v, %v", body, got, err)
		}
	}
}

// TestCheck is guarantee 6 against crafted keys: each of them in each of the places that a task
// writes or deletes.
func TestCheck(t *testing.T) {
	const file = goldenFrame + ".jpg"
	other := strings.Replace(file, "08-12", "08-13", 1)
	escapes := []string{
		"tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/" + file, // a source image
		"tuttle_twins/ML/" + file,                                      // in no dataset
		"tuttle_twins/ML/train/Rare/deep/" + file,                      // in no class
		"tuttle_twins/ML/train/Rare/" + other,                          // another frame
		"tuttle_twins/ML/train/Rare/" + goldenFrame + ".png",
		"tuttle_twins/ML/train/Rare/" + file + "/",
		"tuttle_twins/ML/train/Rare/x" + file,
		"tuttle_twins/ML/train/Rare/",
		"tuttle_twins/shuffle/current.json",
		"tuttle_twins/shuffle/" + file,
		"tuttle_twins/manifests/" + file,
		"tuttle_twins/ml/train/Rare/" + file, // keys have their case
		"other/ML/train/Rare/" + file,
		"/tuttle_twins/ML/train/Rare/" + file,
		"tuttle_twins/ML/train/../../shuffle/" + file,
		"tuttle_twins/ML/../ML/train/" + file,
		"tuttle_twins/ML/train/./" + file,
		"tuttle_twins/ML/..//" + file,
		"tuttle_twins/ML//Rare/" + file,
		"tuttle_twins/ML/train//" + file,
		`tuttle_twins/ML/train\..\..\/Rare/` + file,
		"tuttle_twins/ML/train/Ra\x00re/" + file,
		"tuttle_twins/ML/train/Ra\nre/" + file,
		"tuttle_twins/ML/train/Ra\x7fre/" + file,
		"tuttle_twins/ML/train/Ra\xffre/" + file, // no UTF-8
		"s3://other/tuttle_twins/ML/train/Rare/" + file,
		"tuttle_twins/ML/tra in/Rare/" + file, // no split names such a dataset
		"tuttle_twins/ML/.tmp/Rare/" + file,
		"tuttle_twins/ML/train/" + strings.Repeat("R", 1024) + "/" + file,
		"..",
	}
	for _, key := range escapes {
		dst, del := goldenTasks()["task-move.json"], goldenTasks()["task-move.json"]
		dst.Dst = key
		del.Del = append(del.Del, key)
		only := goldenTasks()["task-delete.json"]
		only.Del = []string{key}
		for where, task := range map[string]Task{"dst": dst, "del": del, "delete": only} {
			if task.Check(checked) == nil {
				t.Errorf("%s %.100q passed", where, key)
			}
		}
	}
}

func TestCheckSource(t *testing.T) {
	const file = goldenFrame + ".jpg"
	for _, key := range []string{
		ml("train/Rare"), // a copy may have been made of another source
		"tuttle_twins/shuffle/" + file,
		"tuttle_twins/manifests/" + file,
		"tuttle_twins/s01e01/" + strings.Replace(file, "08-12", "08-13", 1),
		"tuttle_twins/s01e01/x" + file,
		"../" + file,
		"tuttle_twins/s01e01/../shuffle/" + file,
		"tuttle_twins//" + file,
		"/" + file,
		file,
		"tuttle_twins/s01e01/\x00/" + file,
		"tuttle_twins/s01e01/" + goldenFrame + ".jpg?versionId=1",
		"tuttle_twins/s01e02/default_eng/v1/frames/thumbnails/" + file, // another episode's folder
		"tuttle_twins/s01e02/s01e01/" + file,
		"tuttle_twins/default_eng/v1/frames/thumbnails/" + file, // no episode's
	} {
		task := goldenTasks()["task-copy.json"]
		task.Src = key
		if task.Check(checked) == nil {
			t.Errorf("src %q passed", key)
		}
	}
}

// A task that deletes what it has just written would lose the frame.
func TestCheckDeletesOwnDestination(t *testing.T) {
	task := goldenTasks()["task-move.json"]
	task.Del = append(task.Del, task.Dst)
	if task.Check(checked) == nil {
		t.Error("passed")
	}
}

// What no planner asks for, although every key is the frame's own.
func TestCheckShape(t *testing.T) {
	twice := goldenTasks()["task-move.json"]
	twice.Del = append(twice.Del, twice.Del[0])
	if twice.Check(checked) == nil {
		t.Error("a key to be deleted twice passed")
	}
	capital := goldenTasks()["task-copy.json"]
	capital.Src = strings.Replace(capital.Src, "s01e01", "S1E1", 1)
	if err := capital.Check(checked); err != nil {
		t.Errorf("an episode's folder in other letters: %v", err)
	}
}

func TestSame(t *testing.T) {
	task, again := goldenTasks()["task-round.json"], goldenTasks()["task-round.json"]
	again.Round = 5
	if !task.Same(again) {
		t.Error("a later round is other work")
	}
	again.Seq++
	if task.Same(again) {
		t.Error("another seq is the same work")
	}
}

func TestDone(t *testing.T) {
	for op, want := range map[Op]Outcome{Copy: Copied, Move: Moved, Refresh: Refreshed, Delete: Deleted} {
		if got := op.Done(); got != want || !got.IsDone() {
			t.Errorf("%s: %s", op, got)
		}
	}
	for _, o := range []Outcome{Superseded, Dead, ""} {
		if o.IsDone() {
			t.Errorf("%q is done", o)
		}
	}
}
