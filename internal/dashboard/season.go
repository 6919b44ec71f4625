package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// catalogTTL is how long the catalog is cached.
const catalogTTL = 5 * time.Second

// catalog lists the episodes, with the settings of the datasets.
type catalog struct {
	Episodes []dataset.Episode
	// Settings are those of the newest run that has a plan, else of the newest version.
	Settings state.Settings
	Changed  time.Time                            // when the newest run ended; zero while it is active
	Problems map[dataset.Episode]page.RunProblems // of the newest run
}

// readCatalog reads the episodes of the newest version and of the newest run.
func (d *dashboard) readCatalog(ctx context.Context) (catalog, error) {
	return d.catalogs.get(ctx, struct{}{}, func(ctx context.Context) (catalog, error) {
		pointer, err := d.Store.Current(ctx, state.PointerSnapshot{})
		if err != nil {
			return catalog{}, err
		}
		v, err := d.Store.LatestVersion(ctx)
		if err != nil && !errors.Is(err, bucket.ErrNotFound) { // without a version, v is empty
			return catalog{}, err
		}
		x := catalog{Settings: v.Settings, Changed: pointer.Finished, Problems: map[dataset.Episode]page.RunProblems{}}
		for e := range v.Digests {
			x.Episodes = append(x.Episodes, e)
		}
		if pointer.Exists() {
			run, err := d.cachedRun(ctx, pointer.Run)
			if err != nil {
				return x, err
			}
			if run.Planned() {
				x.Settings = run.Plan.Settings
			}
			for _, e := range run.Plan.Episodes {
				x.Episodes = append(x.Episodes, e.Name())
				x.Problems[e.Name()] = run.ProblemsOf(e.Name())
			}
		}
		slices.Sort(x.Episodes)
		x.Episodes = slices.Compact(x.Episodes)
		return x, nil
	})
}

// trainingDataset is the dataset that models are trained on: train, else the first.
func (x catalog) trainingDataset() string {
	if slices.Contains(x.Settings.Datasets, "train") || len(x.Settings.Datasets) == 0 {
		return "train"
	}
	return x.Settings.Datasets[0]
}

// seasons are the codes of the seasons, in order.
func (x catalog) seasons() (codes []string) {
	for _, e := range x.Episodes {
		codes = append(codes, e.Season())
	}
	return slices.Compact(codes)
}

// seasonEpisodes are the episodes of a season, at most maxTables.
func (x catalog) seasonEpisodes(season string) (episodes []dataset.Episode) {
	for _, e := range x.Episodes {
		if e.Season() == season && len(episodes) < maxTables {
			episodes = append(episodes, e)
		}
	}
	return episodes
}

// seasonView has the values for a page about the frames of a season or an episode.
type seasonView struct {
	catalog
	episodeTables
	Season  string
	Episode dataset.Episode // "" is all of the season
}

// readSeasonView reads the season or episode of a request, by default the last season.
func (d *dashboard) readSeasonView(r *http.Request) (l seasonView, err error) {
	if l.catalog, err = d.readCatalog(r.Context()); err != nil {
		return l, err
	}
	if l.Episode, err = parseEpisode(r); err != nil {
		return l, err
	}
	seasons := l.seasons()
	if len(seasons) > 0 {
		l.Season = seasons[len(seasons)-1]
	}
	if text := r.FormValue("season"); text != "" {
		if l.Season, err = dataset.ParseSeason(text); err != nil {
			return l, visitorErrorf(http.StatusBadRequest, "season=%.20q: expected the form S01.", text)
		}
	}
	if l.Episode != "" {
		l.Season = l.Episode.Season()
	}
	episodes := l.seasonEpisodes(l.Season)
	if l.Episode != "" {
		episodes = []dataset.Episode{l.Episode}
	}
	l.episodeTables = d.tables.get(r.Context(), l.Changed, episodes...)
	return l, nil
}

// progress is how many of the tables have been read.
func (l episodeTables) progress() page.ReadProgress {
	p := page.ReadProgress{Read: len(l.Tables), Of: l.Of, Pending: l.Missing() > 0}
	for _, t := range l.Tables {
		if p.Oldest.IsZero() || t.Read.Before(p.Oldest) {
			p.Oldest = t.Read
		}
		if t.Held != "" {
			p.Held = append(p.Held, page.HeldEpisode{Episode: t.Episode, Reason: t.Held})
		}
	}
	if l.Err != nil {
		p.Failed = l.Err.Error()
	}
	return p
}

// tile makes the tile of the i-th frame. Its image is the source, else the copy in a dataset.
func (d *dashboard) tile(t *inventory.Table, i int) page.Tile {
	f, name := t.Frames[i], t.Name(i)
	tile := page.Tile{Frame: name, Class: t.Text(f.Class), Note: t.Text(f.Dataset)}
	switch {
	case f.Image != 0 && t.Base != "":
		tile.Image = imageURL(d.Store.Layout, t.Base+name.File())
	case f.InDataset():
		tile.Image = imageURL(d.Store.Layout, d.Store.Layout.Key(t.Place(i), name))
	}
	if !f.InDataset() {
		tile.Note = "in no dataset"
	}
	if f.InDataset() && tile.Class == "" {
		tile.Class = t.Text(f.Folder)
	}
	if f.Frozen() {
		tile.Marks = append(tile.Marks, "frozen")
	}
	if f.Problem() {
		tile.Marks = append(tile.Marks, "problem")
	}
	return tile
}
