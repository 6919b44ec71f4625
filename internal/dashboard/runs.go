package dashboard

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// listed is the number of runs on the first page.
const listed = 20

// first is the page of the runs.
func (d *dashboard) first(r *http.Request) (page.Page, error) {
	ctx := r.Context()
	pointer, err := d.Store.Current(ctx, state.PointerSnapshot{})
	if err != nil {
		return nil, err
	}
	names, err := d.Store.Runs(ctx)
	if err != nil {
		return nil, err
	}
	if pointer.Exists() && !slices.Contains(names, pointer.Run) {
		names = append(names, pointer.Run) // planning: nothing of it is saved yet
	}
	slices.SortFunc(names, func(a, b string) int { return state.CompareRuns(b, a) })
	p := &page.Runs{More: len(names) > listed}
	p.All = make([]state.Status, min(len(names), listed))
	g, reading := errgroup.WithContext(ctx)
	for i := range p.All {
		g.Go(func() (err error) {
			p.All[i], err = d.status(reading, names[i], pointer.Run)
			return err
		})
	}
	return p, g.Wait()
}

// status reads where a run stands; one that is no longer in force not every time.
func (d *dashboard) status(ctx context.Context, run, inForce string) (state.Status, error) {
	read := func(ctx context.Context) (state.Status, error) { return state.ReadStatus(ctx, d.Store, run) }
	if run == inForce {
		return read(ctx)
	}
	return d.ended.get(ctx, run, read)
}

// latest is the name by which a page asks for the newest run.
const latest = "latest"

// run is the page of a run.
func (d *dashboard) run(r *http.Request) (page.Page, error) {
	run := r.PathValue("run")
	if run == latest {
		pointer, err := d.Store.Current(r.Context(), state.PointerSnapshot{})
		if err != nil {
			return nil, err
		}
		run = pointer.Run
	}
	return d.read(r.Context(), run)
}

// read reads all that is shown of a run. Nobody may change it: it is shared.
func (d *dashboard) read(ctx context.Context, run string) (*page.Run, error) {
	return d.runs.get(ctx, run, func(ctx context.Context) (*page.Run, error) {
		p, err := readRun(ctx, d.Options, run)
		if err == nil && p.InForce && p.Status.State.Active() {
			live := d.live(ctx)
			p.Live = &live
		}
		return p, err
	})
}

func readRun(ctx context.Context, o Options, run string) (*page.Run, error) {
	found, err := state.ReadRun(ctx, o.Store, run)
	if err != nil {
		return nil, err
	}
	found.Status.Expect(o.Stall)
	p := &page.Run{Run: found}
	if p.Planned() {
		p.Dead, p.ByEpisode, err = o.Look(ctx, found.Plan)
	}
	return p, err
}

// perPage is the number of lines on a page of problems or of dead tasks.
const perPage = 200

// pageOf is where a page of a list of n begins and ends, by the query, and where it stands. So many
// fit on a page.
func pageOf(r *http.Request, n, perPage int) (begin, end int, p page.Pager, err error) {
	if text := r.FormValue("skip"); text != "" {
		if begin, err = strconv.Atoi(text); err != nil || begin < 0 || begin > n {
			return 0, 0, p, refused(http.StatusBadRequest, "skip=%.20q: expected a number from 0 to %d.", text, n)
		}
	}
	end = min(begin+perPage, n)
	p = page.NewPager(begin, end-begin, figure.Number(n))
	query := func(from int) string {
		q := r.URL.Query()
		q.Set("skip", strconv.Itoa(from))
		return "?" + q.Encode()
	}
	if begin > 0 {
		p.First, p.Previous = query(0), query(max(begin-perPage, 0))
	}
	if end < n {
		p.Next = query(end)
	}
	return begin, end, p, nil
}

// episodes is the page of a run's episodes.
func (d *dashboard) episodes(r *http.Request) (page.Page, error) {
	run, err := d.read(r.Context(), r.PathValue("run"))
	return page.EpisodesTab{Run: run}, err
}

// deads lists the dead tasks of a run.
func (d *dashboard) deads(r *http.Request) (page.Page, error) {
	run, err := d.read(r.Context(), r.PathValue("run"))
	if err != nil {
		return nil, err
	}
	begin, end, pages, err := pageOf(r, len(run.Dead), perPage)
	if err != nil {
		return nil, err
	}
	return &page.DeadTab{Run: run, Shown: run.Dead[begin:end], Pages: pages}, nil
}
