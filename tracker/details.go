package tracker

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// ReadDetails reads what the ledger of a planned run has beyond its numbers: the dead tasks, by
// seq, and the progress of each episode with tasks.
func (t *Tracker) ReadDetails(ctx context.Context, plan *state.Plan) ([]state.DeadTask, map[dataset.Episode]state.EpisodeProgress, error) {
	l, err := readLedger(ctx, t.Store, plan.Run, plan.Generation, plan.Tasks)
	if err != nil {
		return nil, nil, err
	}
	dead, err := deadList(ctx, t.Store, l)
	return dead, episodeProgress(plan, l), err
}

func episodeProgress(plan *state.Plan, l *Ledger) map[dataset.Episode]state.EpisodeProgress {
	s := l.split()
	all := map[dataset.Episode]state.EpisodeProgress{}
	for _, e := range plan.Episodes {
		n := e.Totals.Tasks()
		if n == 0 || e.State != state.EpisodePlanned {
			continue
		}
		in := func(b *roaring.Bitmap) int {
			return int(b.CardinalityInRange(uint64(e.FirstSeq), uint64(e.FirstSeq+n)))
		}
		all[e.Name()] = state.EpisodeProgress{Tasks: n, Done: in(s.done), Dead: in(s.dead), Superseded: in(s.superseded)}
	}
	return all
}
