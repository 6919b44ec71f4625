package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// shuffle --local with a folder that does not exist, and each command: exit 2 with the absolute
// path, and nothing is created. Only setup and demo create it.
func TestMissingLocal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(os.MkdirAll(filepath.Join(w.work, "shuffle-demo"), 0o700))
	missing := filepath.Join(w.work, "shuffel-demo")
	for _, command := range leaves(t) {
		switch command.args[0] {
		case "setup", "demo", "alive", "completion":
			continue
		}
		for _, dir := range []string{"shuffel-demo", missing} {
			_, logs := w.command(append([]string{"--local", dir}, command.args...)...).wait(2)
			says(t, logs, `--local \(SHUFFLE_LOCAL\): the folder `+regexp.QuoteMeta(missing)+` does not exist; did you mean `+
				regexp.QuoteMeta(filepath.Join(w.work, "shuffle-demo"))+`\?`)
		}
		if _, err := os.Stat(missing); err == nil {
			t.Fatalf("shuffle %q has made %s", command.args, missing)
		}
	}

	w.must(os.WriteFile(filepath.Join(w.work, "file"), nil, 0o600))
	_, logs := w.command("--local", "file", "plan").wait(2)
	says(t, logs, `file is a file, expected a folder`)
	_, logs = start(t, w.work, append(w.env, "SHUFFLE_LOCAL=far/away"), "status").wait(2)
	says(t, logs, `the folder `+regexp.QuoteMeta(filepath.Join(w.work, "far", "away"))+` does not exist; shuffle setup`)

	w.command("--local", "shuffel-demo", "setup").wait(0)
	if _, err := os.Stat(filepath.Join(missing, "queues.db")); err != nil {
		t.Error(err)
	}
	w.command("--local", "made", "completion", "bash").wait(0)
	if entries, err := filepath.Glob(filepath.Join(w.work, "made*")); err != nil || len(entries) > 0 {
		t.Errorf("completion has made %q, %v", entries, err)
	}
}

// shuffle demo --dir=~/x and shuffle pull '~/y' create their folders in the home folder.
func TestDemoInTheHomeFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out, _ := w.command("demo", "--dir=~/x", "--episodes=1", "--frames=100").wait(0)
	if _, err := os.Stat(filepath.Join(filepath.Dir(w.work), "x", "queues.db")); err != nil || !strings.Contains(out, "Drawing") {
		t.Errorf("%v\n%s", err, out)
	}
	w.command("--local=~/x", "pull", "~/y").wait(0)
	if _, err := os.Stat(filepath.Join(filepath.Dir(w.work), "y", "train")); err != nil {
		t.Error(err)
	}
}

// An existing folder is used, with any other files beside it.
func TestExistingLocal(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 24})
	out, _ := w.command("--local", "../own", "plan", "--dry-run").wait(0)
	says(t, out, `24 tasks`)
}
