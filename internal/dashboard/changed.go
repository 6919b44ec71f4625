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

// changesPage is the page of what a run copies, moves, refreshes or deletes, frame by frame.
func (d *dashboard) changesPage(r *http.Request) (page.Page, error) {
	run, err := d.cachedRun(r.Context(), r.PathValue("run"))
	if err != nil {
		return nil, err
	}
	c, err := parseTaskFilter(r)
	if err != nil {
		return nil, err
	}
	changes, pages, err := c.readPage(r.Context(), taskChanges{d.Store, run.Plan, func(ctx context.Context, e dataset.Episode) (map[dataset.Frame]cause, error) {
		return d.cachedCauses(ctx, run.Plan.Run, e)
	}}, run.Plan)
	if err != nil {
		return nil, err
	}
	if err := d.addCauses(r.Context(), run.Plan, changes); err != nil {
		return nil, err
	}
	p := &page.ChangesTab{Run: run, Heading: "Frame by frame", Fields: changeFields(run.Plan, c), Pages: pages}
	p.Tiles, err = d.changeTiles(r.Context(), changes, run)
	return p, err
}

func changeFields(plan *state.Plan, c taskFilter) []page.Field {
	ops, episodes := []string{"", "copy", "move", "refresh", "delete"}, []string{"", string(c.episode)}
	for _, e := range plan.Episodes {
		if e.Totals.Tasks() > 0 {
			episodes = append(episodes, string(e.Name()))
		}
	}
	causes := []string{"", string(c.cause)}
	for _, n := range plan.Changes {
		if !n.Held {
			causes = append(causes, string(n.Cause))
		}
	}
	return []page.Field{newField("op", "Task", string(c.op), ops), newField("cause", "Cause", string(c.cause), causes), newField("episode", "Episode", string(c.episode), episodes)}
}

// changeTiles makes tiles of the tasks' frames, with the addresses of their images.
func (d *dashboard) changeTiles(ctx context.Context, changes []change, run *page.Run) ([]page.Tile, error) {
	tasks := make([]messages.Task, len(changes))
	for i, c := range changes {
		tasks[i] = c.Task
	}
	keys, err := imageKeys(ctx, d.Options, tasks, run.Plan)
	if err != nil {
		return nil, err
	}
	tiles := taskTiles(tasks, run.Dead)
	for i, key := range keys {
		tiles[i].Image, tiles[i].Cause = imageURL(d.Store.Layout, key), changes[i].Cause
	}
	return tiles, nil
}

// taskTiles makes tiles of the tasks' frames, without images.
func taskTiles(tasks []messages.Task, deads []state.DeadTask) []page.Tile {
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

// imageKeys finds the key of an image for each task's frame; "" when there is no image any more.
func imageKeys(ctx context.Context, o Options, tasks []messages.Task, plan *state.Plan) ([]string, error) {
	keys := make([]string, len(tasks))
	g, looking := errgroup.WithContext(ctx)
	g.SetLimit(maxImageReads)
	for i, some := range candidateKeys(o.Store.Layout, tasks, plan) {
		g.Go(func() (err error) {
			keys[i], err = firstImage(looking, o, some)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("find images: %w", err)
	}
	return keys, nil
}

// candidateKeys lists the keys that may have an image of each task's frame. A deletion has no
// source: its candidates are the copy that it deletes, then the image in the episode's folder.
func candidateKeys(l dataset.Layout, tasks []messages.Task, plan *state.Plan) [][]string {
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
