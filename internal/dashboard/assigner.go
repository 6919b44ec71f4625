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
	// assignerTTL is how long an assigner is cached. Its key contains everything that it depends
	// on.
	assignerTTL = 10 * time.Minute
	// maxAssigners limits the memory: a season that is stratified frame by frame takes about 40 MB.
	maxAssigners = 2
	// maxDrawings limits the cached episodes, of half a megabyte each.
	maxDrawings = 16
)

// findAssigner returns the assigner of an episode's frames to datasets under a definition. A
// stratified one needs the tables of the whole season.
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
		var all []inventory.LabelledFrame
		for _, x := range season {
			all = append(all, x.LabelledFrames()...)
		}
		return d.NewAssigner(def, all, currentPlaces(def, t))
	})
}

// drawDatasets returns the dataset of each frame of an episode after a plan with the definition.
func (d *dashboard) drawDatasets(ctx context.Context, def state.Definition, season []*inventory.Table, t *inventory.Table) ([]string, error) {
	key := fmt.Sprint(def.List(), episodeTables{Tables: []*inventory.Table{t}}.cacheKey(), episodeTables{Tables: season}.cacheKey())
	return d.drawings.get(ctx, key, func(ctx context.Context) ([]string, error) {
		a, err := d.findAssigner(ctx, def, season, t)
		if err != nil {
			return nil, err
		}
		return t.AssignDatasets(a.Dataset), nil
	})
}

// currentPlaces returns where the frames of an episode are now, for pins; nil without pins.
func currentPlaces(def state.Definition, t *inventory.Table) dataset.Standing {
	if len(def.Pinned) == 0 {
		return nil
	}
	s := dataset.Standing{}
	for i, f := range t.Frames {
		if f.InDataset() {
			s[t.Name(i)] = []dataset.Copy{{Place: t.Place(i)}}
		}
	}
	return s
}
