package state

import (
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/messages"
)

// A sample has every n-th task of each operation, unchanged, with any text in its keys.
func TestSampleTasks(t *testing.T) {
	s := &Store{Bucket: &membucket.Bucket{}, Layout: dataset.Layout{Prefix: "tuttle_twins"}}
	var tasks []messages.Task
	for i := range 100 {
		task := messages.Task{V: 1, Run: "r", Seq: uint32(i), Op: messages.Copy, Frame: dataset.FrameAt("S01E01", i), Src: `a/"op":"move"`, Dst: "b"}
		if i%10 == 3 {
			task.Op = messages.Delete
		}
		tasks = append(tasks, task)
	}
	if err := s.WriteTasks(t.Context(), "r", 0, tasks); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		every map[messages.Op]int
		want  []uint32
	}{
		{map[messages.Op]int{messages.Copy: 30, messages.Delete: 5}, []uint32{0, 3, 34, 53, 67}},
		{map[messages.Op]int{messages.Copy: 1000}, []uint32{0, 3, 13, 23, 33, 43, 53, 63, 73, 83, 93}},
	} {
		got, err := s.SampleTasks(t.Context(), "r", 0, test.every)
		if err != nil {
			t.Fatal(err)
		}
		var seqs []uint32
		for _, task := range got {
			seqs = append(seqs, task.Seq)
			if !task.Same(tasks[task.Seq]) {
				t.Errorf("%+v, planned as %+v", task, tasks[task.Seq])
			}
		}
		if !slices.Equal(seqs, test.want) {
			t.Errorf("every %v: %v, want %v", test.every, seqs, test.want)
		}
	}
}
