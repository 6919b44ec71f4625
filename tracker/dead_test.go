package tracker

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// What is kept of two entries about one publication of a task, whichever comes first.
func TestMoreDetailed(t *testing.T) {
	task := messages.Task{V: 1, Seq: 3, Op: messages.Copy, Frame: compared}
	bare := messages.Task{V: 1, Seq: 3} // of a chunk that is gone
	for _, test := range []struct {
		name       string
		a, b, want state.DeadTask
	}{
		{
			"the worker's reason beats the count of the queue",
			state.DeadTask{Task: task, Code: "AccessDenied", Reason: "no", Attempts: 1, Worker: "w1"},
			state.DeadTask{Task: task, Reason: "received 5 times", Attempts: 5},
			state.DeadTask{Task: task, Code: "AccessDenied", Reason: "no", Attempts: 1, Worker: "w1"},
		},
		{
			"the reason of one and the task of the other",
			state.DeadTask{Task: bare, Code: "AccessDenied", Reason: "no", Attempts: 1, Worker: "w1"},
			state.DeadTask{Task: task, Reason: "received 5 times", Attempts: 5},
			state.DeadTask{Task: task, Code: "AccessDenied", Reason: "no", Attempts: 1, Worker: "w1"},
		},
		{
			"more attempts",
			state.DeadTask{Task: task, Code: "NoSuchKey", Attempts: 1, Worker: "w1"},
			state.DeadTask{Task: task, Code: "AccessDenied", Attempts: 2, Worker: "w2"},
			state.DeadTask{Task: task, Code: "AccessDenied", Attempts: 2, Worker: "w2"},
		},
		{
			"the same, of a known worker",
			state.DeadTask{Task: task, Code: "AccessDenied", Reason: "no", Attempts: 1},
			state.DeadTask{Task: task, Code: "AccessDenied", Reason: "no", Attempts: 1, Worker: "w1"},
			state.DeadTask{Task: task, Code: "AccessDenied", Reason: "no", Attempts: 1, Worker: "w1"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, pair := range [][2]state.DeadTask{{test.a, test.b}, {test.b, test.a}} {
				got := mergeDead(pair[:1], pair[1:])
				if len(got) != 1 || jsonLines(t, got) != jsonLines(t, []state.DeadTask{test.want}) {
					t.Errorf("got  %+v\nwant %+v", got, test.want)
				}
			}
		})
	}
}

func jsonLines(t interface{ Fatal(...any) }, list []state.DeadTask) string {
	body, err := encodeLines(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Whatever the order, however often, and in whatever parts entries come: the same list, one entry a
// publication.
func TestMergeDeadIsAUnion(t *testing.T) {
	entry := rapid.Custom(func(t *rapid.T) state.DeadTask {
		d := state.DeadTask{
			Task:     messages.Task{V: 1, Seq: rapid.Uint32Range(0, 2).Draw(t, "seq")},
			Code:     rapid.SampledFrom([]string{"", "AccessDenied", "NoSuchKey"}).Draw(t, "code"),
			Reason:   rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "reason"),
			Attempts: rapid.IntRange(0, 2).Draw(t, "attempts"),
			Worker:   rapid.SampledFrom([]string{"", "w1", "w2"}).Draw(t, "worker"),
			Round:    rapid.Uint32Range(0, 1).Draw(t, "round"),
		}
		if rapid.Bool().Draw(t, "whole") {
			d.Task.Op = messages.Copy
		}
		return d
	})
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfN(entry, 0, 12).Draw(t, "entries")
		want := mergeDead(entries)
		again := slices.Concat(entries, entries)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 1))
		rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		var parts [3][]state.DeadTask
		for _, d := range again {
			i := rng.IntN(len(parts))
			parts[i] = mergeDead(parts[i], []state.DeadTask{d})
		}
		got := mergeDead(parts[2], mergeDead(parts[0], parts[1]))
		if jsonLines(t, got) != jsonLines(t, want) {
			t.Fatalf("got\n%swant\n%s", jsonLines(t, got), jsonLines(t, want))
		}
		publications := map[publication]bool{}
		for _, d := range entries {
			publications[publication{d.Task.Seq, d.Round}] = true
		}
		if len(got) != len(publications) {
			t.Fatalf("%d entries about %d publications", len(got), len(publications))
		}
	})
}

func TestCommonest(t *testing.T) {
	of := func(codes ...string) (list []state.DeadTask) {
		for _, c := range codes {
			list = append(list, state.DeadTask{Code: c})
		}
		return list
	}
	for _, test := range []struct {
		list []state.DeadTask
		code string
		n    int
	}{
		{nil, "", 0},
		{of("AccessDenied", "NoSuchKey", "NoSuchKey"), "NoSuchKey", 2},
		{of("NoSuchKey", "AccessDenied"), "AccessDenied", 1},
		{of("", "", "NoSuchKey"), codeWorkerDied, 2},
	} {
		if code, n := commonestCode(test.list); code != test.code || n != test.n {
			t.Errorf("%v: %s (%d), want %s (%d)", test.list, code, n, test.code, test.n)
		}
	}
}
