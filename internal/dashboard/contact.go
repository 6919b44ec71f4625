package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// tilesPerPage is the number of images on one page.
const tilesPerPage = 60

// frames is the contact sheet of a class in a dataset as it stands now; without them, the latest version's numbers to choose
// from.
func (d *dashboard) frames(r *http.Request) (page.Page, error) {
	version, err := d.version(r.Context())
	if err != nil {
		return nil, err
	}
	place := dataset.Place{Dataset: r.FormValue("dataset"), Class: r.FormValue("class")}
	if place.Dataset == "" {
		return page.NewDatasets(version), nil
	}
	episode, err := episodeOf(r)
	if err != nil {
		return nil, err
	}
	if !safePlace(place) {
		return nil, refused(http.StatusBadRequest, "dataset=%.40q class=%.40q: expected the names of two folders.", place.Dataset, place.Class)
	}
	p := &page.Contact{Name: place.String(), Path: "/frames", Fields: standingFields(version, place, episode)}
	at, err := readStanding(r, place, episode)
	if err != nil {
		return nil, err
	}
	return p, d.stand(r.Context(), p, at, version)
}

// version is the latest dataset version, nil before the first.
func (d *dashboard) version(ctx context.Context) (*state.Version, error) {
	v, err := d.Store.LatestVersion(ctx)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, nil
	}
	return &v, err
}

// safePlace says whether both names are of one folder each. A class may be empty: the dataset's own folder.
func safePlace(p dataset.Place) bool {
	single := func(name string) bool { return dataset.CheckKey(name) == nil && !strings.Contains(name, "/") }
	return single(p.Dataset) && (p.Class == "" || single(p.Class))
}

// episodeOf is the episode that the query names, "" for all.
func episodeOf(r *http.Request) (dataset.Episode, error) {
	text := r.FormValue("episode")
	if text == "" {
		return "", nil
	}
	e, err := dataset.ParseEpisodeFlag(text)
	if err != nil {
		return "", refused(http.StatusBadRequest, "episode=%.20q: expected the form S01E01.", text)
	}
	return e, nil
}

// standingFields are the places and episodes of the version, and what is chosen.
func standingFields(v *state.Version, chosen dataset.Place, e dataset.Episode) []page.Field {
	datasets, classes, episodes := []string{chosen.Dataset}, []string{chosen.Class}, []string{string(e)}
	if v != nil {
		datasets, classes = append(datasets, v.Datasets...), append(classes, v.Classes...)
		for name, counts := range v.Counts {
			datasets = append(datasets, name)
			for class := range counts {
				classes = append(classes, class)
			}
		}
		for episode := range v.Digests {
			episodes = append(episodes, string(episode))
		}
	}
	return []page.Field{
		field("dataset", "Dataset", chosen.Dataset, datasets), field("class", "Class", chosen.Class, classes),
		field("episode", "Episode", string(e), append(episodes, "")),
	}
}

// field is a choice of the values, each once.
func field(name, label, chosen string, values []string) page.Field {
	slices.Sort(values)
	f := page.Field{Name: name, Label: label}
	for _, v := range slices.Compact(values) {
		text := v
		if v == "" {
			text = map[string]string{"episode": "all", "class": "(no class)", "op": "all"}[name]
		}
		f.Options = append(f.Options, page.Option{Value: v, Text: text, Chosen: v == chosen})
	}
	return f
}
