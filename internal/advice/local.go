package advice

import (
	"slices"
	"strings"
)

// OnOneMachine turns steps into those for a world in a folder, where no service runs unless
// somebody has started it: shuffle run plans, works and tracks in one.
//
//	step                         | instead
//	-----------------------------+--------------------------------------------
//	plan, that publishes         | run, with the same flags
//	work, track                  | run --resume
//	apply, redrive, restore      | the same, and run --resume
//	track beside plan            | nothing: the run does it
//	any other                    | the same
func OnOneMachine(steps []Step) []Step {
	resume := Step{"run --resume", "work and track here, until the run has ended"}
	var out []Step
	plans := slices.ContainsFunc(steps, publishes)
	for _, s := range steps {
		switch s.Name() {
		case "plan":
			if publishes(s) {
				s.Command = "run" + s.Command[len("plan"):]
			}
			out = append(out, s)
		case "work", "track":
			if !plans && !slices.Contains(out, resume) {
				out = append(out, resume)
			}
		case "apply", "redrive", "restore":
			if out = append(out, s); !slices.Contains(out, resume) && !readsOnly(s) {
				out = append(out, resume)
			}
		default:
			out = append(out, s)
		}
	}
	return out
}

func publishes(s Step) bool { return s.Name() == "plan" && !readsOnly(s) && !hasFlag(s, "--review") }

func readsOnly(s Step) bool { return hasFlag(s, "--dry-run") }

func hasFlag(s Step, flag string) bool { return slices.Contains(strings.Fields(s.Command), flag) }
