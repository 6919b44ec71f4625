package show

import (
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Limits of what a plan prints; its JSON has all.
const (
	maxRareClasses = 12
	bestSeeds      = 5
)

// printRare warns of datasets with too few frames of a class, or none.
func (p *page) printRare(plan *state.Plan) {
	unit := "frame"
	if plan.Settings.Group != "" {
		unit = "block"
	}
	missing := slices.Clone(plan.MissingClasses)
	for _, r := range plan.RareClasses[:min(len(plan.RareClasses), maxRareClasses)] {
		body := fmt.Sprintf("%s has %s of %s; all datasets together have %s", shorten(r.Dataset), count(r.Units, unit), className(r.Class), number(r.Of))
		if r.Enough > 1 {
			body += fmt.Sprintf("; expected at least %s (--min-per-class)", number(r.Enough))
		}
		p.printItem(prefix{{"! ", red}}, span{body + rareHint(plan, r.Dataset), red})
	}
	if more := len(plan.RareClasses) - maxRareClasses; more > 0 {
		p.printItem(prefix{{"! ", red}}, span{fmt.Sprintf("and %d more such datasets and classes: plan --json has all", more), red})
	}
	for _, r := range plan.RareClasses {
		place := dataset.Place{Dataset: r.Dataset, Class: r.Class}
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == place.String() })
	}
	p.printMissing(missing, plan.Settings)
}

// rareHint suggests what gives every dataset frames of a class. It does not suggest to try seeds
// when this plan has done so.
func rareHint(plan *state.Plan, name string) string {
	training := name == "train" || name == plan.Settings.Datasets[0]
	if training && plan.Settings.Group != "" && len(plan.Settings.Pinned) > 0 {
		return fmt.Sprintf(": with a group, no block that holds or touches a pinned frame (%s) is trained on, whatever the seed", strings.Join(plan.Settings.Pinned, ", "))
	}
	var hints []string
	if !plan.Settings.Stratify {
		hints = append(hints, "--stratify spreads them")
	}
	switch {
	case len(plan.Seeds) > 0 || plan.Restores > 0:
	case plan.Settings.Stratify:
		hints = append(hints, "--dry-run --seeds 20 shows seeds that spread them")
	default:
		hints = append(hints, "--dry-run --seeds 20 shows seeds that do")
	}
	if len(hints) == 0 {
		return ""
	}
	return ": " + strings.Join(hints, "; ")
}

// printSeeds prints the results of the best seeds that were tried, and of the seed in force.
func (p *page) printSeeds(plan *state.Plan) {
	if !advice.CanShowSeeds(plan) {
		return
	}
	columns := []column{{"Seed", false}}
	for _, name := range plan.Settings.Datasets {
		columns = append(columns, column{shorten(name), true})
	}
	columns = append(columns, column{"rare", true}, column{"leakage", true}, column{"moves", true})
	rows, inForce := [][]span{}, false
	for i, t := range plan.Seeds {
		inForce = inForce || t.InForce
		if i >= bestSeeds && !t.InForce {
			continue
		}
		row := []span{plain(shorten(t.Seed))}
		if t.InForce {
			row[0] = span{row[0].text + " *", bold}
		}
		for _, name := range plan.Settings.Datasets {
			row = append(row, plain(percent(t.Shares[name])))
		}
		rows = append(rows, append(row, cell(t.Rare, red), plain(percent(t.Leakage)), cell(t.Moves, "")))
	}
	p.printGap()
	p.printHead(span{"Seeds", bold}, plain(fmt.Sprintf("the best of %d: fewest rare classes, then the shares nearest to the ratios, then the fewest moves; in the planned episodes", len(plan.Seeds))))
	p.printTable(columns, rows)
	notes := "rare: datasets with too little of a class that has enough for all. moves: frames that change their dataset."
	if inForce {
		notes = "*: in force. " + notes
	}
	p.printParagraph(prefix{}, 0, span{notes, dim})
	if held := len(plan.Held()); held > 0 {
		p.printItem(prefix{{"! ", red}}, plain(isAre(held, "episode")+" held, and not counted here"))
	}
}
