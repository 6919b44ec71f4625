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

// maxProblems and maxKinds limit the problems that are printed; the CSV and the report have all.
const (
	maxProblems    = 10
	maxKinds       = 12
	maxKindsInLine = 4 // of one sheet, in a line
)

// finding is a problem with the number of rows of its episode that have it.
type finding struct {
	state.Problem
	episode string
	rank    int // its place among the findings of the episode
	rows    int
}

// Problems prints the problems in the sheets of a kept run.
func Problems(w io.Writer, s Style, run string, st state.State, episodes []state.EpisodePlan) error {
	return write(w, s, func(p *page) {
		p.printHead(span{"Run " + run, bold}, plain("("+string(st)+")"))
		if countProblems(episodes) == 0 {
			p.printGap()
			p.printItem(prefix{{"✓ ", green}}, plain("no problem in the sheets of "+count(len(episodes), "episode")))
		}
		p.printProblems(episodes, 0, "")
		p.printGap()
		p.printLeftOut(episodes)
		if countProblems(episodes) > 0 {
			p.printNext(step("problems "+run+" --csv FILE", "all problems, for the owners of the sheets; --episode S01E01 takes those of one"))
		}
	})
}

// printProblems prints the problems of the sheets, or of the restored version: first the number of
// each kind, then the first problems. Equal problems of an episode are printed once. rest names
// where the others are.
func (p *page) printProblems(episodes []state.EpisodePlan, restores int64, rest string) {
	all := countProblems(episodes)
	if all == 0 {
		return
	}
	p.printGap()
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
	p.printHead(span{head + ":", red})
	p.printKinds(kinds)
	for _, f := range chooseFindings(groupProblems(episodes)) {
		p.printFinding(f)
		all -= f.rows
	}
	if all > 0 {
		p.printParagraph(label("  "), 4, plain("and "+number(all)+" more"+rest))
	}
}

func countProblems(episodes []state.EpisodePlan) (all int) {
	for _, e := range episodes {
		all += e.ProblemCount()
	}
	return all
}

// printKinds prints the number of problems of each kind.
func (p *page) printKinds(kinds []state.ProblemKind) {
	digits := 1
	for _, k := range kinds {
		digits = max(digits, len(number(k.Count)))
	}
	for _, k := range kinds[:min(len(kinds), maxKinds)] {
		p.printParagraph(label(fmt.Sprintf("  %*s × ", digits, number(k.Count))), digits+5, plain(kindLine(k)))
	}
	if more := len(kinds) - maxKinds; more > 0 {
		p.printParagraph(label("  "), 4, plain("and "+count(more, "more kind")))
	}
}

// likelyNewClass is the number of equal unknown classes from which a new class is more likely than
// typing errors.
const likelyNewClass = 5

func kindLine(k state.ProblemKind) string {
	text := k.String()
	if k.Warning {
		text += " (warning)"
	}
	if k.New > 0 {
		text += ", " + number(k.New) + " new"
	}
	if k.Kind == rows.KindUnknownClass && k.Value != "" && k.Count >= likelyNewClass {
		text += ": a new class? SHUFFLE_CLASSES, with plan --change-settings"
	}
	return text
}

// ProblemsLine counts the problems of an episode by kind, in a line.
func ProblemsLine(e state.EpisodePlan) string {
	parts := []string{count(e.ProblemCount(), "problem")}
	for _, k := range state.Kinds([]state.EpisodePlan{e}) {
		if len(parts) > maxKindsInLine {
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

// printLeftOut prints the number of frames that belong in no dataset and are no problem.
func (p *page) printLeftOut(episodes []state.EpisodePlan) {
	if unused := unusedLine(episodes); unused != "" {
		p.printItem(label("Left out  "), plain(unused))
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

func (p *page) printFinding(f finding) {
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
	p.printParagraph(label("  "), 4, plain(where+":"), plain(text))
}

// groupProblems gathers the same problems of each episode under the first of them.
func groupProblems(episodes []state.EpisodePlan) []finding {
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

// chooseFindings takes the first finding of each episode, then the second of each, so that an
// episode with thousands does not hide another's. New findings come before old ones, and warnings
// come last.
func chooseFindings(all []finding) []finding {
	index := make([]int, len(all))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(i, j int) int {
		return cmp.Or(compareBool(all[i].Warning, all[j].Warning), compareBool(!all[i].New, !all[j].New), cmp.Compare(all[i].rank, all[j].rank))
	})
	index = index[:min(len(index), maxProblems)]
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
