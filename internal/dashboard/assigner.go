package dashboard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const (
	// assignerTTL is how long an assigner is kept. Its key has all that it depends on.
	assignerTTL = 10 * time.Minute
	// maxAssigners bounds the memory: a season that is stratified frame by frame takes some 40 MB.
	maxAssigners = 2
	// maxDrawings bounds the drawn episodes, of half a megabyte each.
	maxDrawings = 16
)

// findAssigner says where the frames of an episode belong under a definition. A stratified one is drawn
// from the season's tables, which must all be there.
func (d *dashboard) findAssigner(ctx context.Context, def state.Definition, season []*inventory.Table, t *inventory.Table) (Assigner, error) {
	if d.NewAssigner == nil {
		return nil, errors.New("this dashboard cannot draw datasets")
	}
	if !def.Stratify {
		return d.NewAssigner(def, nil, currentPlaces(def, t))
	}
	key := fmt.Sprint(def.List(), episodeTables{Tables: season}.cacheKey())
	if len(def.Pinned) > 0 {
		key += string(t.Episode)
	}
	return d.assigners.get(ctx, key, func(context.Context) (Assigner, error) {
		var all []inventory.Labelled
		for _, x := range season {
			all = append(all, x.Labelled()...)
		}
		return d.NewAssigner(def, all, currentPlaces(def, t))
	})
}

// drawDatasets gives the dataset of each frame of an episode when a plan with the definition has been
// applied.
func (d *dashboard) drawDatasets(ctx context.Context, def state.Definition, season []*inventory.Table, t *inventory.Table) ([]string, error) {
	key := fmt.Sprint(def.List(), episodeTables{Tables: []*inventory.Table{t}}.cacheKey(), episodeTables{Tables: season}.cacheKey())
	return d.drawings.get(ctx, key, func(ctx context.Context) ([]string, error) {
		a, err := d.findAssigner(ctx, def, season, t)
		if err != nil {
			return nil, err
		}
		return t.Drawn(a.Dataset), nil
	})
}

// currentPlaces is where the frames of an episode stand, for pins; nil without any.
func currentPlaces(def state.Definition, t *inventory.Table) dataset.Standing {
	if len(def.Pinned) == 0 {
		return nil
	}
	s := dataset.Standing{}
	for i, f := range t.Frames {
		if f.Stands() {
			s[t.Name(i)] = []dataset.Copy{{Place: t.Place(i)}}
		}
	}
	return s
}
