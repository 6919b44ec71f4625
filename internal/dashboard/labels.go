package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
)

const (
	// islandsPerPage is the number of islands, or of pairs of near duplicates, on one page.
	islandsPerPage = 20
	// shownGroups limits the shown images that are in several datasets, and shownCopies the frames
	// of each.
	shownGroups, shownCopies = 20, 6
)

// labelsPage is the page of doubtful labels.
func (d *dashboard) labelsPage(r *http.Request) (page.Page, error) {
	l, err := d.readSeasonView(r)
	if err != nil {
		return nil, err
	}
	p := &page.Labels{Reading: l.progress(), Fields: l.scopeFields(r), Query: r.URL.RawQuery}
	classes := inventory.ListClasses(l.Tables, l.Settings.Classes)
	for _, pair := range [][2]inventory.Column{{inventory.Unsupervised, inventory.Supervised}, {inventory.Supervised, inventory.Jonny}, {inventory.Unsupervised, inventory.Jonny}} {
		counts := inventory.CountPairs(l.Tables, pair[0], pair[1])
		p.Matrices = append(p.Matrices, page.NewConfusion(pair[0], pair[1], counts, classes, l.scopeQuery()))
	}
	var islands []inventory.Ref
	for n, t := range l.Tables {
		for _, i := range t.FindIslands() {
			islands = append(islands, inventory.Ref{Table: n, Index: i})
		}
	}
	begin, end, pages, err := pageBounds(r, len(islands), islandsPerPage)
	if err != nil && l.Missing() == 0 {
		return nil, err
	}
	p.Count, p.Pages = len(islands), pages
	for _, at := range islands[begin:end] {
		t := l.Tables[at.Table]
		island := page.Island{Class: t.Text(t.Frames[at.Index].Class), Around: t.Text(t.Frames[at.Index-1].Class), Row: int(t.Frames[at.Index].Row), Sheet: t.Sheet}
		for i := at.Index - 1; i <= at.Index+1; i++ {
			tile := d.tile(t, i)
			tile.Highlighted = i == at.Index
			island.Tiles = append(island.Tiles, tile)
		}
		p.Islands = append(p.Islands, island)
	}
	return p, nil
}

// scopeFields are the form fields for season and episode.
func (l seasonView) scopeFields(r *http.Request) (fields []page.Field) {
	for _, f := range l.fields(r) {
		if f.Name == "season" || f.Name == "episode" {
			fields = append(fields, f)
		}
	}
	return fields
}

// scopeQuery is the part of an address that selects the same season and episode.
func (l seasonView) scopeQuery() url.Values {
	q := url.Values{}
	if l.Episode != "" {
		q.Set("episode", string(l.Episode))
	} else if len(l.seasons()) > 1 {
		q.Set("season", l.Season)
	}
	return q
}

// duplicatesTTL is how long near duplicates are cached. Their key contains everything that they
// depend on.
const duplicatesTTL = 10 * time.Minute

// nearDuplicates are the near duplicates of some tables.
type nearDuplicates struct {
	leaking []inventory.Ref // frames outside the training dataset, beside a training frame
	frames  int             // outside the training dataset
	groups  [][]inventory.Ref
}

func findNearDuplicates(tables []*inventory.Table, training string) (n nearDuplicates) {
	for at, t := range tables {
		found, frames := t.FindLeaking(t.CurrentDatasets(), training)
		n.frames += frames
		for _, i := range found {
			n.leaking = append(n.leaking, inventory.Ref{Table: at, Index: i})
		}
	}
	n.groups = inventory.FindIdentical(tables)
	return n
}

// duplicatesPage is the page of equal and nearly equal frames in different datasets.
func (d *dashboard) duplicatesPage(r *http.Request) (page.Page, error) {
	l, err := d.readSeasonView(r)
	if err != nil {
		return nil, err
	}
	p := &page.Duplicates{Reading: l.progress(), Fields: l.scopeFields(r), Training: l.trainingDataset(), Group: l.Settings.Group, Query: r.URL.RawQuery}
	n, err := waitBriefly(r.Context(), func(ctx context.Context) (nearDuplicates, error) {
		return d.nearDuplicates.get(ctx, p.Training+" "+l.cacheKey(), func(context.Context) (nearDuplicates, error) { return findNearDuplicates(l.Tables, p.Training), nil })
	})
	if errors.Is(err, errNotReady) {
		p.Reading.Pending = true
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	begin, end, pages, err := pageBounds(r, len(n.leaking), islandsPerPage)
	if err != nil && l.Missing() == 0 {
		return nil, err
	}
	p.Leaking, p.Frames, p.Pages = len(n.leaking), n.frames, pages
	for _, at := range n.leaking[begin:end] {
		t := l.Tables[at.Table]
		p.Pairs = append(p.Pairs, page.DuplicatePair{Tiles: []page.Tile{d.tile(t, at.Index), d.tile(t, t.TrainingNeighbour(at.Index, p.Training))}})
	}
	p.Images = len(n.groups)
	for i, group := range n.groups {
		p.Copies += len(group)
		if i >= shownGroups {
			continue
		}
		var tiles []page.Tile
		for _, at := range pickGroupFrames(l.Tables, group) {
			tiles = append(tiles, d.tile(l.Tables[at.Table], at.Index))
		}
		p.Groups = append(p.Groups, tiles)
	}
	return p, nil
}

// cacheKey is different for different tables or newer reads of them.
func (l episodeTables) cacheKey() string {
	var key strings.Builder
	for _, t := range l.Tables {
		fmt.Fprintf(&key, "%s@%d ", t.Episode, t.Read.UnixNano())
	}
	return key.String()
}

// pickGroupFrames returns at most shownCopies frames of a group: the first of each dataset, then
// others.
func pickGroupFrames(tables []*inventory.Table, group []inventory.Ref) []inventory.Ref {
	var first, others []inventory.Ref
	seen := map[string]bool{}
	for _, at := range group {
		t := tables[at.Table]
		if name := t.Text(t.Frames[at.Index].Dataset); !seen[name] {
			seen[name] = true
			first = append(first, at)
		} else {
			others = append(others, at)
		}
	}
	all := append(first, others...)
	return all[:min(len(all), shownCopies)]
}
