package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
)

const day = 24 * time.Hour

// pruned is a state with one run a day, of generations 1, 2, 3, …
type pruned struct {
	*Store
	t       *testing.T
	objects *membucket.Bucket
	runs    []string
}

func newPruned(t *testing.T) *pruned {
	b := &membucket.Bucket{}
	return &pruned{Store: &Store{Bucket: b, Layout: dataset.Layout{Prefix: "tt"}}, t: t, objects: b}
}

func (s *pruned) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

var definition = Definition{Seed: "s", Split: "train=1", Classes: []string{"Rare"}}

// end simulates a day on which a run ends. With version it also publishes one.
func (s *pruned) end(state State, tasks int, version bool) (run string) {
	s.t.Helper()
	ctx := s.t.Context()
	generation := int64(len(s.runs) + 1)
	run = fmt.Sprintf("20261101T000000Z-%d-k7f3", generation)
	s.runs = append(s.runs, run)
	settings := Settings{Definition: definition, Datasets: []string{"train"}}
	plan := &Plan{Run: run, Generation: generation, Tasks: tasks, Settings: settings}
	s.must(s.WritePlan(ctx, plan))
	if state == Succeeded {
		s.must(s.EnsureSettings(ctx, plan))
	}
	for _, name := range []string{LedgerName, publishedName, "tasks-00000.jsonl.zst", "etags-a.jsonl.zst", "changes/S01E01.csv.zst", "problems/S01E01.jsonl.zst"} {
		_, err := s.Write(ctx, RunName(run, name), []byte("{}"), bucket.Condition{})
		s.must(err)
	}
	report := Report{Status: Status{Run: run, Generation: generation, State: state, Tasks: tasks}, Final: true}
	s.must(s.WriteJSON(ctx, RunName(run, ReportName), report, bucket.Condition{}))
	if version {
		v := Version{V: 1, Generation: generation, Run: run, Settings: settings}
		s.must(s.WriteJSON(ctx, VersionName(generation, "version.json"), v, bucket.Condition{}))
		s.must(s.WriteJSON(ctx, LatestName, map[string]any{"v": 1, "generation": generation, "run": run}, bucket.Condition{}))
	}
	<-time.After(day)
	return run
}

// prune removes old runs and returns the generations that are left.
func (s *pruned) prune(keep int) (left []int64) {
	s.t.Helper()
	_, err := s.Prune(s.t.Context(), s.objects, s.runs[len(s.runs)-1], keep)
	s.must(err)
	runs, err := s.Runs(s.t.Context())
	s.must(err)
	for _, run := range runs {
		left = append(left, GenerationOf(run))
	}
	return left
}

func inBubble(t *testing.T, test func(t *testing.T, s *pruned)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newPruned(t)) })
}

// TestPrune checks what Prune keeps, row by row.
func TestPrune(t *testing.T) {
	for name, c := range map[string]struct {
		days func(s *pruned)
		keep int
		want []int64
	}{
		"nothing old":                      {func(s *pruned) { s.succeed(30) }, 1, upTo(1, 30)},
		"none":                             {func(s *pruned) { s.succeed(40) }, 0, upTo(1, 40)},
		"older than 30 days":               {func(s *pruned) { s.succeed(40) }, 1, append([]int64{1}, upTo(11, 40)...)},
		"the newest":                       {func(s *pruned) { s.succeed(40) }, 35, append([]int64{1}, upTo(6, 40)...)},
		"few at a time":                    {func(s *pruned) { s.succeed(80) }, 1, append([]int64{1}, upTo(22, 80)...)},
		"no version":                       {func(s *pruned) { s.ends(40, Failed, 5, false) }, 1, upTo(1, 40)},
		"failed and no newer version":      {func(s *pruned) { s.succeed(1); s.ends(40, Failed, 0, false) }, 1, upTo(1, 41)},
		"pairs of ETags since the version": {func(s *pruned) { s.succeed(1); s.ends(40, Succeeded, 3, false) }, 1, upTo(1, 41)},
		"an unchanged world":               {func(s *pruned) { s.succeed(2); s.ends(40, Succeeded, 0, false) }, 1, append([]int64{1, 2}, upTo(13, 42)...)},
		"the runs of versions": {func(s *pruned) {
			s.succeed(5)
			s.ends(3, Failed, 9, false)
			s.succeed(1)
			s.ends(35, Succeeded, 0, false)
		}, 1,
			append([]int64{1, 9}, upTo(15, 44)...)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *pruned) {
				c.days(s)
				s.oneVersion()
				if got := s.prune(c.keep); !slices.Equal(got, c.want) {
					t.Errorf("left %v, want %v", got, c.want)
				}
			})
		})
	}
}

func (s *pruned) succeed(days int) { s.ends(days, Succeeded, 2, true) }

func (s *pruned) ends(days int, state State, tasks int, version bool) {
	for range days {
		s.end(state, tasks, version)
	}
}

func upTo(from, to int64) (all []int64) {
	for g := from; g <= to; g++ {
		all = append(all, g)
	}
	return all
}

// cutOffAfter fails from the n-th request on.
type cutOffAfter struct {
	Remover
	n int
}

var errCut = errors.New("cut off")

func (c *cutOffAfter) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	if c.n--; c.n < 0 {
		return nil, errCut
	}
	return c.Remover.DeleteObjects(ctx, keys)
}

// If a removal stops at any request, the run looks like one that has ended. Every command that
// reads runs works, and the next removal completes the first one.
func TestPruneCutOff(t *testing.T) {
	for n := range 4 {
		inBubble(t, func(t *testing.T, s *pruned) {
			s.succeed(40)
			s.oneVersion()
			_, err := s.Prune(t.Context(), &cutOffAfter{s.objects, n}, s.runs[39], 1)
			if !errors.Is(err, errCut) {
				t.Fatalf("cut off after %d requests: %v", n, err)
			}
			all, err := RunStatuses(t.Context(), s.Store, 0)
			s.must(err)
			for _, status := range all {
				if status.State != Succeeded {
					t.Errorf("after %d requests, run %s is %s", n, status.Run, status.State)
				}
				if _, err := ReadRun(t.Context(), s.Store, status.Run); err != nil {
					t.Errorf("after %d requests: %v", n, err)
				}
			}
			if got, want := s.prune(1), append([]int64{1}, upTo(11, 40)...); !slices.Equal(got, want) {
				t.Errorf("after %d requests, the next removal leaves %v", n, got)
			}
		})
	}
}

// Prune keeps enough to rebuild lost settings, even if other objects are lost too.
func TestPruneLeavesTheSettings(t *testing.T) {
	for name, lose := range map[string][]string{
		"settings": {settingsName}, "versions": {"versions/"}, "settings and versions": {settingsName, "versions/"}, "the latest": {LatestName},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *pruned) {
				s.succeed(3)
				s.ends(40, Succeeded, 0, false)
				s.oneVersion()
				s.prune(1)
				s.lose(lose)
				f, err := s.Settings(t.Context())
				if err != nil || !f.Settings.Equal(definition) {
					t.Errorf("%+v, %v", f, err)
				}
			})
		})
	}
}

// oneVersion removes all versions but the latest, so that the others keep no run.
func (s *pruned) oneVersion() {
	s.t.Helper()
	latest, err := s.LatestVersion(s.t.Context())
	if err != nil {
		return
	}
	for g := range latest.Generation {
		s.lose([]string{VersionName(g, "")})
	}
}

func (s *pruned) lose(names []string) {
	s.t.Helper()
	ctx := s.t.Context()
	for _, name := range names {
		page, err := s.Bucket.ListObjects(ctx, bucket.ListInput{Prefix: s.Layout.State() + name})
		s.must(err)
		for _, o := range page.Objects {
			_, err := s.objects.DeleteObjects(ctx, []string{o.Key})
			s.must(err)
		}
	}
}

// Prune removes no run when an object cannot be read.
func TestPruneUnreadable(t *testing.T) {
	inBubble(t, func(t *testing.T, s *pruned) {
		s.succeed(40)
		_, err := s.Write(t.Context(), settingsName, []byte("{"), bucket.Condition{})
		s.must(err)
		removed, err := s.Prune(context.Background(), s.objects, s.runs[39], 1)
		if err == nil || removed != nil {
			t.Errorf("removed %v, %v", removed, err)
		}
	})
}
