package show

import "github.com/angel-nft/google-shuffle/internal/state"

// planEnd says what to do with the plan.
func (p *page) planEnd(plan *state.Plan) {
	nothing := plan.Tasks == 0 && (plan.State == dryRun || plan.State == state.Review || plan.State == state.Succeeded)
	if nothing {
		p.gap()
		p.para(nothingToDo(plan))
	}
	p.next(planSteps(plan)...)
}

// nothingToDo is the verdict on a plan without tasks.
func nothingToDo(plan *state.Plan) (first span, indent int, body span) {
	held := len(plan.Held())
	switch {
	case len(plan.Episodes) == 0:
		return span{"! ", red}, 2, plain("Nothing to do: no manifest names an episode to plan.")
	case held == len(plan.Episodes):
		return span{"! ", red}, 2, plain("Nothing done: every episode is held.")
	case held > 0:
		return span{"! ", red}, 2, plain("Nothing to do, except in held episodes: the other datasets' frames equal the sheets.")
	}
	return span{"✓ ", green}, 2, plain("Nothing to do: the datasets equal the sheets.")
}

// planSteps are the commands that follow on a plan.
//
//	state                 | commands
//	----------------------+--------------------------------------------
//	dry-run               | plan, if there are tasks or held episodes
//	review                | apply, if there are tasks
//	publishing, running … | status --watch, work, track
//	any, held episodes    | plan, when the sheets are mended
func planSteps(plan *state.Plan) []step {
	steps := []step{}
	switch {
	case plan.State == dryRun && plan.Tasks > 0:
		steps = append(steps, step{"plan", "the same without --dry-run publishes it"})
	case plan.State == state.Review && plan.Tasks > 0:
		steps = append(steps, step{"apply " + plan.Run, "publishes the tasks of this plan"})
	case plan.State.Active():
		steps = append(steps, step{"status --watch", "follows the run to its end"},
			step{"work", "a worker, where none runs yet"}, step{"track", "the tracker, where none runs yet"})
	case plan.State == state.Failed:
		steps = append(steps, step{"status " + plan.Run, "says why it failed"}, step{"plan", "plans again"})
	}
	if len(plan.Held()) > 0 {
		steps = append(steps, step{"plan", "again, when the held sheets are mended"})
	}
	return steps
}
