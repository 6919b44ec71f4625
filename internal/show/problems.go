package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// shownProblems bounds the sheets' problems on a terminal; JSON and the report have them all.
const shownProblems = 10

// finding is a problem with the number of rows of its episode that have the same one.
type finding struct {
	state.Problem
	episode string
	rank    int // among its episode's
	rows    int
}

// problems prints the problems of the sheets, or of the version that is restored, the same one of an episode once.
func (p *page) problems(episodes []state.EpisodePlan, restores int64) {
	all, warnings := countProblems(episodes)
	if all == 0 {
		return
	}
	p.gap()
	head := count(all, "problem") + " in the sheets"
	if restores > 0 {
		head = count(all, "problem") + fmt.Sprintf(" of version %d", restores)
	}
	if warnings > 0 {
		head += ", of which " + count(warnings, "warning")
	}
	p.head(span{head + ":", red})
	for _, f := range choose(findings(episodes)) {
		p.finding(f)
		all -= f.rows
	}
	if all > 0 {
		p.para(at("  "), 4, plain("and "+number(all)+" more, see --json or the report"))
	}
}

func countProblems(episodes []state.EpisodePlan) (all, warnings int) {
	for _, e := range episodes {
		all += problemCount(e)
		for _, problem := range e.Problems {
			if problem.Warning {
				warnings++
			}
		}
	}
	return all, warnings
}

func (p *page) finding(f finding) {
	where := f.episode
	if f.Row > 0 {
		where += fmt.Sprintf(" row %d", f.Row)
	}
	if f.Frame != "" && !strings.Contains(f.Problem.Problem, `"`+f.Frame+`"`) { // not twice
		where += " " + f.Frame
	}
	text := f.Problem.Problem
	if f.Warning {
		text = "warning: " + text
	}
	if f.rows > 1 {
		text += "; the same in " + count(f.rows-1, "more row")
	}
	p.para(at("  "), 4, plain(where+":"), plain(text))
}

// findings gathers the same problems of each episode under the first of them.
func findings(episodes []state.EpisodePlan) []finding {
	type kind struct {
		problem string
		warning bool
	}
	var all []finding
	for _, e := range episodes {
		seen, first := map[kind]int{}, len(all)
		for _, problem := range e.Problems {
			k := kind{problem.Problem, problem.Warning}
			if _, ok := seen[k]; !ok {
				seen[k] = len(all)
				all = append(all, finding{Problem: problem, episode: string(e.Name()), rank: len(all) - first})
			}
			all[seen[k]].rows++
		}
	}
	return all
}

// choose takes the first finding of each episode, then the second of each: an episode with thousands does not hide
// another one's. Warnings come when there is room left.
func choose(all []finding) []finding {
	index := make([]int, len(all))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(i, j int) int {
		return cmp.Or(compareBool(all[i].Warning, all[j].Warning), cmp.Compare(all[i].rank, all[j].rank))
	})
	index = index[:min(len(index), shownProblems)]
	slices.Sort(index)
	chosen := make([]finding, 0, len(index))
	for _, i := range index {
		chosen = append(chosen, all[i])
	}
	return chosen
}

// compareBool puts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
