package show

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// planEnd says what to do with the plan.
func (p *page) planEnd(plan *state.Plan) {
	if plan.Tasks == 0 && (plan.State == dryRun || plan.State == state.Review || plan.State == state.Succeeded) {
		p.gap()
		p.nothingToDo(plan)
	}
	if !p.Attended {
		p.next(planSteps(plan)...)
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

// planSteps are the commands that follow on a plan.
//
//	state                 | commands
//	----------------------+------------------------------------
//	dry-run, with seeds   | plan --reshuffle --seed, of the best seed that is not in force
//	dry-run               | plan with the same flags, if there are tasks; with --change-settings for other settings
//	review                | apply, if there are tasks
//	publishing, running … | status --watch, work, track
//	failed                | status, plan
//	any, held episodes    | as at heldSteps
//	a restore             | restore, if it is a dry run; plan --dry-run
func planSteps(plan *state.Plan) []step {
	steps := []step{}
	switch {
	case plan.State == dryRun && plan.Tasks > 0 && plan.Restores > 0:
		steps = append(steps, step{fmt.Sprintf("restore %d", plan.Restores) + sameFlags(plan), "publish it"})
	case seedsTried(plan):
		steps = append(steps, seedStep(plan))
	case plan.State == dryRun && plan.Tasks > 0:
		command, what := "plan"+sameFlags(plan), "publish it"
		switch {
		case otherSettings(plan):
			what = "publish it, and put these settings in force"
		case plan.SeedDrawn && plan.InForce == nil:
			command += " --seed " + plan.Settings.Seed // another would be drawn
		}
		steps = append(steps, step{command, what})
	case plan.State == state.Review && plan.Tasks > 0:
		steps = append(steps, step{"apply " + plan.Run, "publish it"})
	case plan.State.Active():
		steps = append(steps, step{"status --watch", "follow the run to its end"},
			step{"work", "a worker, where none runs yet"}, step{"track", "the tracker, where none runs yet"})
	case plan.State == state.Failed:
		steps = append(steps, step{"status " + plan.Run, "why it failed"}, step{"plan", "plan again"})
	}
	if plan.Restores > 0 {
		return append(steps, restoredSteps(plan.Restores)...)
	}
	for _, s := range heldSteps(plan.Held()) {
		if strings.HasPrefix(s.command, "plan") {
			s.command += sameFlags(plan)
		}
		steps = append(steps, s)
	}
	return steps
}

// heldSteps is what follows when episodes are held, whatever the state.
//
//	held since                        | commands
//	----------------------------------+---------------------------------------------
//	S3 or Sheets refused              | doctor, plan
//	it would delete too much          | plan --allow-delete, of these
//	it would copy too much again      | plan --allow-refresh, of these
//	the images are elsewhere          | plan --accept-base, of these
//	sheet, manifest or images         | plan, when they are mended
func heldSteps(held []state.HeldEpisode) (steps []step) {
	again, allow, what := "", "plan", ""
	for _, e := range held {
		lift, isLift := lifts[e.Cause]
		switch {
		case isLift && what != "" && what != lift.what:
			allow, what = allow+lift.flag+e.Season+e.Episode, "let all of that happen, if it is right"
		case isLift:
			allow, what = allow+lift.flag+e.Season+e.Episode, lift.what
		case e.Cause == state.CauseService && len(steps) == 0:
			steps = append(steps, step{"doctor", "what refuses or does not answer, and what to do"})
			again = cmp.Or(again, "again, when it answers")
		case e.Cause != state.CauseService:
			again = "again, when the held sheets are mended"
		}
	}
	if what != "" {
		steps = append(steps, step{allow, what})
	}
	if again != "" {
		steps = append(steps, step{"plan", again})
	}
	return steps
}

// lifts are the flags that let a plan do what holds an episode.
var lifts = map[state.Cause]struct{ flag, what string }{
	state.CauseDeletions: {" --allow-delete ", "let frames go, if it is right that they have no row or no image"},
	state.CauseRefreshes: {" --allow-refresh ", "let the images be copied again, if it is right that they have changed"},
	state.CauseBase:      {" --accept-base ", "take the images from where the sheet says now, if they have moved"},
}
