package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
)

const frames = 240 // of an episode

// small are settings for a short measurement.
func small(t *testing.T, episodes int) settings {
	t.Helper()
	t.Setenv(asMain, "1")
	return settings{Shuffle: shuffle, Episodes: episodes, Frames: frames, Parallel: 16, Rounds: 1, Logs: t.TempDir()}
}

// classified is the number of frames with a class in the first episodes. Each of them is a task.
func classified(t *testing.T, episodes int) (n int) {
	t.Helper()
	s, err := season.Generate(season.Options{Episodes: episodes, Frames: frames, Bucket: bucketName})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Episodes {
		classes, _ := e.Wanted()
		for _, f := range e.Images {
			if classes[f] != "" {
				n++
			}
		}
	}
	return n
}

// wantLines fails the test when a text is missing in the output.
func wantLines(t *testing.T, print func(*strings.Builder), texts ...string) {
	t.Helper()
	var out strings.Builder
	print(&out)
	for _, text := range texts {
		if !strings.Contains(out.String(), text) {
			t.Errorf("no %q in\n%s", text, out.String())
		}
	}
}

func measureAs[T any](t *testing.T, measure func(context.Context) (T, error)) T {
	t.Helper()
	got, err := measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPeers(t *testing.T) {
	tasks := classified(t, 1)
	c := &peersCmd{settings: small(t, 1), Serial: 5}
	c.Rounds = 2
	peers := measureAs(t, c.measure)
	wantLines(t, func(out *strings.Builder) { printPeers(out, peers) }, "| shuffle run", "| bare SDK loop", "| serial SDK loop: copies only | 5 |")
	for _, p := range peers {
		want := map[string]int{"bare": tasks, "serial": 5, bucketName: tasks}[p.bucket]
		if len(p.rounds) != c.Rounds || p.tasks != want {
			t.Errorf("%s: %d rounds of %d tasks", p.name, len(p.rounds), p.tasks)
		}
		for _, m := range p.rounds {
			if got := m.server.Requests["CopyObject"]; got != want || m.wall <= 0 || m.cpu <= 0 {
				t.Errorf("%s: %d copies, want %d; %+v", p.name, got, want, m)
			}
		}
	}
}

func TestPull(t *testing.T) {
	c := &pullCmd{settings: small(t, 1)}
	rows, size, err := c.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, func(out *strings.Builder) { printPulls(out, rows, size) }, "| shuffle pull |")
	if want := classified(t, 1); rows[0].tasks != want || size <= 0 || rows[0].rounds.typical().server.Requests["GetObject"] < want {
		t.Errorf("%d images of %d, %d bytes, requests %v", rows[0].tasks, want, size, rows[0].rounds.typical().server.Requests)
	}
}

func TestPlan(t *testing.T) {
	c := &planCmd{settings: small(t, 2)}
	rows := measureAs(t, c.measure)
	wantLines(t, func(out *strings.Builder) { printPlans(out, rows) }, fmt.Sprintf("| shuffle plan --dry-run | %d |", rows[0].left))
	if want := 2*frames + classified(t, 2); rows[0].left != want {
		t.Errorf("%d keys, want %d", rows[0].left, want)
	}
	for _, m := range rows[0].rounds {
		if m.server.Written != 0 || m.server.Requests["ListObjectsV2"] < 2*2 {
			t.Errorf("a dry run that wrote, or did not list images and datasets: %+v", m.server)
		}
	}
}

// TestLimit: every task's result is counted, with a limit that refuses writes.
func TestLimit(t *testing.T) {
	tasks := classified(t, 1)
	c := &limitCmd{settings: small(t, 1), Limit: 300, Workers: []int{1, 2}}
	rows := measureAs(t, c.measure)
	wantLines(t, func(out *strings.Builder) { c.print(out, rows) }, fmt.Sprintf("| 1 | %d |", tasks), fmt.Sprintf("| 2 | %d |", tasks))
	for i, p := range rows {
		for _, m := range p.rounds {
			if m.server.Written != 2*tasks || len(m.each) != c.Workers[i] || p.tasks != tasks {
				t.Errorf("%s: %d written of %d tasks by %d processes", p.name, m.server.Written, p.tasks, len(m.each))
			}
			if i == 0 && m.shares != (spread{1, 1, 1}) || m.shares.most < 1 || m.shares.least > 1 {
				t.Errorf("%s: shares %+v", p.name, m.shares)
			}
		}
	}
}

func TestScale(t *testing.T) {
	c := &scaleCmd{settings: small(t, 1), Slots: 4, Workers: []int{1, 2}}
	rows := measureAs(t, c.measure)
	wantLines(t, func(out *strings.Builder) { c.print(out, rows) }, "| 1.00 | 100.0% | 1.00–1.00 |", fmt.Sprintf("| 2 | %d |", classified(t, 2)))
	for i, p := range rows {
		if want := classified(t, c.Workers[i]); p.tasks != want || p.rounds[0].server.Requests["CopyObject"] != want {
			t.Errorf("%s: %d tasks, requests %v, want %d", p.name, p.tasks, p.rounds[0].server.Requests, want)
		}
	}
}

func TestBacklog(t *testing.T) {
	tasks := classified(t, 2)
	c := &backlogCmd{settings: small(t, 2), Workers: 2}
	b := measureAs(t, c.measure)
	wantLines(t, b.print, "| planner |", "| worker 2 of 2 |", "| tracker")
	if b.tasks != tasks || b.draining.server.Requests["CopyObject"] != tasks || b.planner.server.Requests["CopyObject"] != 0 {
		t.Errorf("%d tasks, want %d: requests %v and %v", b.tasks, tasks, b.planner.server.Requests, b.draining.server.Requests)
	}
	if len(b.draining.each) != 3 {
		t.Errorf("%d processes, want two workers and a tracker", len(b.draining.each))
	}
}

func TestResults(t *testing.T) {
	tasks := classified(t, 1)
	c := &resultsCmd{settings: small(t, 1), Rate: 1000, Workers: 2}
	f := measureAs(t, c.measure)
	wantLines(t, f.print, fmt.Sprintf("| %d |", tasks))
	if f.results != tasks || f.behind.most <= 0 || f.memory <= 0 || f.tracker.server.Requests["CopyObject"] != 0 {
		t.Errorf("%d results, want %d: %+v", f.results, tasks, f)
	}
}

func TestCost(t *testing.T) {
	tasks := classified(t, 1)
	c := &costCmd{settings: small(t, 1)}
	rows := measureAs(t, c.measure)
	wantLines(t, func(out *strings.Builder) { printCosts(out, rows) }, "| is new | 240 |", "| moves | 240 |", "| is as it should be | 240 | 0 |")
	for i, r := range rows {
		want := []int{tasks, tasks, 0}[i]
		if r.tasks != want || r.stats.Requests["CopyObject"] != want || r.planned <= 0 || r.billed != bill(r.stats) {
			t.Errorf("a season that %s: %+v, want %d tasks", r.name, r, want)
		}
	}
}

// TestChange: twelve frames move, and the figures are those of the change alone.
func TestChange(t *testing.T) {
	c := &changeCmd{settings: small(t, 2)}
	rows := measureAs(t, c.measure)
	wantLines(t, func(out *strings.Builder) { printChanges(out, rows) }, "| shuffle plan --episode: worker, tracker, planner |")
	m := rows[0].rounds.typical()
	if m.server.Requests["CopyObject"] != relabelled || m.server.Requests["ListObjectsV2"] == 0 || m.server.PutBytes == 0 || len(m.each) != 3 || m.wall <= 0 {
		t.Errorf("%+v", m)
	}
}

func TestGrow(t *testing.T) {
	c := &growCmd{settings: small(t, 1), Sizes: []int{1, 2}, Workers: 1}
	rows := measureAs(t, c.measure)
	wantLines(t, func(out *strings.Builder) { printGrowth(out, rows) }, "| planner | 240 |", "| verify: growth | 240 to 480 | frames^")
	for i, g := range rows {
		if g.frames != (i+1)*frames || g.planner.wall <= 0 || g.tracker.memory <= 0 || g.verify.cpu <= 0 {
			t.Errorf("%+v", g)
		}
	}
	if x := growthExponent(10, 1000, 3, 30); x != 0.5 {
		t.Errorf("growth %v", x)
	}
}

// TestSeasons: the episodes of the largest season that grow measures are in several seasons, since
// one has at most 99.
func TestSeasons(t *testing.T) {
	w := &world{settings: settings{Episodes: 120, Frames: 1}}
	if err := w.generate(); err != nil {
		t.Fatal(err)
	}
	names := map[dataset.Episode]bool{}
	for _, e := range w.season.Episodes {
		names[e.Episode] = true
	}
	if len(names) != 120 || len(w.seasons) != 4 {
		t.Errorf("%d episodes in %d seasons", len(names), len(w.seasons))
	}
}
