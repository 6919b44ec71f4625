package show

import (
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// planEnd says what to do with the plan.
func (p *page) planEnd(plan *state.Plan) {
	if plan.Tasks == 0 && (plan.State == state.DryRun || plan.State == state.Review || plan.State == state.Succeeded) {
		p.gap()
		p.nothingToDo(plan)
	}
	if !p.Attended {
		p.next(advice.ForPlan(plan)...)
	}
}

// nothingToDo is the verdict on a plan without tasks.
func (p *page) nothingToDo(plan *state.Plan) {
	held, episodes, wanted := len(plan.Held()), len(plan.Episodes), "the sheets"
	if plan.Restores > 0 {
		wanted = fmt.Sprintf("version %d", plan.Restores)
	}
	bad := lead{{"! ", red}}
	switch {
	case episodes == 0 && plan.Restores > 0:
		p.item(bad, plain("Nothing to do: neither "+wanted+" nor the datasets have such an episode."))
	case episodes == 0:
		p.item(bad, plain("Nothing to do: no manifest names an episode to plan."))
	case held == episodes:
		p.item(bad, plain("Nothing done: every episode is held."))
	case held > 0:
		p.item(bad, plain("Nothing to do except in the held episodes: for the others the datasets equal "+wanted+"."))
	case plan.Refused() > 0:
		p.item(bad, plain("Nothing to do except what cannot be restored: otherwise the datasets equal "+wanted+"."))
	default:
		p.item(lead{{"✓ ", green}}, plain("Nothing to do: the datasets equal "+wanted+"."))
	}
}
