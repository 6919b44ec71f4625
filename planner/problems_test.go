package planner

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// news returns the rows of the problems that are marked as new.
func news(e state.EpisodePlan) (rows []int) {
	for _, p := range e.Problems {
		if p.New {
			rows = append(rows, p.Row)
		}
	}
	return rows
}

// TestNewProblems checks that a problem is marked if the previous run did not have it, in any row.
func TestNewProblems(t *testing.T) {
	bubble(t, "between runs", func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1, e2)
		w.images(frames(e1, 100)...)
		w.episode(e2, 5)
		cells := table("Common", frames(e1, 100))
		cells[7][0], cells[8][0] = "x", "" // rows 8 and 9
		w.sheet(e1, cells)
		if first := w.converge(Options{}); len(news(of(first, e1))) != 0 || len(of(first, e1).Problems) != 2 {
			t.Errorf("without a run before, nothing is new: %+v", of(first, e1).Problems)
		}
		if same := w.plan(Options{DryRun: true}); len(news(of(same, e1))) != 0 {
			t.Errorf("nothing has changed: rows %v", news(of(same, e1)))
		}
		// A run of only another episode is not the previous run of this episode.
		w.converge(Options{Episodes: []dataset.Episode{e2}})
		// A second row without a name moves the other rows down.
		cells = slices.Insert(cells, 1, []string{"", "Common", "", ""})
		cells[20][0] = "y"
		w.sheet(e1, cells)
		plan := w.plan(Options{Review: true})
		if got := news(of(plan, e1)); !slices.Equal(got, []int{0, 10, 21}) {
			t.Errorf("new in rows %v, want the frame without a row, the second row without a name and row 21: %+v", got, of(plan, e1).Problems)
		}
		want := []state.ProblemKind{
			{Kind: rows.KindMalformed, Count: 2, New: 1}, {Kind: rows.KindNoName, Count: 2, New: 1}, {Kind: kindRowless, Count: 1, New: 1},
		}
		if diff := cmp.Diff(want, of(plan, e1).Kinds); diff != "" {
			t.Errorf("kinds (-want +got):\n%s", diff)
		}
		if again := w.plan(Options{DryRun: true}); len(news(of(again, e1))) != 0 {
			t.Errorf("a review is a run before too: rows %v", news(of(again, e1)))
		}
	})
	bubble(t, "after an earlier release", func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		w.episode(e1, 100)
		cells := table("Common", frames(e1, 100))
		cells[7][0] = "x"
		w.sheet(e1, cells)
		plan := w.plan(Options{Review: true})
		plan.Episodes[0].Kinds = nil
		for i := range plan.Episodes[0].Problems {
			plan.Episodes[0].Problems[i].Kind = ""
		}
		w.must(w.store.WritePlan(t.Context(), plan))
		if dry := w.plan(Options{DryRun: true}); len(news(of(dry, e1))) != 0 {
			t.Errorf("the run before did not record kinds, so nothing is known to be new: %+v", of(dry, e1).Problems)
		}
	})
}

// TestProblemsOfAnInspection checks that doctor and the plan have the same counts.
func TestProblemsOfAnInspection(t *testing.T) {
	for _, o := range odd {
		bubble(t, o.name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			cells, images, stand := o.world()
			w.sheet(e1, cells)
			w.images(images...)
			for p, all := range stand {
				w.stand(p, all...)
			}
			want := of(w.plan(Options{DryRun: true}), e1)
			all, _, err := w.planner().Inspect(t.Context())
			w.must(err)
			got := all[0].Plan
			// Doctor does not compare with the datasets.
			if want.Cause == state.CauseDeletions || want.Cause == state.CauseRefreshes {
				want.ImagesWithoutRow, want.RowsWithoutClass = got.ImagesWithoutRow, got.RowsWithoutClass
			}
			if diff := cmp.Diff(want.Kinds, got.Kinds); diff != "" {
				t.Errorf("(-plan +inspection):\n%s", diff)
			}
			if want.ImagesWithoutRow != got.ImagesWithoutRow || want.RowsWithoutClass != got.RowsWithoutClass || want.ProblemCount() != got.ProblemCount() {
				t.Errorf("plan: %d images without a row, %d rows without a class; inspection: %d, %d",
					want.ImagesWithoutRow, want.RowsWithoutClass, got.ImagesWithoutRow, got.RowsWithoutClass)
			}
		})
	}
}

// TestMoreProblemsThanAPlanLists checks that the counts include all problems, and that all problems
// are saved next to the plan.
func TestMoreProblemsThanAPlanLists(t *testing.T) {
	bubble(t, "a review", func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		n := state.MaxProblems + 50
		w.images(frames(e1, n)[0])
		w.sheet(e1, table("Common", frames(e1, n)))
		plan := w.plan(Options{Review: true})
		e := of(plan, e1)
		if want := []state.ProblemKind{{Kind: kindNoImage, Count: n - 1}}; !cmp.Equal(e.Kinds, want) || e.MoreProblems != 49 {
			t.Errorf("%+v, %d more", e.Kinds, e.MoreProblems)
		}
		all, err := w.store.ReadProblems(t.Context(), plan.Run, e)
		if err != nil || len(all) != n-1 {
			t.Errorf("%d problems are kept, %v", len(all), err)
		}
		if e.ImagesWithoutRow != 0 || e.RowsWithoutClass != 0 {
			t.Errorf("%d images without a row, %d rows without a class", e.ImagesWithoutRow, e.RowsWithoutClass)
		}
	})
}

// TestWithoutPartner checks that images without a row and rows without a class are counted but are
// no problems.
func TestWithoutPartner(t *testing.T) {
	bubble(t, "a dry run", func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		all := frames(e1, 50)
		w.images(all...)
		cells := table("Common", all[:40])
		for i := 1; i <= 7; i++ {
			cells[i][1] = ""
		}
		w.sheet(e1, cells)
		e := of(w.plan(Options{DryRun: true}), e1)
		if e.ImagesWithoutRow != 10 || e.RowsWithoutClass != 7 || e.ProblemCount() != 0 {
			t.Errorf("%+v", e)
		}
	})
}

// TestUnreadableRunBefore checks that a plan does not fail when it cannot read the previous run to
// mark new problems.
func TestUnreadableRunBefore(t *testing.T) {
	bubble(t, "a damaged plan", func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		w.episode(e1, 100)
		cells := table("Common", frames(e1, 100))
		cells[7][0] = "x"
		w.sheet(e1, cells)
		before := w.converge(Options{})
		w.put(strings.TrimPrefix(fmt.Sprintf("%s%s", layout.State(), state.RunName(before.Run, "plan.json")), "/"), "{")
		if plan := w.plan(Options{DryRun: true}); len(news(of(plan, e1))) != 0 {
			t.Errorf("%+v", of(plan, e1).Problems)
		}
	})
}
