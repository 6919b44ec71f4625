package planner

import (
	"context"
	"slices"
	"sync"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// The kinds of problems that depend on more than the sheet. Package rows has the other kinds.
const (
	kindNoImage     = "no source image"
	kindUnusable    = "source image that cannot be copied"
	kindBeside      = "other file beside the image"
	kindRowless     = "episode whose frames without a row are left as they stand"
	kindNotRestored = "not restored"
)

// Problems returns all problems of an episode's sheet and images, as the plan of the episode lists
// them. It is a pure function.
func Problems(in EpisodeInput) []state.Problem {
	p := newEpisodePlanner(in)
	p.out.Problems = convert(in.Sheet.Problems)
	for _, f := range p.frames() {
		p.wish(f)
	}
	p.noteRowless()
	return p.out.Problems
}

// describe adds the problems of an episode's sheet and images to the episode's row of the plan.
func (b *earlierProblems) describe(ctx context.Context, row *state.EpisodePlan, in EpisodeInput, all []state.Problem) {
	row.ImagesWithoutRow, row.RowsWithoutClass = len(in.Images), 0
	for _, r := range in.Sheet.Rows {
		if r.Class == "" && !r.Frozen { // it has a frame
			row.RowsWithoutClass++
		}
		if _, ok := in.Images[r.Frame]; ok {
			row.ImagesWithoutRow--
		}
	}
	if len(all) > 0 {
		b.mark(ctx, row.Name(), all)
	}
	countProblems(row, all)
}

// countProblems counts all problems in the episode's row of the plan. It sorts them and lists the
// first ones.
func countProblems(row *state.EpisodePlan, all []state.Problem) {
	row.Kinds = state.CountKinds(all)
	row.Problems, row.MoreProblems = bounded(all)
}

// bounded sorts problems: errors before warnings, then in the order of the sheet's rows. It returns
// the first MaxProblems, and the number of the others.
func bounded(problems []state.Problem) ([]state.Problem, int) {
	slices.SortStableFunc(problems, func(a, b state.Problem) int {
		if a.Warning != b.Warning {
			if b.Warning {
				return -1
			}
			return 1
		}
		return a.Row - b.Row
	})
	more := max(len(problems)-state.MaxProblems, 0)
	return append([]state.Problem{}, problems[:len(problems)-more]...), more
}

// earlierRuns is how many earlier runs are searched for the previous run of an episode.
const earlierRuns = 5

// earlierProblems reads the problems of earlier runs. They only mark new problems. If they cannot
// be read, no problem is marked.
type earlierProblems struct {
	store *state.Store
	run   string // this run; "" for a dry run
	once  sync.Once
	plans []*state.Plan // the newest first
}

// mark sets New on the problems that the episode did not have in its previous run. A problem is the
// same as an earlier one when it has the same frame, kind and value, since its row may have moved.
// If several problems are the same, as in rows without a frame's name, the additional ones are new.
func (b *earlierProblems) mark(ctx context.Context, e dataset.Episode, all []state.Problem) {
	b.once.Do(func() { b.read(ctx) })
	before, ok := b.of(ctx, e)
	if !ok {
		return
	}
	known := map[state.Problem]int{}
	for _, p := range before {
		known[identity(p)]++
	}
	for i := range all {
		id := identity(all[i])
		known[id]--
		all[i].New = known[id] < 0
	}
}

// identity returns the fields of a problem that stay the same when rows are inserted or sorted.
func identity(p state.Problem) state.Problem {
	return state.Problem{Frame: p.Frame, Kind: p.Kind, Value: p.Value}
}

func (b *earlierProblems) read(ctx context.Context) {
	runs, err := b.store.Runs(ctx)
	if err != nil {
		return
	}
	own := state.GenerationOf(b.run)
	for _, run := range slices.Backward(runs) {
		if b.run != "" && state.GenerationOf(run) >= own {
			continue
		}
		if len(b.plans) == earlierRuns || ctx.Err() != nil {
			return
		}
		if plan, err := b.store.ReadPlan(ctx, run); err == nil && plan.Restores == 0 {
			b.plans = append(b.plans, plan)
		}
	}
}

// of finds the episode's problems in the newest run that has read its sheet. It returns false if
// there is no such run. It also returns false if an older release planned that run without
// recording the kinds.
func (b *earlierProblems) of(ctx context.Context, e dataset.Episode) ([]state.Problem, bool) {
	for _, plan := range b.plans {
		i := slices.IndexFunc(plan.Episodes, func(p state.EpisodePlan) bool {
			return p.Name() == e && (p.State != state.EpisodeHeld || len(p.Problems) > 0)
		})
		if i < 0 {
			continue
		}
		found := plan.Episodes[i]
		if len(found.Problems) > 0 && len(found.Kinds) == 0 {
			return nil, false
		}
		all, err := b.store.ReadProblems(ctx, plan.Run, found)
		return all, err == nil
	}
	return nil, false
}
