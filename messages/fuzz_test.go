package messages

import (
	"reflect"
	"strings"
	"testing"
)

// What passes parsing and checking touches its own frame in the datasets alone, and survives the
// wire.
func FuzzParseTask(f *testing.F) {
	for name := range goldenTasks() {
		f.Add(golden(f, name))
	}
	f.Add(strings.Replace(golden(f, "task-move.json"), "train/Rare", "../shuffle", 1))
	f.Add(`{"v":1,"V":2,"run":"r","gen":1,"op":"delete"}`)
	f.Add(strings.Replace(golden(f, "task-move.json"), `"seq":1234`, `"seq":01234`, 1))
	f.Fuzz(func(t *testing.T, body string) {
		task, err := ParseTask(body)
		if err != nil || task.Check(checked) != nil {
			return
		}
		written := task.Del
		if task.Op != Delete {
			written = append([]string{task.Dst}, task.Del...)
			if strings.HasPrefix(task.Src, "tuttle_twins/ML/") || strings.HasPrefix(task.Src, "tuttle_twins/shuffle/") {
				t.Errorf("reads %q", task.Src)
			}
		}
		if len(written) == 0 {
			t.Error("a task without work")
		}
		for _, key := range written {
			rest, in := strings.CutPrefix(key, "tuttle_twins/ML/")
			if !in || !strings.HasSuffix(rest, "/"+task.Frame.File()) || strings.Contains("/"+rest, "/../") || strings.Count(rest, "/") > 2 {
				t.Errorf("writes %q", key)
			}
		}
		if again, err := ParseTask(task.Encode()); err != nil || !again.Same(task) {
			t.Errorf("%+v came back as %+v, %v", task, again, err)
		}
	})
}

func FuzzParseResults(f *testing.F) {
	f.Add(golden(f, "results.json"))
	f.Add(golden(f, "task-move.json"))
	f.Fuzz(func(t *testing.T, body string) {
		results, err := ParseResults(body)
		if err != nil {
			return
		}
		if again, err := ParseResults(results.Encode()); err != nil || !reflect.DeepEqual(again, results) {
			t.Errorf("%+v came back as %+v, %v", results, again, err)
		}
	})
}
