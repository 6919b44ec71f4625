package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// ProblemKind counts the problems of one kind, in all sheets and in each.
type ProblemKind struct {
	state.ProblemKind
	Episodes []EpisodeCount
}

// EpisodeCount is a number of something in one episode.
type EpisodeCount struct {
	Episode dataset.Episode
	Count   int
}

// Advice is what a kind of problem may mean; "" is nothing beyond what it says.
func (k ProblemKind) Advice() string {
	if k.Kind == rows.KindUnknownClass {
		return "If it is a new class, add it: SHUFFLE_CLASSES."
	}
	return ""
}

// shownEpisodes is how many episodes a kind of problem names.
const shownEpisodes = 4

// Where says in which episodes the problem is.
func (k ProblemKind) Where() string {
	var names []string
	even := true
	for _, e := range k.Episodes {
		even = even && e.Count == k.Episodes[0].Count
		names = append(names, fmt.Sprintf("%s (%s)", e.Episode, figure.Number(e.Count)))
	}
	switch n := len(names); {
	case n <= shownEpisodes:
		return strings.Join(names, ", ")
	case even:
		return fmt.Sprintf("%d episodes, %s in each", n, figure.Number(k.Episodes[0].Count))
	default:
		return strings.Join(names[:shownEpisodes], ", ") + fmt.Sprintf(" and %d more", n-shownEpisodes)
	}
}

// Kinds are the problems by kind: errors before warnings, the most frequent first.
func (r *Run) Kinds() []ProblemKind {
	var all []ProblemKind
	for _, k := range state.Kinds(r.Plan.Episodes) {
		all = append(all, ProblemKind{ProblemKind: k})
	}
	for _, e := range r.Plan.Episodes {
		for _, k := range state.Kinds([]state.EpisodePlan{e}) {
			i := kindIndex(all, k)
			if i < 0 { // one of very many values, which are counted together
				k.Value = ""
				i = kindIndex(all, k)
			}
			all[i].Episodes = append(all[i].Episodes, EpisodeCount{e.Name(), k.Count})
		}
	}
	return all
}

func kindIndex(all []ProblemKind, kind state.ProblemKind) int {
	return slices.IndexFunc(all, func(k ProblemKind) bool {
		return k.Kind == kind.Kind && k.Value == kind.Value && k.Warning == kind.Warning
	})
}

// AllProblems is the number of problems in all sheets.
func (r *Run) AllProblems() (n int) {
	for _, e := range r.Plan.Episodes {
		n += len(e.Problems) + e.MoreProblems
	}
	return n
}

// NewProblems is the number of problems that the run before did not have.
func (r *Run) NewProblems() int { return newProblems(r.Plan.Episodes...) }

// newProblems counts those that a plan does not list, too.
func newProblems(episodes ...state.EpisodePlan) (n int) {
	for _, k := range state.Kinds(episodes) {
		n += k.New
	}
	return n
}

// Unlisted is the number of problems that the plan counts and does not list.
func (r *Run) Unlisted() (n int) {
	for _, e := range r.Plan.Episodes {
		n += e.MoreProblems
	}
	return n
}

// MaxProblems is how many problems of an episode a plan lists.
func (r *Run) MaxProblems() int { return state.MaxProblems }
