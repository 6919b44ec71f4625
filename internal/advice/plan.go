package advice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// ForPlan returns the next commands after a plan.
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
	case CanShowSeeds(plan):
		best := slices.IndexFunc(plan.Seeds, func(t state.SeedTrial) bool { return !t.InForce })
		steps = append(steps, Step{"plan --reshuffle --seed " + plan.Seeds[best].Seed + sameFlags(plan), "use the best seed that is not in force; frames move"})
	case plan.State == state.DryRun && plan.Tasks > 0:
		command, what := "plan"+sameFlags(plan), "publish it"
		switch {
		case otherSettings(plan):
			what = "publish it, and put these settings in force"
		case plan.SeedDrawn && plan.InForce == nil:
			command += " --seed " + plan.Settings.Seed // without it another seed would be drawn
		}
		steps = append(steps, Step{command, what})
	case plan.State == state.Review && plan.Tasks > 0:
		steps = append(steps, Step{"apply " + plan.Run, "publish it"})
	case plan.State.Active():
		steps = append(steps, Step{"status --watch", "follow the run to its end"},
			Step{"work", "start a worker, if none is running"}, Step{"track", "start the tracker, if it is not running"})
	case plan.State == state.Failed:
		steps = append(steps, Step{"status " + plan.Run, "why it failed"}, Step{"plan", "plan again"})
	}
	if plan.Restores > 0 {
		return append(steps, restoreSteps(plan.Restores)...)
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

// CanShowSeeds reports whether the plan has results of tried seeds. It has none when every episode
// is held.
func CanShowSeeds(plan *state.Plan) bool {
	return len(plan.Seeds) > 0 && len(plan.Held()) < len(plan.Episodes)
}

// otherSettings reports whether a plan has other settings than those in force, apart from the seed.
func otherSettings(plan *state.Plan) bool {
	return slices.ContainsFunc(plan.Given, func(g state.GivenSetting) bool { return g.Name != "seed" })
}

// heldSteps returns the next commands for held episodes, in any state.
//
//	held since                        | commands
//	----------------------------------+---------------------------------------------
//	S3 or Sheets refused              | doctor, plan
//	it would delete too much          | plan --allow-delete, of these
//	it would copy too much again      | plan --allow-refresh, of these
//	the images are elsewhere          | plan --accept-base, of these
//	sheet, manifest or images         | plan, when they are fixed
func heldSteps(held []state.HeldEpisode) (steps []Step) {
	again, allow, what := "", "plan", ""
	for _, e := range held {
		lift, isLift := liftFlags[e.Cause]
		switch {
		case isLift && what != "" && what != lift.what:
			allow, what = allow+lift.flag+e.Season+e.Episode, "allow all of these changes, if they are right"
		case isLift:
			allow, what = allow+lift.flag+e.Season+e.Episode, lift.what
		case e.Cause == state.CauseService && len(steps) == 0:
			steps = append(steps, Step{"doctor", "show which service fails, and what to do"})
			again = cmp.Or(again, "plan again, when the service works")
		case e.Cause != state.CauseService:
			again = "plan again, when the held sheets are fixed"
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

// heldChanges suggests the list of changes when a ceiling holds episodes: a person should look at
// them before allowing them.
func heldChanges(run string, held []state.HeldEpisode) []Step {
	ceiling := func(e state.HeldEpisode) bool {
		return e.Cause == state.CauseDeletions || e.Cause == state.CauseRefreshes
	}
	if !slices.ContainsFunc(held, ceiling) {
		return nil
	}
	return []Step{{"changes " + run, "show what the held episodes would delete or copy again"}}
}

// liftFlags are the flags that allow what holds an episode.
var liftFlags = map[state.Cause]struct{ flag, what string }{
	state.CauseDeletions: {" --allow-delete ", "allow the deletions, if it is right that the frames have no row or no image"},
	state.CauseRefreshes: {" --allow-refresh ", "allow the refreshes, if it is right that the images have changed"},
	state.CauseBase:      {" --accept-base ", "accept the sheet's new image folder, if the images have moved"},
}

// sameFlags are the flags that make a command plan what this dry run shows: its episodes, what it
// allows, and its settings.
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
		return "" // written by another release
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
	if plan.Restores == 0 && !CanShowSeeds(plan) && slices.ContainsFunc(plan.Given, func(g state.GivenSetting) bool { return g.Name == "seed" }) {
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
