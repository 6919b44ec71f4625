package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// demoWorld is the world that a demo in the folder demo creates, in its state after the demo's
// edit.
func demoWorld(t *testing.T, episodes, frames int) *world {
	t.Helper()
	w := newWorld(t)
	w.dir = filepath.Join(w.work, "demo")
	s, err := season.Generate(season.Options{Episodes: episodes, Frames: frames, Oddities: true, Seed: 1})
	w.must(err)
	s.Episodes[0].Relabel(editedFrames)
	s.Episodes[0].Sort()
	w.seasons = []*season.Season{s}
	return w
}

func demoArgs(episodes, frames int) []string {
	return []string{"demo", "--dir", "demo", "--episodes", fmt.Sprint(episodes), "--frames", fmt.Sprint(frames)}
}

// shuffle demo; shuffle demo: the second finds nothing to do.
func TestDemo(t *testing.T) {
	t.Parallel()
	w := demoWorld(t, 2, 120)
	out, _ := w.command(demoArgs(2, 120)...).wait(0)
	says(t, out, `generation 1\): publishing, \d+ tasks .* S01E03 .* \(generation 2\): publishing, 12 tasks .* 12 moved`)
	w.checkDatasets()
	if !w.empty() {
		t.Error("the demo left messages in the queues")
	}
	untouched(t, w.ml(), func() {
		out, _ := w.command(demoArgs(2, 120)...).wait(0)
		says(t, out, `generation 3\): succeeded, 0 tasks`)
	})
	w.run(0, "verify")
}

// shuffle demo, interrupted while its tasks are applied: exit 130, and the command that it names
// continues the run.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	w := demoWorld(t, 1, 2500)
	p := w.command(append(demoArgs(1, 2500), "--concurrency", "1")...)
	awaitOf(p, "100 images in the datasets", func() bool { return w.images() >= 100 })
	p.signal(syscall.SIGINT)
	_, logs := p.wait(130)
	says(t, logs, `run \S+-1-\w{4} is not finished; shuffle --local demo run --resume finishes it, shuffle --local demo cancel \S+-1-\w{4} stops it`)
	if n := w.images(); n >= 2400 {
		t.Fatalf("%d images: the demo was not interrupted in the middle", n)
	}

	_, after, _ := strings.Cut(logs, "; shuffle ")
	named, _, _ := strings.Cut(after, " finishes it")
	// The season has a broken sheet, which the demo expects.
	w.command(strings.Fields(named)...).wait(1)
	out, _ := w.command(demoArgs(1, 2500)...).wait(0)
	says(t, out, `Now an edit: .* 12 moved`)
	w.checkDatasets()
}

// shuffle demo, interrupted while it draws: exit 130, and the same command draws the whole season.
func TestDemoInterruptedWhileDrawing(t *testing.T) {
	t.Parallel()
	w := demoWorld(t, 3, 1000)
	p := w.command(demoArgs(3, 1000)...)
	images := func(i int) int { return files(w.bucket(w.episode(i).ImagePrefix())) }
	awaitOf(p, "the first images", func() bool { return images(0) > 10 })
	p.signal(syscall.SIGINT)
	_, logs := p.wait(130)
	says(t, logs, `interrupted: the season in demo is not complete; the same command completes it`)
	if n := images(2); n >= 1000 {
		t.Fatalf("%d images of the last episode: the demo was not interrupted in the middle", n)
	}
	w.command(demoArgs(3, 1000)...).wait(0)
	w.checkDatasets()
}
