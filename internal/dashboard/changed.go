package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// choice is which tasks of a run a contact sheet shows.
type choice struct {
	op      messages.Op     // "" is all
	episode dataset.Episode // "" is all
	from    int             // seq of the first that may be shown
}

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
	tasks, next, err := chosenTasks(r.Context(), d.Store, run.Plan, c, tilesPerPage)
	if err != nil {
		return nil, err
	}
	p := &page.Contact{
		Name: map[messages.Op]string{messages.Copy: "Copied", messages.Move: "Moved", messages.Refresh: "Refreshed", messages.Delete: "Deleted"}[c.op],
		Run:  run.Status.Run, Path: run.Path() + "/frames", Fields: changeFields(run.Plan, c),
	}
	if p.Name == "" {
		p.Name = "Changed"
	}
	if c.from > 0 {
		p.First = "?" + c.query(0)
	}
	if next >= 0 {
		p.Next = "?" + c.query(next)
	}
	p.Tiles, err = d.tiles(r.Context(), tasks, run)
	return p, err
}

func readChoice(r *http.Request) (c choice, err error) {
	c.op = messages.Op(r.FormValue("op"))
	switch c.op {
	case "", messages.Copy, messages.Move, messages.Refresh, messages.Delete:
	default:
		return c, refused(http.StatusBadRequest, "op=%.20q: expected copy, move, refresh or delete.", string(c.op))
	}
	if c.episode, err = episodeOf(r); err != nil {
		return c, err
	}
	if text := r.FormValue("from"); text != "" {
		if c.from, err = strconv.Atoi(text); err != nil || c.from < 0 {
			return c, refused(http.StatusBadRequest, "from=%.20q: expected a task's number.", text)
		}
	}
	return c, nil
}

func (c choice) query(from int) string {
	q := url.Values{}
	for name, value := range map[string]string{"op": string(c.op), "episode": string(c.episode)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if from > 0 {
		q.Set("from", strconv.Itoa(from))
	}
	return q.Encode()
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

// chosenTasks are the first so many tasks that fit, and the seq of the next that does, -1 when there is none. It reads the chunks
// that may have some, one after the other.
func chosenTasks(ctx context.Context, s *state.Store, plan *state.Plan, c choice, most int) (tasks []messages.Task, next int, err error) {
	begin, end := c.bounds(plan)
	for chunk := begin / state.ChunkTasks; chunk*state.ChunkTasks < end; chunk++ {
		all, err := s.ReadTasks(ctx, plan.Run, chunk)
		if err != nil {
			return nil, -1, err
		}
		for _, t := range all {
			seq := int(t.Seq)
			if seq < begin || seq >= end || c.op != "" && t.Op != c.op {
				continue
			}
			if len(tasks) == most {
				return tasks, seq, nil
			}
			tasks = append(tasks, t)
		}
	}
	return tasks, -1, nil
}

// bounds are the seqs that may fit, the second one excluded.
func (c choice) bounds(plan *state.Plan) (begin, end int) {
	if c.episode == "" {
		return c.from, plan.Tasks
	}
	for _, e := range plan.Episodes {
		if e.Name() == c.episode && e.State == state.EpisodePlanned {
			return max(c.from, e.FirstSeq), e.FirstSeq + e.Totals.Tasks()
		}
	}
	return 0, 0
}

// tiles are the tasks' frames with the addresses of their images.
func (d *dashboard) tiles(ctx context.Context, tasks []messages.Task, run *page.Run) ([]page.Tile, error) {
	keys, err := imageKeys(ctx, d.Options, tasks, run.Plan)
	if err != nil {
		return nil, err
	}
	tiles := tilesOf(d.Store.Layout, tasks, run.Dead)
	for i, key := range keys {
		tiles[i].Image = imageURL(d.Store.Layout, key)
	}
	return tiles, nil
}

// tilesOf are the tasks' frames, without images.
func tilesOf(l dataset.Layout, tasks []messages.Task, deads []state.DeadTask) []page.Tile {
	dead := map[uint32]bool{}
	for _, t := range deads {
		dead[t.Task.Seq] = true
	}
	tiles := make([]page.Tile, len(tasks))
	for i, t := range tasks {
		tiles[i] = page.Tile{Frame: t.Frame, Note: page.Where(l, t), Dead: dead[t.Seq]}
	}
	return tiles
}

// imageKeys says where each task's frame can be seen: its source, and for a deletion, which has none, the copy that
// it deletes, or the episode's folder where that is gone. A key is "" when there is no image any more.
func imageKeys(ctx context.Context, o Options, tasks []messages.Task, plan *state.Plan) ([]string, error) {
	keys := make([]string, len(tasks))
	bases := map[dataset.Episode]string{}
	g, looking := errgroup.WithContext(ctx)
	g.SetLimit(imagesAtOnce)
	for i, t := range tasks {
		if t.Src != "" {
			keys[i] = t.Src
			bases[t.Frame.Episode()] = t.Src[:len(t.Src)-len(t.Frame.File())]
		}
	}
	for i, t := range tasks {
		candidates := append([]string{}, t.Del...)
		base := bases[t.Frame.Episode()]
		if base == "" {
			base = rows.DefaultBase(o.Store.Layout.Prefix, t.Frame.Episode(), plan.Settings.ImageSize)
		}
		candidates = append(candidates, base+t.Frame.File())
		if keys[i] != "" {
			candidates = []string{keys[i]}
		}
		g.Go(func() (err error) {
			keys[i], err = firstImage(looking, o, candidates)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("look for images: %w", err)
	}
	return keys, nil
}
