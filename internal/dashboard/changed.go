package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// changed is the contact sheet of what a run copies, moves, refreshes or deletes.
func (d *dashboard) changed(r *http.Request) (page.Page, error) {
	run, err := d.read(r.Context(), r.PathValue("run"))
	if err != nil {
		return nil, err
	}
	c, err := readChoice(r)
	if err != nil {
		return nil, err
	}
	tasks, pages, err := d.turn(r.Context(), run.Plan, c)
	if err != nil {
		return nil, err
	}
	p := &page.Contact{
		Name: map[messages.Op]string{messages.Copy: "Copied", messages.Move: "Moved", messages.Refresh: "Refreshed", messages.Delete: "Deleted"}[c.op],
		Run:  run.Status.Run, Path: run.Path() + "/frames", Fields: changeFields(run.Plan, c), Pages: pages,
	}
	if p.Name == "" {
		p.Name = "Changed"
	}
	p.Tiles, err = d.tiles(r.Context(), tasks, run)
	return p, err
}

func changeFields(plan *state.Plan, c choice) []page.Field {
	ops, episodes := []string{"", "copy", "move", "refresh", "delete"}, []string{"", string(c.episode)}
	for _, e := range plan.Episodes {
		if e.Totals.Tasks() > 0 {
			episodes = append(episodes, string(e.Name()))
		}
	}
	return []page.Field{field("op", "Task", string(c.op), ops), field("episode", "Episode", string(c.episode), episodes)}
}

// tiles are the tasks' frames with the addresses of their images.
func (d *dashboard) tiles(ctx context.Context, tasks []messages.Task, run *page.Run) ([]page.Tile, error) {
	keys, err := imageKeys(ctx, d.Options, tasks, run.Plan)
	if err != nil {
		return nil, err
	}
	tiles := tilesOf(tasks, run.Dead)
	for i, key := range keys {
		tiles[i].Image = imageURL(d.Store.Layout, key)
	}
	return tiles, nil
}

// tilesOf are the tasks' frames, without images.
func tilesOf(tasks []messages.Task, deads []state.DeadTask) []page.Tile {
	dead := map[uint32]bool{}
	for _, t := range deads {
		dead[t.Task.Seq] = true
	}
	tiles := make([]page.Tile, len(tasks))
	for i, t := range tasks {
		tiles[i] = page.Tile{Frame: t.Frame, Note: figure.Places(t.Del, t.Dst), Dead: dead[t.Seq]}
	}
	return tiles
}

// imageKeys says where each task's frame can be seen. A key is "" when there is no image any more.
func imageKeys(ctx context.Context, o Options, tasks []messages.Task, plan *state.Plan) ([]string, error) {
	keys := make([]string, len(tasks))
	g, looking := errgroup.WithContext(ctx)
	g.SetLimit(imagesAtOnce)
	for i, some := range candidates(o.Store.Layout, tasks, plan) {
		g.Go(func() (err error) {
			keys[i], err = firstImage(looking, o, some)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("look for images: %w", err)
	}
	return keys, nil
}

// candidates are where each task's frame may be seen: its source, and for a deletion, which has none, the copy that it deletes, or the
// episode's folder where that is gone.
func candidates(l dataset.Layout, tasks []messages.Task, plan *state.Plan) [][]string {
	bases := map[dataset.Episode]string{}
	for _, t := range tasks {
		if t.Src != "" {
			bases[t.Frame.Episode()] = t.Src[:len(t.Src)-len(t.Frame.File())]
		}
	}
	all := make([][]string, len(tasks))
	for i, t := range tasks {
		if t.Src != "" {
			all[i] = []string{t.Src}
			continue
		}
		base := bases[t.Frame.Episode()]
		if base == "" {
			base = rows.DefaultBase(l.Prefix, t.Frame.Episode(), plan.Settings.ImageSize)
		}
		all[i] = append(slices.Clone(t.Del), base+t.Frame.File())
	}
	return all
}
