package advice

import (
	"slices"
	"strings"
)

// OnOneMachine changes steps for --local, where usually no services run: shuffle run plans, applies
// and tracks in one process.
//
//	step                         | instead
//	-----------------------------+--------------------------------------------
//	plan, that publishes         | run, with the same flags
//	work, track                  | run --resume
//	apply, redrive, restore      | the same, and run --resume
//	track, with a plan           | nothing: run tracks too
//	any other                    | the same
func OnOneMachine(steps []Step) []Step {
	resume := Step{"run --resume", "apply and track the tasks here, until the run has ended"}
	var out []Step
	plans := slices.ContainsFunc(steps, isPublishing)
	for _, s := range steps {
		switch s.Name() {
		case "plan":
			if isPublishing(s) {
				s.Command = "run" + s.Command[len("plan"):]
			}
			out = append(out, s)
		case "work", "track":
			if !plans && !slices.Contains(out, resume) {
				out = append(out, resume)
			}
		case "apply", "redrive", "restore":
			if out = append(out, s); !slices.Contains(out, resume) && !isDryRun(s) {
				out = append(out, resume)
			}
		default:
			out = append(out, s)
		}
	}
	return out
}

func isPublishing(s Step) bool { return s.Name() == "plan" && !isDryRun(s) && !hasFlag(s, "--review") }

func isDryRun(s Step) bool { return hasFlag(s, "--dry-run") }

func hasFlag(s Step, flag string) bool { return slices.Contains(strings.Fields(s.Command), flag) }
