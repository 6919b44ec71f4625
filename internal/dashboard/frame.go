package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
)

// firstImage returns the first key that has an object and may be read as an image; "" when there is
// none.
func firstImage(ctx context.Context, o Options, keys []string) (string, error) {
	for _, key := range keys {
		if checkImage(o.Store.Layout, key) != nil {
			continue
		}
		_, err := o.Bucket.HeadObject(ctx, key)
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, bucket.ErrNotFound) {
			return "", err
		}
	}
	return "", nil
}

const (
	// historyTTL is how long the tasks of a frame are cached. It is shorter than a run.
	historyTTL = 5 * time.Second
	// maxHistoryReads limits the frames whose tasks are searched at a time: each search reads a
	// chunk of tasks of every run.
	maxHistoryReads = 2
	// stripSide is the number of frames shown before and after a frame.
	stripSide = 4
)

// framePage is the page of one frame: its folders, its row in the sheet, and its tasks in past
// runs.
func (d *dashboard) framePage(r *http.Request) (page.Page, error) {
	f, err := dataset.ParseFrame(r.PathValue("frame"))
	if err != nil {
		return nil, visitorErrorf(http.StatusNotFound, "There is no such frame: the %s.", err)
	}
	ctx := r.Context()
	p := &page.Frame{Frame: f}
	pointer, err := d.Store.Current(ctx, state.PointerSnapshot{})
	if err != nil || !pointer.Exists() {
		return p, err
	}
	run, err := d.cachedRun(ctx, pointer.Run)
	if err != nil {
		return nil, err
	}
	d.fillFromRun(p, run)
	if p.Folders, err = d.findFolders(ctx, run.Plan.Settings, f); err != nil {
		return nil, err
	}
	x, err := d.readCatalog(ctx)
	if err != nil {
		return nil, err
	}
	base := ""
	got := d.tables.get(ctx, x.Changed, f.Episode())
	p.Reading = got.progress()
	if len(got.Tables) > 0 {
		base = got.Tables[0].Base
		d.fillFromTable(p, got.Tables[0])
		if err := d.addSplit(ctx, p, x, got.Tables[0]); err != nil {
			return nil, err
		}
	}
	if base == "" {
		base = rows.DefaultBase(d.Store.Layout.Prefix, f.Episode(), run.Plan.Settings.ImageSize)
	}
	if err := d.findImage(ctx, p, base); err != nil {
		return nil, err
	}
	return p, d.addHistory(ctx, p)
}

// fillFromTable fills in what comes from the sheet and the listings, and the neighbours in time.
func (d *dashboard) fillFromTable(p *page.Frame, t *inventory.Table) {
	at, ok := t.IndexOf(p.Frame)
	if at > 0 {
		p.Previous = t.Name(at - 1)
	}
	after := at
	if ok {
		after++
	}
	if after < len(t.Frames) {
		p.Next = t.Name(after)
	}
	for i := max(at-stripSide, 0); i < min(after+stripSide, len(t.Frames)); i++ {
		tile := d.tile(t, i)
		tile.Highlighted = ok && i == at
		p.Strip = append(p.Strip, tile)
	}
	p.Sheet, p.Problems, p.Held = t.Sheet, t.ProblemsOf(p.Frame), t.Held
	p.Known = t.Held == ""
	if !ok {
		return
	}
	f := t.Frames[at]
	p.Row, p.Class = int(f.Row), t.Text(f.Class)
	if f.Frozen() && p.Held == "" {
		p.Held = "the next plan does not change it"
	}
	deciding, decided := f.Deciding()
	for _, c := range []inventory.Column{inventory.Jonny, inventory.Supervised, inventory.Unsupervised} {
		p.Cells = append(p.Cells, page.FrameCell{Column: columnTitles[c], Value: t.Text(f.Cells[c]), Decides: decided && c == deciding})
	}
}

// columnTitles are the columns' names in the sheets.
var columnTitles = [inventory.Columns]string{rows.ColumnUnsupervised, rows.ColumnSupervised, rows.ColumnJonny}

// addSplit adds how the split places the frame. A stratified split depends on the whole season,
// which may not be read yet.
func (d *dashboard) addSplit(ctx context.Context, p *page.Frame, x catalog, t *inventory.Table) error {
	season := []*inventory.Table{t}
	if x.Settings.Stratify {
		got := d.tables.get(ctx, x.Changed, x.seasonEpisodes(t.Episode.Season())...)
		if season, p.Reading = got.Tables, got.progress(); got.Missing() > 0 {
			return nil
		}
	}
	if d.NewAssigner == nil || x.Settings.Seed == "" {
		return nil
	}
	a, err := waitBriefly(ctx, func(ctx context.Context) (Assigner, error) {
		return d.findAssigner(ctx, x.Settings.Definition, season, t)
	})
	if errors.Is(err, errNotReady) {
		p.Searching = true
		return nil
	}
	if err != nil {
		return err
	}
	p.Place = &page.FramePlace{Split: a.Explain(p.Frame)}
	return nil
}

// addHistory adds the tasks that runs had for the frame.
func (d *dashboard) addHistory(ctx context.Context, p *page.Frame) error {
	if d.ReadHistory == nil {
		return nil
	}
	all, err := waitBriefly(ctx, func(ctx context.Context) ([]why.Operation, error) {
		return d.histories.get(ctx, p.Frame, func(ctx context.Context) ([]why.Operation, error) {
			d.historySlots <- struct{}{}
			defer func() { <-d.historySlots }()
			return d.ReadHistory(ctx, p.Frame)
		})
	})
	switch {
	case errors.Is(err, errNotReady):
		p.Searching = true
		return nil
	case err != nil:
		return err
	}
	p.SetOperations(all)
	return nil
}

// fillFromRun fills in the frame's problems and dead tasks of the newest run.
func (d *dashboard) fillFromRun(p *page.Frame, run *page.Run) {
	for _, e := range run.Plan.Episodes {
		if e.Name() != p.Frame.Episode() {
			continue
		}
		p.Sheet = e.Sheet
		for _, problem := range e.Problems {
			if problem.Frame == string(p.Frame) {
				p.Problems = append(p.Problems, problem)
			}
		}
	}
	for _, t := range run.Dead {
		if t.Task.Frame == p.Frame {
			p.Operations = append(p.Operations, page.FrameOperation{
				Run: run.Status.Run, Op: t.Task.Op, Where: figure.Places(t.Task.Del, t.Task.Dst), Outcome: "dead: " + t.Reason,
			})
		}
	}
}

// findFolders finds the folders that hold the frame, in all datasets that the settings have ever
// named.
func (d *dashboard) findFolders(ctx context.Context, s state.Settings, f dataset.Frame) ([]dataset.Place, error) {
	dest := dataset.Destination{Bucket: d.Bucket, Layout: d.Store.Layout, Datasets: s.Listed, Parallel: maxImageReads}
	all, err := dest.Places(ctx)
	if err != nil {
		return nil, err
	}
	exists := make([]bool, len(all))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxImageReads)
	for i, place := range all {
		g.Go(func() error {
			_, err := d.Bucket.HeadObject(ctx, d.Store.Layout.Key(place, f))
			exists[i] = err == nil
			if errors.Is(err, bucket.ErrNotFound) {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var found []dataset.Place
	for i, place := range all {
		if exists[i] {
			found = append(found, place)
		}
	}
	slices.SortFunc(found, dataset.Place.Compare)
	return found, nil
}

// findImage finds the frame's image: in the episode's folder, else in the datasets.
func (d *dashboard) findImage(ctx context.Context, p *page.Frame, base string) error {
	usual := base + p.Frame.File()
	keys := []string{usual}
	for _, place := range p.Folders {
		keys = append(keys, d.Store.Layout.Key(place, p.Frame))
	}
	key, err := firstImage(ctx, d.Options, keys)
	p.Image = imageURL(d.Store.Layout, key)
	if key == usual {
		p.Source = key
	}
	return err
}
