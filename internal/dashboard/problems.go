package dashboard

import (
	"net/http"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// problems lists what a plan found in the sheets: all of it, one kind, or one episode's.
func (d *dashboard) problems(r *http.Request) (page.Page, error) {
	run, err := d.read(r.Context(), r.PathValue("run"))
	if err != nil {
		return nil, err
	}
	if e := r.PathValue("episode"); e != "" {
		q := r.URL.Query()
		q.Set("episode", e)
		r.URL.RawQuery = q.Encode()
	}
	episode, err := episodeOf(r)
	if err != nil {
		return nil, err
	}
	kind, fresh := r.FormValue("kind"), r.FormValue("new")
	if fresh != "" && fresh != onlyNew {
		return nil, refused(http.StatusBadRequest, "new=%.20q: expected %s.", fresh, onlyNew)
	}
	p := &page.ProblemsTab{Run: run, Heading: "Row by row", Chosen: kind != "" || episode != "" || fresh != "", Fields: problemFields(run, kind, episode, fresh)}
	if episode != "" {
		i := slices.IndexFunc(run.Plan.Episodes, func(e state.EpisodePlan) bool { return e.Name() == episode })
		if i < 0 {
			return nil, refused(http.StatusNotFound, "The run has no such episode.")
		}
		p.Reason = run.Plan.Episodes[i].Reason
	}
	all := problemsOf(run, kind, episode, fresh == onlyNew)
	begin, end, pages, err := pageOf(r, len(all), perPage)
	if err != nil {
		return nil, err
	}
	if p.Chosen {
		p.Heading = figure.Count(len(all), "problem")
	}
	p.Shown, p.Pages = all[begin:end], pages
	return p, nil
}

// onlyNew is the choice of the problems that the run before did not have.
const onlyNew = "yes"

// problemsOf are those of a kind and an episode; "" is all.
func problemsOf(run *page.Run, kind string, episode dataset.Episode, fresh bool) (all []page.SheetProblem) {
	for _, e := range run.Plan.Episodes {
		if episode != "" && e.Name() != episode {
			continue
		}
		for _, p := range e.Problems {
			if (kind == "" || p.IsOf(kind)) && (p.New || !fresh) {
				all = append(all, page.SheetProblem{Episode: e.Name(), Sheet: e.Sheet, Problem: p})
			}
		}
	}
	return all
}

func problemFields(run *page.Run, kind string, episode dataset.Episode, fresh string) []page.Field {
	kinds, episodes := []string{"", kind}, []string{"", string(episode)}
	for _, k := range run.Kinds() {
		kinds = append(kinds, k.String())
	}
	for _, e := range run.Plan.Episodes {
		if len(e.Problems) > 0 {
			episodes = append(episodes, string(e.Name()))
		}
	}
	return []page.Field{field("kind", "Problem", kind, kinds), field("episode", "Episode", string(episode), episodes), {Name: "new", Label: "Since the run before", Options: []page.Option{
		{Text: "all", Chosen: fresh == ""}, {Value: onlyNew, Text: "only new ones", Chosen: fresh == onlyNew},
	}}}
}
