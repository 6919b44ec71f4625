package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// shownProblems and shownKinds bound the sheets' problems on a terminal; the CSV and the report
// have them all.
const (
	shownProblems = 10
	shownKinds    = 12
	lineKinds     = 4 // of one sheet, in a line
)

// finding is a problem with the number of rows of its episode that have the same one.
type finding struct {
	state.Problem
	episode string
	rank    int // among its episode's
	rows    int
}

// Problems prints what is wrong in the sheets of a kept run.
func Problems(w io.Writer, s Style, run string, st state.State, episodes []state.EpisodePlan) error {
	return write(w, s, func(p *page) {
		p.head(span{"Run " + run, bold}, plain("("+string(st)+")"))
		if countProblems(episodes) == 0 {
			p.gap()
			p.item(lead{{"✓ ", green}}, plain("no problem in the sheets of "+count(len(episodes), "episode")))
		}
		p.problems(episodes, 0, "")
		p.gap()
		p.leftOut(episodes)
		if countProblems(episodes) > 0 {
			p.next(step("problems "+run+" --csv FILE", "all of them, for who owns the sheets; --episode S01E01 takes those of one"))
		}
	})
}

// problems prints the problems of the sheets, or of the version that is restored: how many of each
// kind, and then the first of them, the same one of an episode once. rest says where those are that
// are not named.
func (p *page) problems(episodes []state.EpisodePlan, restores int64, rest string) {
	all := countProblems(episodes)
	if all == 0 {
		return
	}
	p.gap()
	head := count(all, "problem") + " in the sheets"
	if restores > 0 {
		head = count(all, "problem") + fmt.Sprintf(" of version %d", restores)
	}
	kinds := state.Kinds(episodes)
	warnings, fresh := 0, 0
	for _, k := range kinds {
		fresh += k.New
		if k.Warning {
			warnings += k.Count
		}
	}
	if warnings > 0 {
		head += ", of which " + count(warnings, "warning")
	}
	if fresh > 0 {
		head += "; " + number(fresh) + " new since the run before"
	}
	p.head(span{head + ":", red})
	p.kinds(kinds)
	for _, f := range choose(findings(episodes)) {
		p.finding(f)
		all -= f.rows
	}
	if all > 0 {
		p.para(at("  "), 4, plain("and "+number(all)+" more"+rest))
	}
}

func countProblems(episodes []state.EpisodePlan) (all int) {
	for _, e := range episodes {
		all += e.ProblemCount()
	}
	return all
}

// kinds prints how many problems there are of each kind.
func (p *page) kinds(kinds []state.ProblemKind) {
	digits := 1
	for _, k := range kinds {
		digits = max(digits, len(number(k.Count)))
	}
	for _, k := range kinds[:min(len(kinds), shownKinds)] {
		p.para(at(fmt.Sprintf("  %*s × ", digits, number(k.Count))), digits+5, plain(kindLine(k)))
	}
	if more := len(kinds) - shownKinds; more > 0 {
		p.para(at("  "), 4, plain("and "+count(more, "more kind")))
	}
}

// manyOfAValue is from how many equal unknown classes on they are rather a new class than slips of
// the hand.
const manyOfAValue = 5

func kindLine(k state.ProblemKind) string {
	text := k.String()
	if k.Warning {
		text += " (warning)"
	}
	if k.New > 0 {
		text += ", " + number(k.New) + " new"
	}
	if k.Kind == rows.KindUnknownClass && k.Value != "" && k.Count >= manyOfAValue {
		text += ": a new class? SHUFFLE_CLASSES, with plan --change-settings"
	}
	return text
}

// ProblemsLine counts the problems of an episode by kind, in a line.
func ProblemsLine(e state.EpisodePlan) string {
	parts := []string{count(e.ProblemCount(), "problem")}
	for _, k := range state.Kinds([]state.EpisodePlan{e}) {
		if len(parts) > lineKinds {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, number(k.Count)+" × "+k.String())
	}
	line := parts[0]
	if len(parts) > 1 {
		line += " (" + strings.Join(parts[1:], ", ") + ")"
	}
	if unused := unusedLine([]state.EpisodePlan{e}); unused != "" {
		line += "; " + unused
	}
	return line
}

// leftOut counts what is no problem, and is wanted nowhere.
func (p *page) leftOut(episodes []state.EpisodePlan) {
	if unused := unusedLine(episodes); unused != "" {
		p.item(at("Left out  "), plain(unused))
	}
}

// unusedLine counts the images without a row and the rows without a class; "" when there are none.
func unusedLine(episodes []state.EpisodePlan) string {
	images, unclassified := 0, 0
	for _, e := range episodes {
		images, unclassified = images+e.ImagesWithoutRow, unclassified+e.RowsWithoutClass
	}
	var parts []string
	if images > 0 {
		parts = append(parts, count(images, "image")+" without a row")
	}
	if unclassified > 0 {
		parts = append(parts, count(unclassified, "row")+" without a class")
	}
	return strings.Join(parts, ", ")
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
	if f.New {
		text = "new: " + text
	}
	if f.rows > 1 {
		text += "; the same in " + count(f.rows-1, "more row")
	}
	p.para(at("  "), 4, plain(where+":"), plain(text))
}

// findings gathers the same problems of each episode under the first of them.
func findings(episodes []state.EpisodePlan) []finding {
	type kind struct {
		problem      string
		warning, new bool
	}
	var all []finding
	for _, e := range episodes {
		seen, first := map[kind]int{}, len(all)
		for _, problem := range e.Problems {
			k := kind{problem.Problem, problem.Warning, problem.New}
			if _, ok := seen[k]; !ok {
				seen[k] = len(all)
				all = append(all, finding{Problem: problem, episode: string(e.Name()), rank: len(all) - first})
			}
			all[seen[k]].rows++
		}
	}
	return all
}

// choose takes the first finding of each episode, then the second of each: an episode with
// thousands does not hide another one's. New ones come before those that the run before had too,
// and warnings when there is room left.
func choose(all []finding) []finding {
	index := make([]int, len(all))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(i, j int) int {
		return cmp.Or(compareBool(all[i].Warning, all[j].Warning), compareBool(!all[i].New, !all[j].New), cmp.Compare(all[i].rank, all[j].rank))
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
