package advice

import (
	"cmp"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// ForStatus are the commands that follow on where a run stands.
//
//	state                     | commands
//	--------------------------+--------------------------------------------
//	active                    | status --watch; setup first, if a queue is missing; doctor first, if they cannot be
//	                          | used; dead, if tasks are
//	  without results         | work and track too: before the first result, or when none has come for long
//	  its planner is gone     | plan, track
//	failed, to be redriven    | dead, redrive
//	failed, source gone       | dead, plan: no attempt at the task can succeed
//	failed, plan lost         | plan
//	failed, superseded        | redrive
//	failed otherwise          | plan; verify first when there are differences
//	review                    | apply
//	cancelled                 | plan
//	superseded, or an earlier | status
//	run that did not succeed  |
//	succeeded, restored       | plan --dry-run
//	any, held episodes        | changes, if a ceiling holds one; then as at heldSteps, unless a newer run is in force
func ForStatus(st state.Status) []Step {
	if st.Earlier {
		if st.State == state.Succeeded && len(st.Held) == 0 {
			return nil
		}
		return []Step{{"status", "where the newest run stands"}}
	}
	steps := append(stateSteps(st), heldChanges(st.Run, st.Held)...)
	return append(steps, heldSteps(st.Held)...)
}

func stateSteps(st state.Status) []Step {
	switch st.State {
	case state.Failed:
		return failedSteps(st)
	case state.Review:
		return []Step{{"apply " + st.Run, "publish its tasks"}}
	case state.Cancelled:
		return []Step{{"plan", "begin a new run"}}
	case state.Superseded:
		return []Step{{"status", "where the newest run stands"}}
	case state.Succeeded:
		return restoredSteps(st.Restores)
	}
	if !st.State.Active() {
		return nil
	}
	steps := []Step{{"status --watch", "follow the run to its end"}}
	if len(st.MissingQueues) > 0 {
		steps = append([]Step{{"setup", "create the missing queues"}}, steps...)
	}
	if st.QueueFault != "" {
		steps = append([]Step{{"doctor", "what is wrong with the queues, and what to do"}}, steps...)
	}
	track := Step{"track", "the tracker, where none runs yet"}
	switch idle := st.IdleSeconds > 0; {
	case st.State == state.Running && (Accounted(st) == 0 || idle):
		steps = append(steps, Step{"work", "a worker, where none runs yet"}, track)
	case st.State == state.Verifying && idle:
		steps = append(steps, track)
	case idle:
		steps = append(steps, Step{"plan", "go on in place of a planner that has died"}, track)
	}
	if st.Dead > 0 {
		steps = append(steps, Step{"dead " + st.Run, "list the dead tasks so far"})
	}
	return steps
}

// restoredSteps are what follows on a run back to a version; 0 is none.
func restoredSteps(version int64) []Step {
	if version == 0 {
		return nil
	}
	return []Step{{"plan --dry-run", "what the sheets, as they are, would change again"}}
}

func failedSteps(st state.Status) []Step {
	list := Step{"dead " + st.Run, "list the dead tasks and why"}
	switch {
	case st.PlanLost:
		return []Step{{"plan", "plan what is still to do; without its plan the run cannot go on"}}
	case st.Dead > 0 && Gone(st.DeadCodes):
		return []Step{list, {"plan", "plan what is still to do, without the images that are gone"}}
	case st.Dead > 0:
		return []Step{list, {"redrive " + st.Run, "publish them again; mend the cause first"}}
	case st.Outcomes[messages.Superseded] > 0:
		return []Step{{"redrive " + st.Run, "publish what was not applied"}}
	case st.Differences > 0:
		return []Step{{"verify", "list the differences as they are now"}, {"plan", "plan what mends them"}}
	}
	return []Step{{"plan", "begin a new run"}}
}

// Gone says whether the source image of a dead task is gone. Such a task fails at each attempt; a
// new plan does without it.
func Gone(deadCodes map[string]int) bool { return deadCodes[bucket.CodeNoSuchKey] > 0 }

// ForDead are the commands that follow on the dead tasks of a run. Only of the run in force can
// they be published again.
func ForDead(st state.Status, dead []state.DeadTask) []Step {
	run := st.Run
	if st.Earlier || !st.State.Active() && st.State != state.Failed {
		return []Step{{"plan", "plan what is still to do: these tasks are not published again"}}
	}
	codes := map[string]int{}
	for _, d := range dead {
		codes[d.Code]++
	}
	steps := []Step{{"redrive " + run, "mend the cause first"}}
	if Gone(codes) {
		steps = []Step{{"plan", "plan what is still to do, without the images that are gone"}, {"redrive " + run, "only if the images are there again"}}
	}
	if len(dead) > 1 {
		steps = append(steps, Step{fmt.Sprintf("redrive %s --seq %d", run, dead[0].Task.Seq), "only that one"})
	}
	return steps
}

// ForRuns leads to the newest run that needs somebody, unless a later one has ended well. all are
// the newest first.
func ForRuns(all []state.Status) []Step {
	for _, st := range all {
		switch {
		case st.State == state.Failed, st.State == state.Review, len(st.Held) > 0:
			return []Step{{"status " + st.Run, "why, and what to do"}}
		case st.State == state.Succeeded:
			return nil
		}
	}
	return nil
}

// Accounted is the number of tasks whose end is known.
func Accounted(st state.Status) int { return st.Done + st.Dead + st.Outcomes[messages.Superseded] }

// Meaning explains a state: by the reason that it has, or else by what it is, with what happens
// next by itself and when.
func Meaning(st state.Status) string {
	switch {
	case st.Reason != "":
		return st.Reason
	case st.State == state.Succeeded && len(st.Held) > 0:
		return "the datasets equal the plan, which leaves out " + figure.Count(len(st.Held), "held episode")
	case st.State == state.Succeeded && st.Restores > 0:
		return fmt.Sprintf("the datasets equal the plan back to version %d; the sheets stay as they are, and the next plan follows them again", st.Restores)
	case st.IdleSeconds > 0:
		return idle(st)
	}
	return map[state.State]string{
		state.Planning:   "the planner reads sheets and listings",
		state.Publishing: "the planner sends the tasks to the queue",
		state.Running:    "workers apply the tasks",
		state.Verifying:  "the tracker lists the datasets and compares them with the plan",
		state.Succeeded:  "the datasets equal the plan",
		state.Failed:     "no reason is known",
		state.Review:     "the plan waits for somebody to apply it",
		state.Cancelled:  "somebody stopped it",
		state.Superseded: "a newer run took over",
	}[st.State]
}

// idle explains a run that does not go on.
func idle(st state.Status) string {
	since, within := figure.Duration(st.IdleSeconds), ""
	if st.RecoverySeconds != nil {
		within = " within " + figure.Duration(max(*st.RecoverySeconds, 60))
	}
	switch st.State {
	case state.Planning:
		return "the planner has not been heard of for " + since + ": if it has died, a tracker ends the run" + cmp.Or(within, " after a while") + " (SHUFFLE_STALL), and shuffle plan begins anew at once"
	case state.Publishing:
		return "the planner has not been heard of for " + since + ": if it has died, a tracker sends the rest of the tasks" + cmp.Or(within, " after a while") + " (SHUFFLE_STALL), and shuffle plan does at once"
	case state.Verifying:
		return "nothing has come from the tracker for " + since + ": it lists much, or it has died; then another one goes on at once"
	}
	return "no result has come for " + since + ": no worker seems to run (shuffle work), or the tasks fail again and again, or no tracker counts them (shuffle track); " +
		"if messages were lost, a tracker publishes what is open again" + cmp.Or(within, " after a while") + " (SHUFFLE_STALL)"
}
