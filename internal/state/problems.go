package state

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// ProblemKind counts the problems of one kind.
type ProblemKind struct {
	Kind    string `json:"kind"`
	Value   string `json:"value,omitempty"` // what they have in common, such as an unknown class
	Warning bool   `json:"warning,omitempty"`
	Count   int    `json:"count"`
	// New counts the problems that the run before did not have.
	New int `json:"new,omitempty"`
}

// String returns the kind with its value.
func (k ProblemKind) String() string {
	if k.Value == "" {
		return k.Kind
	}
	return k.Kind + " \"" + k.Value + "\""
}

// maxKinds limits the kinds with different values. A column that was overwritten by pasting has
// thousands.
const maxKinds = 100

// CountKinds counts problems by kind.
func CountKinds(problems []Problem) []ProblemKind {
	var kinds []ProblemKind
	for _, p := range problems {
		kinds = addKind(kinds, p.kind())
	}
	sortKinds(kinds)
	return kinds
}

// kind is the problem's kind, counted once.
func (p Problem) kind() ProblemKind {
	k := ProblemKind{Kind: cmp.Or(p.Kind, kindOf(p.Problem)), Value: p.Value, Warning: p.Warning, Count: 1}
	if p.New {
		k.New = 1
	}
	return k
}

// IsOf reports whether the problem is of a kind, named with its value or without.
func (p Problem) IsOf(kind string) bool {
	k := p.kind()
	return kind == k.Kind || kind == k.String()
}

// Kinds counts the problems of the episodes by kind, the most frequent first and warnings last.
// Plan, doctor, report and dashboard show it.
func Kinds(episodes []EpisodePlan) []ProblemKind {
	var kinds []ProblemKind
	for _, e := range episodes {
		counted := e.Kinds
		if len(counted) == 0 { // a plan of an earlier release
			counted = CountKinds(e.Problems)
			if e.MoreProblems > 0 {
				counted = append(counted, ProblemKind{Kind: "kind not recorded", Count: e.MoreProblems})
			}
		}
		for _, n := range counted {
			kinds = addKind(kinds, n)
		}
	}
	sortKinds(kinds)
	return kinds
}

// ProblemCount is the number of the episode's problems, warnings included.
func (e *EpisodePlan) ProblemCount() int { return len(e.Problems) + e.MoreProblems }

func addKind(kinds []ProblemKind, n ProblemKind) []ProblemKind {
	same := func(k ProblemKind) bool { return k.Kind == n.Kind && k.Value == n.Value && k.Warning == n.Warning }
	i := slices.IndexFunc(kinds, same)
	if i < 0 && len(kinds) >= maxKinds && n.Value != "" {
		n.Value = ""
		i = slices.IndexFunc(kinds, same)
	}
	if i < 0 {
		return append(kinds, n)
	}
	kinds[i].Count += n.Count
	kinds[i].New += n.New
	return kinds
}

func sortKinds(kinds []ProblemKind) {
	rank := func(k ProblemKind) int {
		if k.Warning {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(kinds, func(a, b ProblemKind) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
}

// kindOf returns the kind of a problem from an earlier release: the words before the first value in
// its text.
func kindOf(text string) string {
	if at := strings.IndexAny(text, `":;(0123456789`); at >= 0 {
		text = text[:at]
	}
	return cmp.Or(strings.TrimRight(text, " ,"), "other")
}

func problemsName(run string, e dataset.Episode) string {
	return RunName(run, "problems/"+string(e)+".jsonl.zst")
}

// WriteProblems saves the problems of an episode that has more than its plan lists.
func (s *Store) WriteProblems(ctx context.Context, run string, e dataset.Episode, all []Problem) error {
	return writeLines(ctx, s, problemsName(run, e), all)
}

// ReadProblems reads all problems of an episode of a run. Earlier releases saved only the first
// MaxProblems.
func (s *Store) ReadProblems(ctx context.Context, run string, e EpisodePlan) ([]Problem, error) {
	if e.MoreProblems == 0 || len(e.Kinds) == 0 {
		return e.Problems, nil
	}
	return ReadLines[Problem](ctx, s, problemsName(run, e.Name()))
}
