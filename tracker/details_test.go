package tracker_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// An episode's tasks are those from its first seq on; dead, superseded and open tasks are
// distinguished.
func TestReadDetails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 10)
		plan.Episodes[0].Totals, plan.Episodes[1].Totals = state.Totals{Copy: 4}, state.Totals{Move: 6}
		plan.Episodes[1].FirstSeq = 4
		plan.Episodes = append(plan.Episodes, state.EpisodePlan{Season: "S01", Episode: "E03", State: state.EpisodeHeld, Totals: state.Totals{Copy: 3}})
		w.must(w.store.WritePlan(t.Context(), plan))

		dead, episodes, err := w.tracker().ReadDetails(t.Context(), plan)
		w.must(err)
		if want := map[dataset.Episode]state.EpisodeProgress{e1: {Tasks: 4}, e2: {Tasks: 6}}; len(dead) != 0 || !cmp.Equal(episodes, want) {
			t.Errorf("before any result: %d dead, %v, want %v", len(dead), episodes, want)
		}

		w.work(func(task messages.Task) *messages.Result {
			switch task.Seq {
			case 3:
				return &messages.Result{Seq: 3, Outcome: messages.Superseded}
			case 4, 9:
				return &messages.Result{Seq: task.Seq, Outcome: messages.Dead, Code: "AccessDenied", Error: "no"}
			}
			return nil
		})
		_, err = w.tracker().Run(t.Context())
		w.must(err)
		dead, episodes, err = w.tracker().ReadDetails(t.Context(), plan)
		w.must(err)
		want := map[dataset.Episode]state.EpisodeProgress{e1: {Tasks: 4, Done: 3, Superseded: 1}, e2: {Tasks: 6, Done: 4, Dead: 2}}
		if !cmp.Equal(episodes, want) {
			t.Errorf("%v, want %v", episodes, want)
		}
		if len(dead) != 2 || dead[0].Task.Seq != 4 || dead[1].Task.Seq != 9 {
			t.Errorf("dead: %+v, want seq 4 and 9", dead)
		}
	})
}
