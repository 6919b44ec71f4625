package tracker

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Look is what the ledger of a planned run tells beyond its numbers: its dead tasks, by seq, and
// how far each episode with tasks has come.
func (t *Tracker) Look(ctx context.Context, plan *state.Plan) ([]state.DeadTask, map[dataset.Episode]state.EpisodeProgress, error) {
	l, err := readLedger(ctx, t.Store, plan.Run, plan.Generation, plan.Tasks)
	if err != nil {
		return nil, nil, err
	}
	dead, err := deadList(ctx, t.Store, l)
	return dead, episodes(plan, l), err
}

func episodes(plan *state.Plan, l *Ledger) map[dataset.Episode]state.EpisodeProgress {
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
