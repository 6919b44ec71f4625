package advice

import (
	"cmp"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// ForStatus returns the next commands for the status of a run.
//
//	state                     | commands
//	--------------------------+--------------------------------------------
//	active                    | status --watch; setup first, if a queue is missing; doctor first, if they cannot be
//	                          | used; dead, if tasks are
//	  without results         | work and track too: before the first result, or after a long time without one
//	  its planner has died    | plan, track
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
		return []Step{{"status", "show the state of the newest run"}}
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
		return []Step{{"status", "show the state of the newest run"}}
	case state.Succeeded:
		return restoreSteps(st.Restores)
	}
	if !st.State.Active() {
		return nil
	}
	steps := []Step{{"status --watch", "follow the run to its end"}}
	if len(st.MissingQueues) > 0 {
		steps = append([]Step{{"setup", "create the missing queues"}}, steps...)
	}
	if st.QueueFault != "" {
		steps = append([]Step{{"doctor", "show what is wrong with the queues, and what to do"}}, steps...)
	}
	track := Step{"track", "start the tracker, if it is not running"}
	switch idle := st.IdleSeconds > 0; {
	case st.State == state.Running && (Accounted(st) == 0 || idle):
		steps = append(steps, Step{"work", "start a worker, if none is running"}, track)
	case st.State == state.Verifying && idle:
		steps = append(steps, track)
	case idle:
		steps = append(steps, Step{"plan", "continue for a planner that has died"}, track)
	}
	if st.Dead > 0 {
		steps = append(steps, Step{"dead " + st.Run, "list the dead tasks so far"})
	}
	return steps
}

// restoreSteps returns the next commands after a restore; version 0 means no restore.
func restoreSteps(version int64) []Step {
	if version == 0 {
		return nil
	}
	return []Step{{"plan --dry-run", "show what the sheets would change again"}}
}

func failedSteps(st state.Status) []Step {
	list := Step{"dead " + st.Run, "list the dead tasks and why"}
	switch {
	case st.PlanLost:
		return []Step{{"plan", "plan the remaining changes; the run cannot continue without its plan"}}
	case st.Dead > 0 && SourceGone(st.DeadCodes):
		return []Step{list, {"plan", "plan the remaining changes, without the images that are gone"}}
	case st.Dead > 0:
		return []Step{list, {"redrive " + st.Run, "publish them again; fix the cause first"}}
	case st.Outcomes[messages.Superseded] > 0:
		return []Step{{"redrive " + st.Run, "publish the tasks that were not applied"}}
	case st.Differences > 0:
		return []Step{{"verify", "list the present differences"}, {"plan", "plan the tasks that fix them"}}
	}
	return []Step{{"plan", "begin a new run"}}
}

// SourceGone reports whether the source image of a dead task is gone. Such a task always fails; a
// new plan does not contain it.
func SourceGone(deadCodes map[string]int) bool { return deadCodes[bucket.CodeNoSuchKey] > 0 }

// ForDead returns the next commands for the dead tasks of a run. Only those of the run in force can
// be published again.
func ForDead(st state.Status, dead []state.DeadTask) []Step {
	run := st.Run
	if st.Earlier || !st.State.Active() && st.State != state.Failed {
		return []Step{{"plan", "plan the remaining changes: these tasks cannot be published again"}}
	}
	codes := map[string]int{}
	for _, d := range dead {
		codes[d.Code]++
	}
	steps := []Step{{"redrive " + run, "fix the cause first"}}
	if SourceGone(codes) {
		steps = []Step{{"plan", "plan the remaining changes, without the images that are gone"}, {"redrive " + run, "only if the images exist again"}}
	}
	if len(dead) > 1 {
		steps = append(steps, Step{fmt.Sprintf("redrive %s --seq %d", run, dead[0].Task.Seq), "publish only this task again"})
	}
	return steps
}

// ForRuns suggests to look at the newest run that needs a person, unless a later run has succeeded.
// all are newest first.
func ForRuns(all []state.Status) []Step {
	for _, st := range all {
		switch {
		case st.State == state.Failed, st.State == state.Review, len(st.Held) > 0:
			return []Step{{"status " + st.Run, "show why, and what to do"}}
		case st.State == state.Succeeded:
			return nil
		}
	}
	return nil
}

// Accounted is the number of tasks with a known outcome.
func Accounted(st state.Status) int { return st.Done + st.Dead + st.Outcomes[messages.Superseded] }

// Meaning explains a state: with its reason, or else what the state means, what will happen next
// automatically, and when.
func Meaning(st state.Status) string {
	switch {
	case st.Reason != "":
		return st.Reason
	case st.State == state.Succeeded && len(st.Held) > 0:
		return "the datasets equal the plan, which leaves out " + figure.Count(len(st.Held), "held episode")
	case st.State == state.Succeeded && st.Restores > 0:
		return fmt.Sprintf("the datasets equal the plan back to version %d; the sheets have not changed, and the next plan follows them again", st.Restores)
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
		state.Review:     "the plan waits for shuffle apply",
		state.Cancelled:  "it was stopped with shuffle cancel",
		state.Superseded: "a newer run took over",
	}[st.State]
}

// idle explains a run without progress.
func idle(st state.Status) string {
	since, within := figure.Duration(st.IdleSeconds), ""
	if st.RecoverySeconds != nil {
		within = " within " + figure.Duration(max(*st.RecoverySeconds, 60))
	}
	switch st.State {
	case state.Planning:
		return "the planner has sent no heartbeat for " + since + ": if it has died, a tracker ends the run" + cmp.Or(within, " later") + " (SHUFFLE_STALL); shuffle plan starts a new run at once"
	case state.Publishing:
		return "the planner has sent no heartbeat for " + since + ": if it has died, a tracker sends the rest of the tasks" + cmp.Or(within, " later") + " (SHUFFLE_STALL); shuffle plan sends them at once"
	case state.Verifying:
		return "the tracker has reported nothing for " + since + ": it has much to list, or it has died; then another tracker continues at once"
	}
	return "no result has come for " + since + ": no worker seems to run (shuffle work), or the tasks fail again and again, or no tracker counts them (shuffle track); " +
		"if messages were lost, a tracker publishes the open tasks again" + cmp.Or(within, " later") + " (SHUFFLE_STALL)"
}
