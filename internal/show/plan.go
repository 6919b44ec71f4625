package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// dryRun is the state of a plan that was not saved, as package planner names it.
const dryRun state.State = "dry-run"

// Plan prints what a run will do: first what is wrong, then the changes, what they lead to and cost, and last what to type.
func Plan(w io.Writer, s Style, p *state.Plan) error {
	return write(w, s, func(pg *page) {
		pg.planHead(p)
		pg.held(heldOf(p.Episodes), len(p.Episodes))
		pg.manifests(p.Problems)
		pg.orphans(p.Orphans)
		pg.episodes(p.Episodes, p.Totals)
		pg.balance(p.Balance, p.Settings)
		pg.missing(p.MissingClasses, p.Settings)
		pg.gap()
		pg.leakage(p.Leakage, p.LeakageGrouped, p.Settings)
		pg.cost(p)
		pg.settings(p.Settings)
		pg.problems(p.Episodes)
		pg.planEnd(p)
	})
}

func (p *page) planHead(plan *state.Plan) {
	if plan.State == dryRun {
		p.line(span{"Dry run", bold}, plain(": "+count(plan.Tasks, "task")+"; nothing is written"))
		return
	}
	p.para(plain(""), 2, span{fmt.Sprintf("Run %s", plan.Run), bold},
		plain(fmt.Sprintf("generation %d: %s,", plan.Generation, plan.State)), plain(count(plan.Tasks, "task")))
}

// episodes prints the changes of each episode. Of a held one nothing is known.
func (p *page) episodes(all []state.EpisodePlan, totals state.Totals) {
	if len(all) == 0 {
		return
	}
	p.gap()
	columns := []column{{"Episode", false}, {"keep", true}, {"copy", true}, {"move", true}, {"refresh", true},
		{"delete", true}, {"frozen", true}, {"", false}, {"problems", true}}
	rows, problems := [][]span{}, 0
	for _, e := range all {
		problems += problemCount(e)
		cells, state := totalCells(e.Totals, ""), plain(e.State)
		if held(e) {
			cells, state = totalCells(e.Totals, "-"), span{e.State, red}
		}
		rows = append(rows, append(append([]span{plain(string(e.Name()))}, cells...), state, problemCell(problemCount(e))))
	}
	sum := append([]span{{"Total", bold}}, totalCells(totals, "")...)
	p.table(columns, append(rows, append(sum, plain(""), problemCell(problems))))
}

func held(e state.EpisodePlan) bool { return e.State == state.EpisodeHeld }

func problemCount(e state.EpisodePlan) int { return len(e.Problems) + e.MoreProblems }

func problemCell(n int) span {
	if n == 0 {
		return span{"0", dim}
	}
	return span{number(n), red}
}

// totalCells are the counts of a row, or unknown in place of each.
func totalCells(t state.Totals, unknown string) []span {
	cells := []span{}
	for _, n := range []int{t.Keep, t.Copy, t.Move, t.Refresh, t.Delete, t.Frozen} {
		switch {
		case unknown != "":
			cells = append(cells, span{unknown, dim})
		case n == 0:
			cells = append(cells, span{"0", dim})
		default:
			cells = append(cells, plain(number(n)))
		}
	}
	return cells
}

func (p *page) leakage(leakage, grouped float64, s state.Settings) {
	body := percent(leakage) + " of the frames outside training have a training frame right beside them"
	if s.Group == "" {
		body += "; with SHUFFLE_GROUP=10s it would be " + percent(grouped)
	} else {
		body += ", with blocks of " + s.Group
	}
	p.item(plain("Leakage   "), plain(body))
}

func (p *page) cost(plan *state.Plan) {
	body := "about " + dollars(plan.CostUSD) + " for COPY, LIST and SQS requests"
	if plan.Tasks > 0 {
		body += "; about " + duration(plan.Seconds) + " with one worker"
	}
	p.item(plain("Cost      "), plain(strings.Replace(body, "about less", "less", 1)))
}

// settings are what two plans of the same sheets may differ by.
func (p *page) settings(s state.Settings) {
	body := fmt.Sprintf("%s, seed %s", s.Split, s.Seed)
	if s.Group != "" {
		body += ", group " + s.Group
	}
	if s.Stratify {
		body += ", stratified"
	}
	if s.Guard > 0 {
		body += fmt.Sprintf(", guard %d", s.Guard)
	}
	if s.Subsample > 1 {
		body += fmt.Sprintf(", one in %d", s.Subsample)
	}
	p.item(plain("Split     "), plain(body+", "+s.ImageSize))
}
