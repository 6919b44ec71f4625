package planner

import (
	"context"
	"slices"
	"sync"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// The kinds of problems that are not in a sheet alone; package rows has the others.
const (
	kindNoImage     = "no source image"
	kindUnusable    = "source image that cannot be copied"
	kindBeside      = "other file beside the image"
	kindRowless     = "episode whose frames without a row are left as they stand"
	kindNotRestored = "not restored"
)

// Problems are all problems of an episode's sheet and images, as the episode's plan lists them. It
// is a pure function.
func Problems(in EpisodeInput) []state.Problem {
	p := newEpisodePlanner(in)
	p.out.Problems = convert(in.Sheet.Problems)
	for _, f := range p.frames() {
		p.wish(f)
	}
	p.noteRowless()
	return p.out.Problems
}

// withoutPartner counts the images of an episode that no row names, and the rows that have a frame
// and no class.
func withoutPartner(in EpisodeInput) (imagesWithoutRow, rowsWithoutClass int) {
	imagesWithoutRow = len(in.Images)
	for _, r := range in.Sheet.Rows {
		if r.Class == "" && !r.Frozen {
			rowsWithoutClass++
		}
		if _, ok := in.Images[r.Frame]; ok {
			imagesWithoutRow--
		}
	}
	return imagesWithoutRow, rowsWithoutClass
}

// describe puts what is wrong with an episode's sheet and images into its row of the plan.
func (b *earlierProblems) describe(ctx context.Context, row *state.EpisodePlan, in EpisodeInput, all []state.Problem) {
	row.ImagesWithoutRow, row.RowsWithoutClass = withoutPartner(in)
	if len(all) > 0 {
		b.mark(ctx, row.Name(), all)
	}
	countProblems(row, all)
}

// countProblems counts all problems in the episode's row of the plan, and lists the first. It sorts
// them.
func countProblems(row *state.EpisodePlan, all []state.Problem) {
	row.Kinds = state.CountKinds(all)
	row.Problems, row.MoreProblems = bounded(all)
}

// bounded sorts problems, errors before warnings, in the order of the sheet's rows, and keeps the
// first MaxProblems.
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

// earlierRuns is how many runs back the run before of an episode is looked for.
const earlierRuns = 5

// earlierProblems are those of the runs before this one. They only mark what is new: where they
// cannot be read, nothing is marked.
type earlierProblems struct {
	store *state.Store
	run   string // this run; "" for a dry run
	once  sync.Once
	plans []*state.Plan // the newest first
}

// mark sets New on the problems that the episode did not have in the run before. A problem is the
// same as one of the run before when it has the same frame, kind and value: its row may have moved.
// Of equal ones, as of rows without a frame's name, the additional ones are new.
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

// identity is what a problem keeps when rows are inserted or sorted.
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

// of finds the episode's problems in the newest run that has read its sheet. It is false when none
// has, or when that was planned by a release that did not record the kinds.
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
