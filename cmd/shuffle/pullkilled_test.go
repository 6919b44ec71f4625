package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// A pull is killed several times in the middle. It leaves only complete files, and the last pull
// completes the folder. A running or stopped pull locks its folder; a killed one releases the lock.
func TestPullIsKilled(t *testing.T) {
	t.Parallel()
	h := newLocalHistory(t, season.Options{Episodes: 1, Frames: 900}, "SHUFFLE_CONCURRENCY=1")
	h.round()
	want, killed := h.stands(), 0
	for try := 0; killed < 3 && try < 50; try++ {
		before := len(h.pulled("out"))
		cmd := h.command("pull", filepath.Join(h.dir, "out"))
		h.must(cmd.Start())
		await(t, "some files are there", func() bool { return len(h.pulled("out")) >= min(before+5, len(want)) })
		_ = cmd.Process.Signal(syscall.SIGSTOP) // the process may have ended
		if len(h.pulled("out")) < len(want) {
			out := h.command("pull", filepath.Join(h.dir, "out"))
			text, err := out.CombinedOutput()
			says(t, string(text), "another pull writes to "+regexp.QuoteMeta(filepath.Join(h.dir, "out"))+": wait for its end, or name another folder")
			if out.ProcessState.ExitCode() != 1 {
				t.Errorf("a second pull ended with %v", err)
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		got := h.pulled("out")
		for file, sum := range got {
			if want[file] != sum {
				t.Fatalf("%s is not whole", file)
			}
		}
		if len(got) < len(want) {
			killed++
		} else {
			h.must(os.RemoveAll(filepath.Join(h.dir, "out")))
		}
	}
	if killed < 3 {
		t.Fatal("no pull could be killed in the middle")
	}
	there := len(h.pulled("out"))
	if r := h.pull(0, "out"); r.Present != there || r.Fetched != len(want)-there {
		t.Errorf("%d files were there: %+v", there, r)
	}
	if diff := cmp.Diff(want, h.pulled("out")); diff != "" {
		t.Errorf("-bucket +pulled:\n%s", diff)
	}
	if r := h.pull(0, "out"); r.Fetched != 0 {
		t.Errorf("again: %+v", r)
	}
}

func TestUsageOfTheHistory(t *testing.T) {
	t.Parallel()
	h := newLocalHistory(t, season.Options{Episodes: 1, Frames: 100})
	for _, args := range [][]string{
		{"versions", "latest"}, {"versions", "x"}, {"restore", "1"}, {"restore", "0"}, {"pull", "out"}, {"why", "TT_S01"}, {"completion", "tcsh"},
		{"restore", "1", "--episode", "nonsense"},
	} {
		h.run(2, args...)
	}
	h.round()
	h.run(2, "pull", "out", "--dataset", "val")
	h.must(os.WriteFile(filepath.Join(h.dir, "mine"), nil, 0o600))
	h.run(2, "pull", ".") // the folder belongs to a user
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out := h.run(0, "completion", shell); !strings.Contains(out, "restore") {
			t.Errorf("completion %s:\n%s", shell, out)
		}
	}
}
