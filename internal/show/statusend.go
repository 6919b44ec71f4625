package show

import (
	"cmp"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Step is a command to type, whole, and what it does.
type Step struct{ Command, Does string }

// Steps are the commands that follow on where a run stands. command is how the program is called, as in Style.
func Steps(command string, st state.Status) []Step {
	var steps []Step
	for _, s := range statusSteps(st) {
		steps = append(steps, Step{cmp.Or(command, "shuffle") + " " + s.command, s.does})
	}
	return steps
}

// statusSteps are the commands that follow on a state.
//
//	state               | commands
//	--------------------+--------------------------------------------
//	active              | status --watch; work and track before the first result, or when none has come for long; dead, if tasks are
//	failed, dead tasks  | dead, redrive
//	failed, superseded  | redrive
//	failed otherwise    | plan; verify first when there are differences
//	review              | apply
//	cancelled           | plan
//	superseded          | status
//	succeeded, restored | plan --dry-run
//	any, held episodes  | as at heldSteps
func statusSteps(st state.Status) []step {
	return append(stateSteps(st), heldSteps(st.Held)...)
}

func stateSteps(st state.Status) []step {
	switch st.State {
	case state.Failed:
		return failedSteps(st)
	case state.Review:
		return []step{{"apply " + st.Run, "publish its tasks"}}
	case state.Cancelled:
		return []step{{"plan", "begin a new run"}}
	case state.Superseded:
		return []step{{"status", "where the newest run stands"}}
	case state.Succeeded:
		return restoredSteps(st.Restores)
	}
	if !st.State.Active() {
		return nil
	}
	steps := []step{{"status --watch", "follow the run to its end"}}
	if len(st.MissingQueues) > 0 {
		steps = append([]step{{"setup", "create the missing queues"}}, steps...)
	}
	if st.State == state.Running && (accounted(st) == 0 || st.IdleSeconds > 0) {
		steps = append(steps, step{"work", "a worker, where none runs yet"}, step{"track", "the tracker, where none runs yet"})
	}
	if st.Dead > 0 {
		steps = append(steps, step{"dead " + st.Run, "list the dead tasks so far"})
	}
	return steps
}

// restoredSteps are what follows on a run back to a version; 0 is none.
func restoredSteps(version int64) []step {
	if version == 0 {
		return nil
	}
	return []step{{"plan --dry-run", "what the sheets, as they are, would change again"}}
}

func failedSteps(st state.Status) []step {
	switch {
	case st.Dead > 0:
		return []step{{"dead " + st.Run, "list the dead tasks and why"}, {"redrive " + st.Run, "publish them again; mend the cause first"}}
	case st.Outcomes[messages.Superseded] > 0:
		return []step{{"redrive " + st.Run, "publish what was not applied"}}
	case st.Differences > 0:
		return []step{{"verify", "list the differences as they are now"}, {"plan", "plan what mends them"}}
	}
	return []step{{"plan", "begin a new run"}}
}
