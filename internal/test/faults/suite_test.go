package faults_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/test/faults"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "shuffle-faults-program-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "shuffle")
	// These tests wait for timeouts and leases most of the time, so more of them run in parallel
	// than the machine has processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "10"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir) // leftover files do no harm
	os.Exit(code)
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q: expected a number", name, text)
	}
	return n
}

// kept are the seeds of schedules that found a bug. In the first, a request for the pointer never
// got an answer, and the tracker waited for ever. In the second, a 409 led to a version without one
// of its files, and to a planner that gave up.
var kept = []uint64{1, 121}

// series is a set of schedules for one kind of site.
type series struct {
	name  string
	site  func(t *testing.T) site
	draw  func(seed uint64) schedule
	kept  []uint64
	short uint64 // number of schedules that make test plays
	share uint64 // the series plays one of this many schedules of the long form
	most  uint64 // the limit of schedules that run at a time
}

var allSeries = []series{
	{"server", func(*testing.T) site { return server }, draw, kept, 8, 1, 100},
	{"local", func(*testing.T) site { return local }, drawLocal, nil, 4, 4, 4},
	{"localstack", func(t *testing.T) site { return localStack(testenv.AWSEndpoint(t)) }, drawLocalStack, nil, 3, 10, 3},
}

// TestSchedules: with any faults and any killed processes, each run ends by itself. After the last
// fault the datasets equal the sheets, every task is in the ledger once, and the next plan and the
// queues are empty. No write has broken a guarantee.
//
// SHUFFLE_FAULTS is the number of schedules, SHUFFLE_FAULTS_SEED the seed of the first one. A seed
// alone replays a failing schedule. Without a first seed the kept ones are played too. Schedules
// mostly wait, so several run at the same time.
func TestSchedules(t *testing.T) {
	t.Parallel()
	for _, s := range allSeries {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.play(t, s.site(t))
		})
	}
}

func (s *series) play(t *testing.T, at site) {
	must(t, build())
	if at != local {
		must(t, buildWithClocks())
	}
	first := setting(t, "SHUFFLE_FAULTS_SEED", 0)
	seeds := []uint64{}
	if first == 0 {
		seeds = append(seeds, s.kept...)
	}
	for n := range (setting(t, "SHUFFLE_FAULTS", s.short*s.share) + s.share - 1) / s.share {
		seeds = append(seeds, first+n)
	}
	var g errgroup.Group
	g.SetLimit(int(min(s.most, setting(t, "SHUFFLE_FAULTS_PARALLEL", 6))))
	var mu sync.Mutex
	total := map[faults.Kind]int{}
	for _, seed := range seeds {
		g.Go(func() error {
			counts, story, err := play(context.WithoutCancel(t.Context()), at, s.draw(seed))
			mu.Lock()
			defer mu.Unlock()
			for kind, n := range counts {
				total[kind] += n
			}
			if err != nil {
				t.Errorf("schedule %d failed; to play it again: make faults WORLD=%s SEED=%d COUNT=1\n%v\n%s", seed, s.name, seed, err, story)
			} else if len(seeds) == 1 {
				t.Log(story)
			} else {
				t.Logf("schedule %d: %s", seed, faults.Tally(counts))
			}
			return nil
		})
	}
	_ = g.Wait() // every schedule reports its own failure
	t.Logf("%d schedules; faults: %s", len(seeds), faults.Tally(total))
}
