package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
	"github.com/angel-nft/google-shuffle/messages"
)

func TestHighWater(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, status string
		want         int64
	}{
		{"a process", "Name:\tshuffle\nVmPeak:\t 1264396 kB\nVmHWM:\t   20480 kB\nVmRSS:\t   10000 kB\n", 20 << 20},
		{"one that has just ended", "Name:\tshuffle\nState:\tZ (zombie)\n", 0},
		{"nothing", "", 0},
		{"no number", "VmHWM:\t many kB\n", 0},
	} {
		if got := highWater([]byte(tc.status)); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestMeasuredOfSeveral(t *testing.T) {
	t.Parallel()
	var m measured
	m.add(used{wall: 2 * time.Second, cpu: time.Second, memory: 1})
	m.add(used{wall: time.Second, cpu: 3 * time.Second, memory: 7})
	if want := (used{wall: 2 * time.Second, cpu: 4 * time.Second, memory: 7}); m.used != want || len(m.each) != 2 || m.each[1].memory != 7 {
		t.Errorf("got %+v of %+v, want %+v", m.used, m.each, want)
	}
}

// TestProcess: a process succeeds, fails, or is ended; its output is in the error.
func TestProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ended, end := context.WithCancel(t.Context())
	end()
	for _, tc := range []struct {
		name string
		ctx  context.Context
		args []string
		want string // in the error; "": none
	}{
		{"well", t.Context(), []string{"--help"}, ""},
		{"badly", t.Context(), []string{"no-such-command"}, "no-such-command"},
		{"at once", ended, []string{"--help"}, context.Canceled.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := program{path: shuffle, args: tc.args}.start(tc.ctx, filepath.Join(dir, tc.name))
			if err == nil {
				err = r.wait()
			}
			if tc.want == "" && (err != nil || r.wall <= 0 || r.cpu <= 0) {
				t.Errorf("%v, %+v", err, r)
			}
			if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
	if _, err := (program{path: filepath.Join(dir, "none")}).start(t.Context(), filepath.Join(dir, "log")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that is not there: %v", err)
	}
}

func TestPeersInput(t *testing.T) {
	t.Parallel()
	tasks := []messages.Task{
		{Op: messages.Move, Src: "s/a", Dst: "d/a", Del: []string{"old/a", "older/a"}},
		{Op: messages.Copy, Src: "s/b", Dst: "d/b"},
		{Op: messages.Delete, Del: []string{"old/c"}},
	}
	commands := []string{"cp s3://x/s/a s3://x/d/a", "cp s3://x/s/b s3://x/d/b", "rm s3://x/old/a", "rm s3://x/older/a", "rm s3://x/old/c"}
	if diff := cmp.Diff(commands, s5cmdCommands(tasks, "x")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"s/a d/a", "s/b d/b"}, copyPairs(tasks)); diff != "" {
		t.Error(diff)
	}
}

func TestBill(t *testing.T) {
	t.Parallel()
	stats := benchserver.Stats{SQSBilled: 1e6, Requests: map[string]int{
		"CopyObject": 1e6, "PutObject": 1e6, "ListObjectsV2": 1e6, "DeleteObject": 1e6, "DeleteObjects": 1e6,
		"GetObject": 1e6, "HeadObject": 1e6, "SendMessageBatch": 7,
	}}
	if got := bill(stats); got < 16.199 || got > 16.201 {
		t.Errorf("$%.4f, want $16.20: 3 million at $5, 2 million at $0.40, and SQS's million at $0.40", got)
	}
}

func TestResultMessages(t *testing.T) {
	t.Parallel()
	var tasks []messages.Task
	for seq := range uint32(7) {
		tasks = append(tasks, messages.Task{Run: "20261123T212443Z-1", Gen: 1, Seq: seq, Op: messages.Copy, SrcETag: "e"})
	}
	c := &resultsCmd{Workers: 3}
	seen := map[uint32]int{}
	for _, e := range c.messages(tasks) {
		told, err := messages.ParseResults(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range told.Results {
			seen[r.Seq]++
		}
	}
	if want := map[uint32]int{0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1}; !cmp.Equal(seen, want) {
		t.Errorf("results of %v, want %v", seen, want)
	}
	if got := c.messages(nil); got != nil {
		t.Errorf("%d messages of no task", len(got))
	}
}
