package show

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// Plan prints what a run will do: first what is wrong, then the changes, what they lead to and
// cost, and last what to type.
func Plan(w io.Writer, s Style, p *state.Plan) error {
	return write(w, s, func(pg *page) {
		pg.whatIf(p)
		pg.planHead(p)
		pg.restores(p)
		pg.settingsChange(p)
		pg.held(heldOf(p.Episodes), len(p.Episodes))
		pg.manifests(p.Problems)
		pg.orphans(p.Orphans, p.Problems)
		pg.strays(p.Strays)
		if len(p.Episodes) > 0 {
			pg.episodes(p.Episodes, p.Totals)
			pg.changesByCause(p.Changes)
			pg.allChanges(p)
			pg.balance(p.Balance, p.Settings)
			pg.rare(p)
			pg.classNumbers("", p.ClassNumbers)
			pg.facts(p)
			pg.problems(p.Episodes, p.Restores, pg.allProblems(p.State, p.Run))
			pg.seeds(p)
		}
		pg.planEnd(p)
	})
}

func (p *page) planHead(plan *state.Plan) {
	switch plan.State {
	case state.DryRun:
		p.head(span{"Dry run:", bold}, plain(count(plan.Tasks, "task")+", nothing is written"))
	case state.Review:
		p.head(span{"Run " + plan.Run, bold}, plain(fmt.Sprintf("(generation %d): review, %s, not published",
			plan.Generation, count(plan.Tasks, "task"))))
	default:
		p.head(span{"Run " + plan.Run, bold}, plain(fmt.Sprintf("(generation %d): %s, %s",
			plan.Generation, plan.State, count(plan.Tasks, "task"))))
	}
}

// restores says what a plan back to a dataset version means.
func (p *page) restores(plan *state.Plan) {
	if plan.Restores == 0 {
		return
	}
	p.gap()
	p.item(lead{{"! ", bold}}, span{fmt.Sprintf("Back to dataset version %d.", plan.Restores), bold},
		plain("The sheets stay as they are, and the next shuffle plan makes the datasets what they say again: put the sheets back too (Google Sheets: File, Version history), and stop the schedule until then."))
	for _, c := range plan.RestoredSettings {
		p.item(lead{{"! ", red}}, plain(fmt.Sprintf("The settings stay, since only some episodes go back: %s is %s, and the version has %s. The next shuffle plan moves the frames again; a restore of the whole version brings its settings back.",
			c.Name, cmp.Or(c.Before, "none"), cmp.Or(c.After, "none"))))
	}
	if n := plan.Refused(); n > 0 {
		p.item(lead{{"! ", red}}, span{isAre(n, "frame") + fmt.Sprintf(" not restored: the images are not to be had as version %d has them. See the problems below.", plan.Restores), red})
	}
}

// facts are what a plan says in a line each.
func (p *page) facts(plan *state.Plan) {
	p.gap()
	p.leakage(plan.Leakage, plan.LeakageGrouped, plan.IdenticalImages, plan.Settings)
	cost := "about " + dollars(plan.CostUSD)
	if plan.CostUSD < 0.01 {
		cost = dollars(plan.CostUSD)
	}
	cost += " for COPY, LIST and SQS requests"
	if plan.Tasks > 0 {
		cost += "; about " + duration(plan.Seconds) + " with one worker"
	}
	p.item(at("Cost      "), plain(cost))
	p.item(at("Split     "), plain(split(plan.Settings)))
	p.leftOut(plan.Episodes)
}

// allProblems says where all problems are.
func (p *page) allProblems(st state.State, run string) string {
	if st == state.DryRun {
		return ", see --json"
	}
	return ": " + p.Commands("shuffle problems "+run+" --csv FILE")
}

// leakage counts the frames outside training that are nearly, and those that are exactly, what is
// trained on.
func (p *page) leakage(leakage, grouped float64, identical int, s state.Settings) {
	body := percent(leakage) + " of the frames outside training have a training frame right beside them"
	switch {
	case leakage == 0:
		body = "no frame outside training has a training frame right beside it"
	case s.Group != "":
		body += ", with blocks of " + s.Group
	case grouped < leakage:
		body += "; with SHUFFLE_GROUP=10s it would be " + percent(grouped)
	}
	switch {
	case identical == 1:
		body += "; 1 frame outside training has exactly the image of a training frame, at any distance"
	case identical > 1:
		body += "; " + number(identical) + " frames outside training have exactly the image of a training frame, at any distance"
	}
	p.item(at("Leakage   "), plain(body))
}

// split names the settings by which two plans of the same sheets can differ.
func split(s state.Settings) string {
	parts := []string{s.Split, "seed " + s.Seed}
	if s.Group != "" {
		parts = append(parts, "group "+s.Group)
	}
	if s.Stratify {
		parts = append(parts, "stratified")
	}
	if s.Guard > 0 {
		parts = append(parts, fmt.Sprintf("guard %d", s.Guard))
	}
	if s.Subsample > 1 {
		parts = append(parts, fmt.Sprintf("one unit in %d", s.Subsample))
	}
	if len(s.Pinned) > 0 {
		parts = append(parts, "pinned "+strings.Join(s.Pinned, " and "))
	}
	return strings.Join(parts, ", ")
}
