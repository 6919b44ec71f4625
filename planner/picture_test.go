package planner

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	film "github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// seconds is the length of the episode in the picture of docs/splits.md.
const seconds = 80

// TestPictureOfTheSplit compares the picture in docs/splits.md with plans of a generated episode,
// one for each line.
func TestPictureOfTheSplit(t *testing.T) { bubble(t, "splits", testPicture) }

func testPicture(t *testing.T) {
	w := newWorld(t)
	s, err := film.Generate(film.Options{Episodes: 1, Frames: seconds * dataset.FPS})
	w.must(err)
	w.must(s.WriteManifest(context.Background(), w.bucket))
	w.must(s.WriteSheets(w.dir))
	for _, f := range s.Episodes[0].Images {
		w.put(s.Episodes[0].ImagePrefix()+f.File(), string(f))
	}
	w.config.Split = Split{{"train", 0.7}, {"validate", 0.1}, {"test", 0.2}}
	defaults := w.config
	var picture strings.Builder
	for _, line := range []struct {
		settings string
		change   func(*Config)
	}{
		{"none", func(*Config) {}},
		{"GROUP=1s", func(c *Config) { c.Group = time.Second }},
		{"GROUP=1s STRATIFY=true", func(c *Config) { c.Group, c.Stratify = time.Second, true }},
		{"GROUP=10s", func(c *Config) { c.Group = 10 * time.Second }},
		{"GROUP=10s GUARD=24", func(c *Config) { c.Group, c.Guard = 10*time.Second, 24 }},
		{"GROUP=1s SUBSAMPLE=4", func(c *Config) { c.Group, c.Subsample = time.Second, 4 }},
	} {
		line.change(&w.config)
		fmt.Fprintf(&picture, "    %-24s%s\n", line.settings, w.splitOf(s.Episodes[0]))
		w.config = defaults
	}
	page, err := os.ReadFile("../docs/splits.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), picture.String()) {
		t.Errorf("docs/splits.md has another picture than:\n%s", picture.String())
	}
}

// splitOf plans the episode and draws the datasets of the frames of each second.
func (w *world) splitOf(e *film.Episode) string {
	w.t.Helper()
	plan := w.plan(Options{Review: true, Seed: "1"})
	if plan.State != state.Review || plan.Totals.Copy == 0 || len(plan.Held()) > 0 {
		w.t.Fatalf("the plan of %s is %+v", e.Episode, plan)
	}
	signs := []byte(strings.Repeat(" ", seconds))
	for _, task := range w.saved(plan) {
		place, f, ok := layout.Parse(task.Dst)
		if !ok {
			w.t.Fatalf("%s is no place", task.Dst)
		}
		sign := map[string]byte{"train": '#', "validate": 'v', "test": 't'}[place.Dataset]
		if old := signs[f.Second()]; old != ' ' && old != sign {
			sign = '+'
		}
		signs[f.Second()] = sign
	}
	return strings.TrimRight(string(signs), " ")
}
