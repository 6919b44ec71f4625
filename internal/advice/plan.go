package advice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// ForPlan are the commands that follow on a plan.
//
//	state                 | commands
//	----------------------+------------------------------------
//	dry-run, with seeds   | plan --reshuffle --seed, of the best seed that is not in force
//	dry-run               | plan with the same flags, if there are tasks; with --change-settings for other settings
//	review                | apply, if there are tasks
//	publishing, running … | status --watch, work, track
//	failed                | status, plan
//	any, held episodes    | changes, if a ceiling holds one, but not of a dry run; then as at heldSteps
//	a restore             | restore, if it is a dry run; plan --dry-run
func ForPlan(plan *state.Plan) []Step {
	steps := []Step{}
	switch {
	case plan.State == state.DryRun && plan.Tasks > 0 && plan.Restores > 0:
		steps = append(steps, Step{fmt.Sprintf("restore %d", plan.Restores) + sameFlags(plan), "publish it"})
	case SeedsTried(plan):
		best := slices.IndexFunc(plan.Seeds, func(t state.SeedTrial) bool { return !t.InForce })
		steps = append(steps, Step{"plan --reshuffle --seed " + plan.Seeds[best].Seed + sameFlags(plan), "take the best seed that is not in force; frames move"})
	case plan.State == state.DryRun && plan.Tasks > 0:
		command, what := "plan"+sameFlags(plan), "publish it"
		switch {
		case otherSettings(plan):
			what = "publish it, and put these settings in force"
		case plan.SeedDrawn && plan.InForce == nil:
			command += " --seed " + plan.Settings.Seed // another would be drawn
		}
		steps = append(steps, Step{command, what})
	case plan.State == state.Review && plan.Tasks > 0:
		steps = append(steps, Step{"apply " + plan.Run, "publish it"})
	case plan.State.Active():
		steps = append(steps, Step{"status --watch", "follow the run to its end"},
			Step{"work", "a worker, where none runs yet"}, Step{"track", "the tracker, where none runs yet"})
	case plan.State == state.Failed:
		steps = append(steps, Step{"status " + plan.Run, "why it failed"}, Step{"plan", "plan again"})
	}
	if plan.Restores > 0 {
		return append(steps, restoredSteps(plan.Restores)...)
	}
	if plan.State != state.DryRun { // a dry run has shown its changes, and keeps none
		steps = append(steps, heldChanges(plan.Run, plan.Held())...)
	}
	for _, s := range heldSteps(plan.Held()) {
		if strings.HasPrefix(s.Command, "plan") {
			s.Command += sameFlags(plan)
		}
		steps = append(steps, s)
	}
	return steps
}

// SeedsTried says whether the plan can show what seeds do: with every episode held, it knows
// nothing of them.
func SeedsTried(plan *state.Plan) bool {
	return len(plan.Seeds) > 0 && len(plan.Held()) < len(plan.Episodes)
}

// otherSettings says whether a plan is made with other settings than those in force, beside the
// seed.
func otherSettings(plan *state.Plan) bool {
	return slices.ContainsFunc(plan.Given, func(g state.GivenSetting) bool { return g.Name != "seed" })
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
func heldSteps(held []state.HeldEpisode) (steps []Step) {
	again, allow, what := "", "plan", ""
	for _, e := range held {
		lift, isLift := lifts[e.Cause]
		switch {
		case isLift && what != "" && what != lift.what:
			allow, what = allow+lift.flag+e.Season+e.Episode, "let all of that happen, if it is right"
		case isLift:
			allow, what = allow+lift.flag+e.Season+e.Episode, lift.what
		case e.Cause == state.CauseService && len(steps) == 0:
			steps = append(steps, Step{"doctor", "what refuses or does not answer, and what to do"})
			again = cmp.Or(again, "again, when it answers")
		case e.Cause != state.CauseService:
			again = "again, when the held sheets are mended"
		}
	}
	if what != "" {
		steps = append(steps, Step{allow, what})
	}
	if again != "" {
		steps = append(steps, Step{"plan", again})
	}
	return steps
}

// heldChanges leads to what the episodes would do that a ceiling holds: it is to be looked at
// before it is allowed.
func heldChanges(run string, held []state.HeldEpisode) []Step {
	ceiling := func(e state.HeldEpisode) bool {
		return e.Cause == state.CauseDeletions || e.Cause == state.CauseRefreshes
	}
	if !slices.ContainsFunc(held, ceiling) {
		return nil
	}
	return []Step{{"changes " + run, "what the held episodes would delete or copy again"}}
}

// lifts are the flags that let a plan do what holds an episode.
var lifts = map[state.Cause]struct{ flag, what string }{
	state.CauseDeletions: {" --allow-delete ", "let frames go, if it is right that they have no row or no image"},
	state.CauseRefreshes: {" --allow-refresh ", "let the images be copied again, if it is right that they have changed"},
	state.CauseBase:      {" --accept-base ", "take the images from where the sheet says now, if they have moved"},
}

// sameFlags are the flags by which a command plans what this dry run shows: its selection, what it
// allows, and the settings that it was given.
func sameFlags(plan *state.Plan) string {
	var opt struct {
		Season       string   `json:"season"`
		Episodes     []string `json:"episodes"`
		AllowDelete  []string `json:"allow_delete"`
		AllowRefresh []string `json:"allow_refresh"`
		AcceptBase   []string `json:"accept_base"`
		Prune        []string `json:"prune"`
		Pin          []string `json:"pin"`
		Unpin        []string `json:"unpin"`
	}
	if plan.State != state.DryRun {
		return ""
	}
	if len(plan.Options) > 0 && json.Unmarshal(plan.Options, &opt) != nil {
		return "" // of another release
	}
	var flags strings.Builder
	each := func(flag string, values ...string) {
		for _, v := range values {
			if v != "" {
				flags.WriteString(" --" + flag + " " + v)
			}
		}
	}
	if plan.Restores == 0 && otherSettings(plan) {
		flags.WriteString(" --change-settings")
		for _, g := range plan.Given {
			switch {
			case g.Name == "stratify":
				flags.WriteString(" --stratify=" + g.Given)
			case g.Name != "seed" && g.Name != "pinned":
				each(g.Name, g.Given)
			}
		}
		each("pin", opt.Pin...)
		each("unpin", opt.Unpin...)
	} else {
		each("season", opt.Season)
		each("episode", opt.Episodes...)
	}
	if plan.Restores == 0 && !SeedsTried(plan) && slices.ContainsFunc(plan.Given, func(g state.GivenSetting) bool { return g.Name == "seed" }) {
		if !otherSettings(plan) {
			flags.WriteString(" --reshuffle")
		}
		each("seed", plan.Settings.Seed)
	}
	each("allow-delete", opt.AllowDelete...)
	each("allow-refresh", opt.AllowRefresh...)
	each("accept-base", opt.AcceptBase...)
	each("prune", opt.Prune...)
	return flags.String()
}
