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

// runsPerPage is the number of runs on the first page.
const runsPerPage = 20

// runsPage is the page of the runs.
func (d *dashboard) runsPage(r *http.Request) (page.Page, error) {
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
		names = append(names, pointer.Run) // a run in planning has no objects yet
	}
	slices.SortFunc(names, func(a, b string) int { return state.CompareRuns(b, a) })
	p := &page.Runs{More: len(names) > runsPerPage}
	p.All = make([]state.Status, min(len(names), runsPerPage))
	g, reading := errgroup.WithContext(ctx)
	for i := range p.All {
		read := func(ctx context.Context) (state.Status, error) { return state.ReadStatus(ctx, d.Store, names[i]) }
		g.Go(func() (err error) {
			if names[i] == pointer.Run {
				p.All[i], err = read(reading)
			} else { // it is no longer in force
				p.All[i], err = d.ended.get(reading, names[i], read)
			}
			return err
		})
	}
	return p, g.Wait()
}

// newestRun is the name of the newest run in addresses.
const newestRun = "latest"

// runPage is the page of a run.
func (d *dashboard) runPage(r *http.Request) (page.Page, error) {
	run := r.PathValue("run")
	if run == newestRun {
		pointer, err := d.Store.Current(r.Context(), state.PointerSnapshot{})
		if err != nil {
			return nil, err
		}
		run = pointer.Run
	}
	return d.cachedRun(r.Context(), run)
}

// cachedRun reads the page of a run. The value is shared, so the caller must not change it.
func (d *dashboard) cachedRun(ctx context.Context, run string) (*page.Run, error) {
	return d.runs.get(ctx, run, func(ctx context.Context) (*page.Run, error) {
		p, err := readRun(ctx, d.Options, run)
		if err == nil && p.InForce && p.Status.State.Active() {
			live := d.readLive(ctx)
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
		p.Dead, p.ByEpisode, err = o.ReadLedger(ctx, found.Plan)
	}
	return p, err
}

// linesPerPage is the number of lines on a page of problems or of dead tasks.
const linesPerPage = 200

// pageBounds returns where a page of a list of n lines begins and ends, by the query, and its
// pager.
func pageBounds(r *http.Request, n, perPage int) (begin, end int, p page.Pager, err error) {
	if text := r.FormValue("skip"); text != "" {
		if begin, err = strconv.Atoi(text); err != nil || begin < 0 || begin > n {
			return 0, 0, p, visitorErrorf(http.StatusBadRequest, "skip=%.20q: expected a number from 0 to %d.", text, n)
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

// runEpisodesPage is the page of a run's episodes.
func (d *dashboard) runEpisodesPage(r *http.Request) (page.Page, error) {
	run, err := d.cachedRun(r.Context(), r.PathValue("run"))
	return page.EpisodesTab{Run: run}, err
}

// deadPage is the page of a run's dead tasks.
func (d *dashboard) deadPage(r *http.Request) (page.Page, error) {
	run, err := d.cachedRun(r.Context(), r.PathValue("run"))
	if err != nil {
		return nil, err
	}
	begin, end, pages, err := pageBounds(r, len(run.Dead), linesPerPage)
	if err != nil {
		return nil, err
	}
	return &page.DeadTab{Run: run, Shown: run.Dead[begin:end], Pages: pages}, nil
}
