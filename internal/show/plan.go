package show

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Plan prints what a run will do: first what is wrong, then the changes, their results and costs,
// and last the next commands.
func Plan(w io.Writer, s Style, p *state.Plan) error {
	return write(w, s, func(pg *page) {
		pg.printWhatIf(p)
		pg.printPlanHead(p)
		pg.printRestores(p)
		pg.printSettingsChange(p)
		pg.printHeld(heldInPlan(p.Episodes), len(p.Episodes))
		pg.printManifests(p.Problems)
		pg.printOrphans(p.Orphans, p.Problems)
		pg.printStrays(p.Strays)
		if len(p.Episodes) > 0 {
			pg.printEpisodes(p.Episodes, p.Totals)
			pg.printChangesByCause(p.Changes)
			pg.printAllChanges(p)
			pg.printBalance(p.Balance, p.Settings)
			pg.printRare(p)
			pg.printClassNumbers("", p.ClassNumbers)
			pg.printFacts(p)
			pg.printProblems(p.Episodes, p.Restores, pg.allProblemsHint(p.State, p.Run))
			pg.printSeeds(p)
		}
		if p.Tasks == 0 && (p.State == state.DryRun || p.State == state.Review || p.State == state.Succeeded) {
			pg.printGap()
			pg.printNothingToDo(p)
		}
		if !s.ReportFollows {
			pg.printNext(advice.ForPlan(p)...)
		}
	})
}

func (p *page) printPlanHead(plan *state.Plan) {
	switch plan.State {
	case state.DryRun:
		p.printHead(span{"Dry run:", bold}, plain(count(plan.Tasks, "task")+", nothing is written"))
	case state.Review:
		p.printHead(span{"Run " + plan.Run, bold}, plain(fmt.Sprintf("(generation %d): review, %s, not published",
			plan.Generation, count(plan.Tasks, "task"))))
	default:
		p.printHead(span{"Run " + plan.Run, bold}, plain(fmt.Sprintf("(generation %d): %s, %s",
			plan.Generation, plan.State, count(plan.Tasks, "task"))))
	}
}

// printRestores explains a plan back to a dataset version.
func (p *page) printRestores(plan *state.Plan) {
	if plan.Restores == 0 {
		return
	}
	p.printGap()
	p.printItem(prefix{{"! ", bold}}, span{fmt.Sprintf("Back to dataset version %d.", plan.Restores), bold},
		plain("The sheets do not change, and the next shuffle plan makes the datasets equal to them again. Restore the sheets too (Google Sheets: File, Version history), and stop the schedule until then."))
	for _, c := range plan.RestoredSettings {
		p.printItem(prefix{{"! ", red}}, plain(fmt.Sprintf("The settings stay, since only some episodes are restored: %s is %s, and the version has %s. The next shuffle plan moves the frames again; a restore of the whole version restores its settings too.",
			c.Name, cmp.Or(c.Before, "none"), cmp.Or(c.After, "none"))))
	}
	if n := plan.Refused(); n > 0 {
		p.printItem(prefix{{"! ", red}}, span{isAre(n, "frame") + fmt.Sprintf(" not restored: their images of version %d do not exist any more. See the problems below.", plan.Restores), red})
	}
}

// printFacts prints leakage, cost, split and left-out frames.
func (p *page) printFacts(plan *state.Plan) {
	p.printGap()
	p.printLeakage(plan.Leakage, plan.LeakageGrouped, plan.IdenticalImages, plan.Settings)
	cost := "about " + dollars(plan.CostUSD)
	if plan.CostUSD < 0.01 {
		cost = dollars(plan.CostUSD)
	}
	cost += " for COPY, LIST and SQS requests"
	if plan.Tasks > 0 {
		cost += "; about " + duration(plan.Seconds) + " with one worker"
	}
	p.printItem(label("Cost      "), plain(cost))
	p.printItem(label("Split     "), plain(splitText(plan.Settings)))
	p.printLeftOut(plan.Episodes)
}

// allProblemsHint names where to see all problems.
func (p *page) allProblemsHint(st state.State, run string) string {
	if st == state.DryRun {
		return ", see --json"
	}
	return ": " + p.RewriteCommands("shuffle problems "+run+" --csv FILE")
}

// printLeakage prints how many frames outside training are nearly equal to a training frame, and
// how many have exactly the same image.
func (p *page) printLeakage(leakage, grouped float64, identical int, s state.Settings) {
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
	p.printItem(label("Leakage   "), plain(body))
}

// splitText lists the settings that can make two plans of the same sheets different.
func splitText(s state.Settings) string {
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

// printNothingToDo prints the result of a plan without tasks.
func (p *page) printNothingToDo(plan *state.Plan) {
	held, episodes, wanted := len(plan.Held()), len(plan.Episodes), "the sheets"
	if plan.Restores > 0 {
		wanted = fmt.Sprintf("version %d", plan.Restores)
	}
	bad := prefix{{"! ", red}}
	switch {
	case episodes == 0 && plan.Restores > 0:
		p.printItem(bad, plain("Nothing to do: neither "+wanted+" nor the datasets have this episode."))
	case episodes == 0:
		p.printItem(bad, plain("Nothing to do: no manifest names an episode to plan."))
	case held == episodes:
		p.printItem(bad, plain("Nothing done: every episode is held."))
	case held > 0:
		p.printItem(bad, plain("Nothing to do except in the held episodes: for the others the datasets equal "+wanted+"."))
	case plan.Refused() > 0:
		p.printItem(bad, plain("Nothing to do: some frames cannot be restored; otherwise the datasets equal "+wanted+"."))
	default:
		p.printItem(prefix{{"✓ ", green}}, plain("Nothing to do: the datasets equal "+wanted+"."))
	}
}

// printEpisodes prints the changes of each episode. Those of a held episode are not known.
func (p *page) printEpisodes(all []state.EpisodePlan, totals state.Totals) {
	p.printGap()
	columns := []column{{"Episode", false}, {"keep", true}, {"copy", true}, {"move", true}, {"refresh", true},
		{"delete", true}, {"frozen", true}, {"state", false}, {"problems", true}}
	rows, problems := [][]span{}, 0
	for _, e := range all {
		problems += e.ProblemCount()
		name, cells, s := plain(shorten(string(e.Name()))), changeCells(e.Totals), plain(e.State)
		if isHeld(e) {
			for i := range cells {
				cells[i] = span{"-", dim}
			}
			s.color = red
		}
		rows = append(rows, append(append([]span{name}, cells...), s, problemCell(e.ProblemCount())))
	}
	sum := append([]span{{"Total", bold}}, changeCells(totals)...)
	p.printTable(columns, append(rows, append(sum, plain(""), problemCell(problems))))
}

func isHeld(e state.EpisodePlan) bool { return e.State == state.EpisodeHeld }

func changeCells(t state.Totals) []span {
	cells := []span{}
	for _, n := range []int{t.Keep, t.Copy, t.Move, t.Refresh, t.Delete, t.Frozen} {
		cells = append(cells, cell(n, ""))
	}
	return cells
}

// cell is a number in a table. Zeros are dim, so that other numbers stand out.
func cell(n int, c color) span {
	if n == 0 {
		c = dim
	}
	return span{number(n), c}
}

func problemCell(n int) span { return cell(n, red) }
