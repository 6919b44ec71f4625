package planner

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"unique"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// MaxSeeds bounds the seeds that one dry run tries.
const MaxSeeds = 1000

// seedsAtOnce bounds the memory: the strata of a season of 345,600 frames take about 70 MB for each
// seed.
const seedsAtOnce = 4

// seedTrial has everything that a plan depends on besides its seed. It is collected once. Then the
// result of every seed is a function of it.
type seedTrial struct {
	assign   Assigner // its seed does not count
	least    int      // the least units of a class in a dataset: Config.MinPerClass
	classes  []string
	labels   map[string][]Labelled // when stratified: all labelled frames, by season
	episodes []trialEpisode
}

// trialEpisode is a planned episode. Its assigner has the pins of the episode.
type trialEpisode struct {
	season string
	assign Assigner
	frames []trialFrame
}

// trialFrame is a frame that the datasets should have.
type trialFrame struct {
	frame dataset.Frame
	class string
	fixed string   // the dataset of a frozen copy; "": the seed decides
	in    []string // the datasets that have a copy of it now
}

// label adds the labelled frames of a stratified season.
func (t *seedTrial) label(season string, all []Labelled) {
	if t.labels == nil {
		t.labels = map[string][]Labelled{}
	}
	t.labels[season] = all
}

// undecided is the dataset of a frame before a seed decides. No dataset can have this name.
const undecided = "?"

// newTrialEpisode plans the episode with a split of one dataset. So it finds the frames that the
// datasets should have by the same rules as the plan. The result is independent of the seed, the
// guard and the subsample.
func newTrialEpisode(in EpisodeInput) trialEpisode {
	t := trialEpisode{season: in.Episode.Season(), assign: *in.Assign}
	in.Assign = &Assigner{Split: Split{{Dataset: undecided, Ratio: 1}}}
	in.AllowDelete, in.AllowRefresh = true, true
	for _, x := range PlanEpisode(in).Expected {
		f := trialFrame{frame: x.Frame, class: x.Place.Class, fixed: x.Place.Dataset}
		if f.fixed == undecided {
			f.fixed = ""
		}
		for _, c := range in.Standing[x.Frame] {
			// The name is a part of the whole key. unique.Make copies it, so that the key does not
			// stay in memory.
			f.in = append(f.in, unique.Make(c.Place.Dataset).Value())
		}
		t.frames = append(t.frames, f)
	}
	return t
}

// seed predicts the datasets with this seed.
func (t *seedTrial) seed(seed string) state.SeedTrial {
	strata := map[string]map[string]float64{}
	for season, all := range t.labels {
		a := t.assign
		a.Seed = seed
		a.Stratify(all)
		strata[season] = a.strata
	}
	out := state.SeedTrial{Seed: seed, Shares: map[string]float64{}}
	held, units, leaks, frames := map[dataset.Place]int{}, newClassUnits(), leakage{}, 0
	for _, e := range t.episodes {
		a := e.assign
		a.Seed, a.strata = seed, strata[e.season]
		all, points := make([]placed, 0, len(e.frames)), make([]point, 0, len(e.frames))
		for _, f := range e.frames {
			name, ok := f.fixed, true
			if name == "" {
				name, ok = a.Dataset(f.frame)
			}
			if !ok {
				continue
			}
			p := dataset.Place{Dataset: name, Class: f.class}
			held[p]++
			all, points = append(all, placed{f.frame.Index(), p}), append(points, point{f.frame.Index(), name})
			if len(f.in) > 0 && !slices.Contains(f.in, name) {
				out.Moves++
			}
		}
		frames += len(all)
		units.add(all, a.Group)
		leaks = leaks.plus(leak(points, a.Split))
	}
	for _, name := range t.assign.Split.Datasets() {
		out.Shares[name] = 0
	}
	for p, n := range held {
		out.Shares[p.Dataset] += float64(n)
	}
	for name := range out.Shares {
		out.Shares[name] /= float64(max(frames, 1))
	}
	out.Rare = len(units.rare(t.least, t.assign.Split, t.classes, held))
	out.Leakage = leaks.share()
	return out
}

// try tries the seeds, several at a time. It returns the best first.
func (t *seedTrial) try(ctx context.Context, seeds []string) ([]state.SeedTrial, error) {
	out := make([]state.SeedTrial, len(seeds))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(min(runtime.GOMAXPROCS(0), seedsAtOnce))
	for i, seed := range seeds {
		g.Go(func() error {
			if ctx.Err() == nil {
				out[i] = t.seed(seed)
			}
			return context.Cause(ctx)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	rankSeeds(out, t.assign.Split)
	return out, nil
}

// rankSeeds sorts by the number of rare cells, then by the distance of the shares from the ratios,
// in tenths of a percent, then by moves.
func rankSeeds(trials []state.SeedTrial, split Split) {
	off := func(t state.SeedTrial) float64 {
		sum := 0.0
		for _, s := range split {
			sum += math.Abs(t.Shares[s.Dataset] - s.Ratio)
		}
		return math.Round(1000 * sum)
	}
	slices.SortStableFunc(trials, func(a, b state.SeedTrial) int {
		return cmp.Or(cmp.Compare(a.Rare, b.Rare), cmp.Compare(off(a), off(b)), cmp.Compare(a.Moves, b.Moves))
	})
}

// seedsToTry returns the seed in force, the given seed, and n more. Either of the first two may be
// "". The same arguments return the same seeds.
func seedsToTry(n int, inForce, given string) []string {
	var seeds []string
	for _, seed := range []string{inForce, given} {
		if seed != "" && !slices.Contains(seeds, seed) {
			seeds = append(seeds, seed)
		}
	}
	for i, more := 1, len(seeds)+n; len(seeds) < more; i++ {
		if seed := fmt.Sprintf("seed-%d", i); !slices.Contains(seeds, seed) {
			seeds = append(seeds, seed)
		}
	}
	return seeds
}
