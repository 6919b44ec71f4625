package show

import (
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// printPlanEnd prints what to do with the plan.
func (p *page) printPlanEnd(plan *state.Plan) {
	if plan.Tasks == 0 && (plan.State == state.DryRun || plan.State == state.Review || plan.State == state.Succeeded) {
		p.printGap()
		p.printNothingToDo(plan)
	}
	if !p.ReportFollows {
		p.printNext(advice.ForPlan(plan)...)
	}
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
