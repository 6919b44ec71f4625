package worlds

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The defaults are a sample. make worlds runs the whole search.
var (
	stepsFlag  = flag.Int("worlds.steps", 40_000, "steps of the random walks, over all scenarios")
	shareFlag  = flag.Int("worlds.share", 15, "of how many schedules the exhaustive search takes one")
	depthFlag  = flag.Int("worlds.depth", 1, "deviations from the usual course that the exhaustive search tries together")
	seedFlag   = flag.Uint64("worlds.seed", 0, "the first seed of the random walks")
	sameFlag   = flag.Int("worlds.same", 5, "walks that are played twice, of each scenario")
	replayFlag = flag.String("worlds.replay", "", `a schedule to tell, as "SCENARIO: 12=3 40=1" or "SCENARIO: seed 7"`)
)

// tally counts what has been explored.
type tally struct {
	mu        sync.Mutex
	schedules int
	steps     int
	faults    map[fate]int
}

func (c *tally) add(w *world) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schedules++
	c.steps += len(w.story)
	if c.faults == nil {
		c.faults = map[fate]int{}
	}
	for f, n := range w.choices.faults {
		c.faults[f] += n
	}
}

func (c *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d schedules, %d steps", c.schedules, c.steps)
	for _, f := range slices.Sorted(maps.Keys(c.faults)) {
		fmt.Fprintf(&b, "\n%8d × %s", c.faults[f], f)
	}
	return b.String()
}

// report reports a shortened schedule that failed, and how to replay it.
func (s scenario) report(t *testing.T, w *world) {
	t.Helper()
	w = s.shorten(t, w)
	t.Errorf("%v\nreplay: go test ./internal/test/worlds -run TestReplay -v -worlds.replay='%s: %s'\n%s",
		w.judge.verdict, s.name, w.choices.deviations(), w.tale())
}

// shorten removes the deviations that a schedule does not need to fail.
func (s scenario) shorten(t *testing.T, w *world) *world {
	for size := len(w.choices.deviations()); size > 0; size /= 2 {
		for from := 0; from < len(w.choices.deviations()); {
			ds := w.choices.deviations()
			fewer := slices.Concat(ds[:from], ds[min(from+size, len(ds)):])
			if less := s.play(t, scripted(fewer)); less.judge.verdict != nil && len(less.choices.deviations()) < len(ds) {
				w = less
			} else {
				from += size
			}
		}
	}
	return w
}

// atOnce is the number of schedules that run at a time.
const atOnce = 2

// parallel does n things on all cores, each with a subtest of its own.
func parallel(t *testing.T, do func(t *testing.T, part int)) {
	for part := range atOnce {
		t.Run(fmt.Sprintf("part %d", part+1), func(t *testing.T) {
			t.Parallel()
			do(t, part)
		})
	}
}

// TestEach tries every possible fate of each call, except for the reads of immutable data. It makes
// one deviation from the usual course at a time; with -worlds.depth=2, each two of them.
func TestEach(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			var sum tally
			t.Cleanup(func() { t.Logf("%s", &sum) })
			usual := s.play(t, scripted(nil))
			first := usual.choices.children(nil)
			parallel(t, func(t *testing.T, part int) {
				for i := part * *shareFlag; i < len(first) && !t.Failed(); i += atOnce * *shareFlag {
					s.explore(t, &sum, first[i], *depthFlag)
				}
			})
		})
	}
}

// explore plays the schedule of the deviations, and the schedules with more of them.
func (s scenario) explore(t *testing.T, sum *tally, ds deviations, depth int) {
	w := s.play(t, scripted(ds))
	sum.add(w)
	if w.judge.verdict != nil {
		s.report(t, w)
		return
	}
	if len(ds) == depth {
		return
	}
	for _, more := range w.choices.children(ds) {
		if s.explore(t, sum, more, depth); t.Failed() {
			return
		}
	}
}

// children are the schedules with one more deviation, after the last.
func (c *choices) children(ds deviations) (all []deviations) {
	last := -1
	if len(ds) > 0 {
		last = ds[len(ds)-1].at
	}
	for at, ch := range c.taken {
		for chosen := 1; at > last && ch.decision == byFate && chosen < ch.of; chosen++ {
			all = append(all, append(slices.Clone(ds), deviation{at, chosen}))
		}
	}
	return all
}

// TestWalks plays random schedules in the worlds.
func TestWalks(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			var sum tally
			t.Cleanup(func() { t.Logf("%s", &sum) })
			parallel(t, func(t *testing.T, part int) {
				seed := *seedFlag + uint64(part)
				for steps := 0; steps < *stepsFlag/len(scenarios)/atOnce && !t.Failed(); seed += atOnce {
					w := s.play(t, walk(seed))
					steps += len(w.story)
					sum.add(w)
					if w.judge.verdict != nil {
						t.Logf("seed %d", seed)
						s.report(t, w)
					}
				}
			})
		})
	}
}

// TestFound plays the schedules that found bugs, and one that goes to the limit. The commits with
// the fixes explain the bugs.
func TestFound(t *testing.T) {
	for _, found := range []struct {
		name, scenario string
		plot           []turn
	}{
		{"a run that was never published is redriven", "redrive and cancel", []turn{
			{"planner-2 PutObject runs/20000101T000000Z-2-test/plan.json", frozen},
			{"planner-2 PutObject current.json generation 2 publishing", hurries},
		}},
		// Not a bug: the latest write that the fence allows for. It is late by all of the fence's
		// three terms.
		{"an old view, a long attempt and a late write", "supersede", []turn{
			{"worker-1 CopyObject ML/train/Rare/f00", waitsBit},
			{"worker-1 DeleteObjects ML/train/Common/f00", waitsLong},
			{"worker-1 DeleteObjects ML/train/Common/f00", comesLate},
		}},
		{"a paused publisher brings its split and group back", "other settings", []turn{{"planner-2 PutObject settings.json", waitsLong}}},
		{"a paused publisher brings its settings back", "reshuffle", []turn{{"planner-2 PutObject settings.json", waitsLong}}},
	} {
		t.Run(found.name, func(t *testing.T) {
			usual := scripted(nil)
			usual.plot = found.plot
			w := scenarioOf(t, found.scenario).play(t, usual)
			if w.judge.verdict != nil || len(usual.plot) > 0 {
				t.Errorf("%v; of the plot %q has not come\n%s", w.judge.verdict, usual.plot, w.tale())
			}
		})
	}
}

// TestReplay prints the story of the schedule in -worlds.replay.
func TestReplay(t *testing.T) {
	if *replayFlag == "" {
		return // there is no schedule to replay
	}
	name, choices, _ := strings.Cut(*replayFlag, ":")
	w := scenarioOf(t, name).play(t, parseSchedule(t, choices))
	t.Log(w.tale())
	if w.judge.verdict != nil {
		t.Error(w.judge.verdict)
	}
}

func scenarioOf(t *testing.T, name string) scenario {
	i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("no scenario is named %q", name)
	}
	return scenarios[i]
}

func parseSchedule(t *testing.T, text string) *choices {
	if seed, ok := strings.CutPrefix(strings.TrimSpace(text), "seed "); ok {
		n, err := strconv.ParseUint(seed, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return walk(n)
	}
	ds, err := parseDeviations(text)
	if err != nil {
		t.Fatal(err)
	}
	return scripted(ds)
}

// TestSame plays schedules twice, and both must give the same story.
func TestSame(t *testing.T) {
	for _, s := range scenarios {
		for seed := *seedFlag; seed < *seedFlag+uint64(*sameFlag); seed++ {
			first := s.play(t, walk(seed))
			if again := s.play(t, walk(seed)); again.tale() != first.tale() {
				t.Fatalf("%s: seed %d tells\n%s\nand then\n%s", s.name, seed, first.tale(), again.tale())
			}
			if told := s.play(t, scripted(first.choices.deviations())); told.tale() != first.tale() {
				t.Fatalf("%s: seed %d tells\n%s\nand its choices\n%s", s.name, seed, first.tale(), told.tale())
			}
		}
	}
}
