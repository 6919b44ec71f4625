package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// ProblemKind groups equal problems of different rows, from all sheets.
type ProblemKind struct {
	Kind     string
	Warning  bool
	Count    int
	New      int // of Count, those that the run before did not have
	Episodes []EpisodeCount
}

// EpisodeCount is a number of something in one episode.
type EpisodeCount struct {
	Episode dataset.Episode
	Count   int
}

// Advice is what to do about a kind of problem; "" when its text is enough.
func (k ProblemKind) Advice() string {
	if strings.HasPrefix(k.Kind, unknownClass) {
		return "If it is a new class, add it: SHUFFLE_CLASSES."
	}
	return ""
}

// shownEpisodes is how many episodes a kind of problem names.
const shownEpisodes = 4

// Where lists the episodes that have the problem.
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

const unknownClass = `unknown class "`

// KindOf is a problem's text without the parts that differ from row to row: quoted texts, numbers,
// and everything after a colon. The name of an unknown class stays, since each one is a kind.
func KindOf(p state.Problem) string {
	text := p.Problem
	if rest, ok := strings.CutPrefix(text, unknownClass); ok {
		name, _, _ := strings.Cut(rest, `"`)
		return unknownClass + name + `"`
	}
	var kind strings.Builder
	quoted, digits := false, false
	for i, r := range text {
		digit := r >= '0' && r <= '9'
		switch {
		case r == '"':
			if quoted = !quoted; quoted {
				kind.WriteString("…")
			}
		case quoted:
		case (r == ':' || r == ';') && strings.HasPrefix(text[i+1:], " "):
			return strings.TrimRight(kind.String(), " ,…")
		case digit && !digits:
			kind.WriteString("…")
		case !digit:
			kind.WriteRune(r)
		}
		digits = digit && !quoted
	}
	return strings.TrimRight(kind.String(), " ,…")
}

// Kinds groups the problems by kind: errors before warnings, the most frequent first.
func (r *Run) Kinds() []ProblemKind {
	type key struct {
		kind    string
		warning bool
	}
	index := map[key]int{}
	var all []ProblemKind
	for _, e := range r.Plan.Episodes {
		for _, p := range e.Problems {
			k := key{KindOf(p), p.Warning}
			i, ok := index[k]
			if !ok {
				i = len(all)
				index[k] = i
				all = append(all, ProblemKind{Kind: k.kind, Warning: k.warning})
			}
			all[i].Count++
			if p.New {
				all[i].New++
			}
			if n := len(all[i].Episodes); n == 0 || all[i].Episodes[n-1].Episode != e.Name() {
				all[i].Episodes = append(all[i].Episodes, EpisodeCount{Episode: e.Name()})
			}
			all[i].Episodes[len(all[i].Episodes)-1].Count++
		}
	}
	slices.SortStableFunc(all, func(a, b ProblemKind) int {
		if a.Warning != b.Warning {
			if a.Warning {
				return 1
			}
			return -1
		}
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Kind, b.Kind))
	})
	return all
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

// newProblems counts the new problems, also those that the plan does not list.
func newProblems(episodes ...state.EpisodePlan) (n int) {
	for _, k := range state.Kinds(episodes) {
		n += k.New
	}
	return n
}

// Unlisted is the number of problems that the plan counts but does not list.
func (r *Run) Unlisted() (n int) {
	for _, e := range r.Plan.Episodes {
		n += e.MoreProblems
	}
	return n
}

// MaxProblems is how many problems of an episode a plan lists.
func (r *Run) MaxProblems() int { return state.MaxProblems }
