package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// latestVersion reads the latest dataset version, nil before the first.
func (d *dashboard) latestVersion(ctx context.Context) (*state.Version, error) {
	v, err := d.Store.LatestVersion(ctx)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, nil
	}
	return &v, err
}

// parseEpisode reads the episode from the query, "" for all.
func parseEpisode(r *http.Request) (dataset.Episode, error) {
	text := r.FormValue("episode")
	if text == "" {
		return "", nil
	}
	e, err := dataset.ParseEpisodeFlag(text)
	if err != nil {
		return "", visitorErrorf(http.StatusBadRequest, "episode=%.20q: expected the form S01E01.", text)
	}
	return e, nil
}

// newField makes a choice of the values, each once.
func newField(name, label, chosen string, values []string) page.Field {
	slices.Sort(values)
	f := page.Field{Name: name, Label: label}
	for _, v := range slices.Compact(values) {
		text := v
		if v == "" {
			text = map[string]string{"episode": "all", "class": "(no class)", "op": "all", "cause": "all", "kind": "all"}[name]
		}
		f.Options = append(f.Options, page.Option{Value: v, Text: text, Chosen: v == chosen})
	}
	return f
}
