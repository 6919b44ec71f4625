package show

import (
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// heldEpisode is an episode that was left as it stands, with its sheet's URL where that is known.
type heldEpisode struct {
	state.HeldEpisode
	sheet string
}

func heldOf(episodes []state.EpisodePlan) []heldEpisode {
	var all []heldEpisode
	for _, e := range episodes {
		if held(e) {
			all = append(all, heldEpisode{state.HeldEpisode{Season: e.Season, Episode: e.Episode, Reason: e.Reason}, e.Sheet})
		}
	}
	return all
}

// held prints the held episodes with their whole reasons; of is the number of all episodes, 0 when that is unknown.
func (p *page) held(all []heldEpisode, of int) {
	if len(all) == 0 {
		return
	}
	p.gap()
	head := isAre(len(all), "episode") + " held and stays as it stands:"
	switch {
	case of > 0:
		head = fmt.Sprintf("%s of %s held, left as they stand:", number(len(all)), count(of, "episode"))
	case len(all) > 1:
		head = isAre(len(all), "episode") + " held and stay as they stand:"
	}
	p.line(span{"! " + head, red})
	for _, e := range all {
		p.item(plain("  "+e.Season+e.Episode+"  "), plain(e.Reason))
		if e.sheet != "" {
			p.line(span{"          " + e.sheet, dim})
		}
	}
}

func (p *page) manifests(all []state.ManifestProblem) {
	if len(all) == 0 {
		return
	}
	p.gap()
	p.line(span{"! " + count(len(all), "manifest problem") + ":", red})
	for _, m := range all {
		p.line(plain("  " + m.Manifest))
		text := strings.TrimPrefix(m.Problem, "parse manifest "+m.Manifest+": ")
		p.para(plain("    "), 4, plain(strings.TrimPrefix(text, "manifest "+m.Manifest+": ")))
	}
}

func (p *page) orphans(all []state.Orphan) {
	if len(all) == 0 {
		return
	}
	p.gap()
	p.para(span{"! ", red}, 2, span{"Orphans: frames of " + count(len(all), "episode") + " that no manifest names stand in the datasets and are left alone:", red})
	for _, o := range all {
		p.item(plain("  "+string(o.Episode)+"  "), plain(strings.Join(o.Places, ", ")+"; to delete them:"),
			plain("shuffle plan --prune "+string(o.Episode)))
	}
}

// shownProblems bounds the sheets' problems on a terminal; JSON and the report have them all.
const shownProblems = 10

// problems prints the first of each episode's problems in turn, errors before warnings: an episode with thousands does not
// hide another one's.
func (p *page) problems(episodes []state.EpisodePlan) {
	all, warnings := 0, 0
	for _, e := range episodes {
		all += problemCount(e)
		for _, problem := range e.Problems {
			if problem.Warning {
				warnings++
			}
		}
	}
	if all == 0 {
		return
	}
	p.gap()
	head := count(all, "problem") + " in the sheets"
	if warnings > 0 {
		head += ", of which " + count(warnings, "warning")
	}
	p.line(span{head + ":", red})
	chosen := choose(episodes)
	for i, e := range episodes {
		for _, problem := range chosen[i] {
			p.problem(e.Name(), problem)
		}
	}
	if more := all - min(all, shownProblems); more > 0 {
		p.line(plain("  and " + number(more) + " more, see --json or the report"))
	}
}

func (p *page) problem(e dataset.Episode, problem state.Problem) {
	where := string(e)
	if problem.Row > 0 {
		where += fmt.Sprintf(" row %d", problem.Row)
	}
	if problem.Frame != "" {
		where += " " + problem.Frame
	}
	text := problem.Problem
	if problem.Warning {
		text = "warning: " + text
	}
	p.para(plain("  "), 4, plain(where+":"), plain(text))
}

// choose takes shownProblems from the episodes in turn, and gives them by episode.
func choose(episodes []state.EpisodePlan) [][]state.Problem {
	chosen, left := make([][]state.Problem, len(episodes)), shownProblems
	for _, warning := range []bool{false, true} {
		for n, found := 0, true; found; n++ {
			found = false
			for i, e := range episodes {
				if problem, ok := nth(e.Problems, warning, n); ok && left > 0 {
					chosen[i], found = append(chosen[i], problem), true
					left--
				}
			}
		}
	}
	return chosen
}

// nth finds the n-th warning, or the n-th of the others.
func nth(problems []state.Problem, warning bool, n int) (state.Problem, bool) {
	for _, problem := range problems {
		if problem.Warning == warning {
			if n--; n < 0 {
				return problem, true
			}
		}
	}
	return state.Problem{}, false
}
