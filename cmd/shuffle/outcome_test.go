package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// shuffle plan, run and status with a broken sheet: exit 1, the other episodes are done, and the
// broken one is done after it is fixed.
func TestHeld(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 120, Oddities: true})
	broken := w.episode(2)
	out, _ := w.run(1, "plan", "--dry-run")
	says(t, out, `1 of 3 episodes held.* S01E03 sheet .*expected the column "FRAME NUMBER" in row 1, found .*ROW_INDEX.*`+broken.SpreadsheetID)
	out, _ = w.run(1, "run", "--json")
	if s := decode[state.Status](t, out); s.State != state.Succeeded || s.Done != w.wanted() || len(s.Held) != 1 || s.Held[0].Episode != "E03" {
		t.Errorf("run: %+v", s)
	}
	w.checkDatasets()
	w.run(1, "status")
	w.run(0, "verify")

	broken.Missing = ""
	w.save(broken)
	classes, _ := broken.Wanted()
	w.finish(len(classes))
	w.checkDatasets()
	w.run(0, "status")
}

// shuffle run with an unreadable manifest: everything else is done, and the exit code reports a
// problem, as that of status does.
func TestBrokenManifest(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	w.put(w.bucket("tuttle_twins", "manifests", "S02-episodes.json"), "<html>")
	out, _ := w.run(1, "run")
	says(t, out, `S02-episodes.json`)
	says(t, out, `succeeded`)
	w.run(1, "status")
	w.checkDatasets()
}

// shuffle verify after someone has changed the datasets; shuffle run repairs what verify finds, and
// changes nothing else.
func TestVerify(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 120})
	w.finish(w.wanted())
	out, _ := w.run(0, "verify")
	says(t, out, `no difference: the datasets equal run .*\(\d+ frames of 1 episode\)`)

	frames := w.tamper()
	// Keys that are not frames of an episode in the manifests are ignored.
	others := []string{"train/Rare/notes.txt", "train/Rare/TT_S09_E09_FRM-00-00-00-00.jpg", "holdout/Rare/TT_S01_E01_FRM-00-00-00-00.jpg"}
	for _, name := range others {
		w.put(w.ml(name), "somebody's")
	}
	out, _ = w.run(1, "verify")
	for i, difference := range []string{`F\.jpg is missing`, `F stands at train/misspelt/F\.jpg instead of`, `F\.jpg has other content`, `test/Rarest/F\.jpg should not be there`} {
		says(t, out, strings.ReplaceAll(difference, "F", string(frames[i])))
	}
	out, _ = w.run(1, "verify", "--json")
	if v := decode[struct{ Differences int }](t, out); v.Differences != 4 {
		t.Errorf("verify --json: %s", out)
	}
	w.run(0, "run")
	w.checkDatasets(others...)
	w.run(0, "verify")
}

// put writes a foreign file.
func (w *world) put(path, text string) {
	w.t.Helper()
	w.must(os.MkdirAll(filepath.Dir(path), 0o700))
	w.must(os.WriteFile(path, []byte(text), 0o600))
}

// shuffle plan, interrupted while it waits: exit 130. The remaining state is reported, and is not a
// run in force.
func TestPlanInterrupted(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	w.finish(w.wanted())
	w.episode(0).Relabel(3)
	w.save(w.episode(0))
	p := w.start("plan")
	awaitOf(p, "planning", func() bool { return w.status(anyCode).State == state.Planning })
	p.signal(syscall.SIGTERM)
	_, logs := p.wait(130)
	says(t, logs, `interrupted: plan run \S+-2-\w{4}: .*; nothing was published`)
	if s := w.status(1); s.State != state.Failed || !w.empty() {
		t.Errorf("status: %+v", s)
	}
	w.finish(3)
	w.checkDatasets()
}

// shuffle work and track, stopped by SIGTERM or SIGINT: exit 0.
func TestServicesEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(os.MkdirAll(w.dir, 0o700))
	for _, command := range []string{"work", "track"} {
		for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
			// An earlier process may have left its file. Then this process would get the signal
			// before it is ready for it.
			wal := filepath.Join(w.dir, "queues.db-wal")
			_ = os.Remove(wal)
			p := w.start(command)
			awaitOf(p, "opened queues", func() bool { _, err := os.Stat(wal); return err == nil })
			p.signal(signal)
			p.wait(0)
		}
	}
}

// shuffle work gets SIGTERM while it is busy, more often than a task may be received. It releases
// its tasks, and no task becomes dead.
func TestDrain(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 900})
	w.plan(0)
	const more = 6 // than the five receives that a task has
	for i := range more {
		images := min(w.images()+90, w.wanted())
		p := w.start("--concurrency", "1", "work")
		awaitOf(p, "a busy worker", func() bool { return p.up() && w.images() >= images })
		p.signal(syscall.SIGTERM)
		_, logs := p.wait(0)
		says(t, logs, `"worker ended".*"in_flight":0`)
		if _, hidden := w.count(tasksQueue); hidden > 0 {
			t.Errorf("stop %d left %d messages hidden", i+1, hidden)
		}
	}
	if s := w.carry(0); s.Dead != 0 || s.Done != w.wanted() {
		t.Errorf("%+v", s)
	}
	w.checkDatasets()
}

// tamper changes four frames: it removes one, moves one, changes one and duplicates one.
func (w *world) tamper() (frames []dataset.Frame) {
	w.t.Helper()
	var keys []string
	for key := range w.standing() {
		keys = append(keys, key)
	}
	for _, key := range keys[:4] {
		frames = append(frames, frameOf(key))
	}
	w.must(os.Remove(w.ml(keys[0])))
	w.must(os.MkdirAll(w.ml("train", "misspelt"), 0o700))
	w.must(os.Rename(w.ml(keys[1]), w.ml("train", "misspelt", filepath.Base(keys[1]))))
	w.put(w.ml(keys[2]), "another image")
	w.put(w.ml("test", "Rarest", filepath.Base(keys[3])), "doubled")
	return frames
}
