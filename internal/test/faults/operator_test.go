package faults_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// follows is the number of times that an operator looks at status before a run must have ended.
const follows = 12

// typed is a command that a person typed, with its result.
type typed struct {
	command string
	code    int
	out     string // standard output
	said    string // standard error of this command
}

func (t typed) String() string {
	return fmt.Sprintf("shuffle %s: exit code %d\n%s%s", t.command, t.code, t.out, t.said)
}

// types runs a command until it exits, as a person does.
func (w *world) types(ctx context.Context, args ...string) (typed, error) {
	w.mu.Lock()
	w.planned++
	name := fmt.Sprintf("%s%d", args[0], w.planned)
	w.mu.Unlock()
	t := typed{command: strings.Join(args, " ")}
	p, err := w.start(name, args...)
	if err != nil {
		return t, err
	}
	w.front.Event("%s started: shuffle %q", name, args)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if t.code, err = p.code(ctx); err != nil {
		return t, err
	}
	said, err := os.ReadFile(p.log)
	t.out, t.said = p.out.String(), string(said)
	w.front.Event("%s ended: exit code %d", name, t.code)
	return t, err
}

var (
	verdictLine = regexp.MustCompile(`(?m)^\S (\w+): run (\S+?),? `)
	nextLine    = regexp.MustCompile(`^  shuffle(?: --local \S+)? (\S.*?)(?:  .*)?$`)
	stateKey    = regexp.MustCompile(`tuttle_twins/shuffle/[^\s:;,]+`)
)

// next returns the commands that status prints under "Next:".
func next(out string) (commands []string) {
	_, list, _ := strings.Cut(out, "\nNext:\n")
	for line := range strings.Lines(list) {
		if m := nextLine.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			commands = append(commands, m[1])
		}
	}
	return commands
}

// follow is an operator who types only the commands that status prints under "Next:", until it
// prints no more. The services already run. Where a person must decide, follow decides: it allows
// no more deletions, and it deletes an object of the state that may be deleted.
func (w *world) follow(ctx context.Context) error {
	var transcript []string
	for range follows {
		look, err := w.types(ctx, "status")
		if err != nil {
			return err
		}
		transcript = append(transcript, look.String())
		commands := next(look.out)
		verdict := verdictLine.FindStringSubmatch(look.out)
		switch {
		// The pointer is missing or damaged.
		case verdict == nil && strings.Contains(look.said, "shuffle plan"):
			w.followAdvice(ctx, look.said)
			commands = []string{"plan"}
		case verdict == nil:
			return fmt.Errorf("status does not say what to type: %s", look)
		case len(commands) == 0 && verdict[1] == string(state.Succeeded):
			return nil
		case len(commands) == 0:
			return fmt.Errorf("status of a run that is %s does not say what to type: %s", verdict[1], look)
		}
		for _, command := range commands {
			done, err := w.typesNext(ctx, command)
			if err != nil {
				return err
			}
			transcript = append(transcript, done.String())
		}
	}
	return fmt.Errorf("an operator who types what status says does not come to an end:\n%s", strings.Join(transcript, "\n"))
}

// typesNext types a command of the list. A command that starts a service is not typed, because one
// already runs.
func (w *world) typesNext(ctx context.Context, command string) (done typed, err error) {
	args := strings.Fields(command)
	switch {
	case args[0] == "work" || args[0] == "track" || command == "run --resume":
		return typed{command: command, said: "runs already"}, nil
	case args[0] == "run": // in a world in a folder; worker and tracker already run
		args[0] = "plan"
	}
	switch {
	case slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--allow") }):
		args = args[:1] // the sheets are right: no more deletions are allowed
	}
	if done, err = w.types(ctx, args...); err == nil && done.code != 0 {
		w.followAdvice(ctx, done.out+done.said)
	}
	return done, err
}

// followAdvice follows the advice of a message as a person would. It deletes an object of the state
// or the file of the queues, or else restores the damaged object.
func (w *world) followAdvice(ctx context.Context, said string) {
	said = strings.Join(strings.Fields(said), " ")
	var err error
	switch key := stateKey.FindString(said); {
	case strings.Contains(said, "queues.db is damaged"):
		w.front.Event("the operator deletes queues.db")
		err = w.removeQueueFile()
	case key == "":
	case strings.Contains(said, "delete it"):
		w.front.Event("the operator deletes %s", key)
		_, err = w.bucket.DeleteObjects(ctx, []string{key})
	case strings.Contains(said, "restore"):
		w.front.Event("the operator restores what was damaged")
		err = w.restore(ctx)
	}
	if err != nil {
		w.broke(err)
	}
}

// converge plans, as the scheduler does, and follows the advice of status, until the next plan is
// empty.
func (w *world) converge(ctx context.Context) error {
	err := w.letGo(ctx)
	if err != nil && w.hands() { // the plan may have read damaged state
		w.followAdvice(ctx, w.lastStderr())
		err = w.letGo(ctx)
	}
	if err == nil {
		err = w.follow(ctx)
	}
	if err != nil {
		return err
	}
	var plan state.Plan
	for range maxTries {
		plan = state.Plan{}
		code, err := w.command(ctx, &plan, "plan", "--json")
		if err != nil {
			return err
		}
		if code == 2 {
			w.followAdvice(ctx, w.lastStderr())
		}
		if _, err := w.ended(ctx); err != nil {
			return err
		}
		if code == 0 && plan.Tasks == 0 && plan.State == state.Succeeded {
			return nil
		}
		if err := w.follow(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("the plan is not empty after %d tries without faults: %d tasks, held %v, problems %v", maxTries, plan.Tasks, plan.Held(), plan.Problems)
}

// removeQueueFile deletes the queues of the embedded default, in the order that doctor advises.
func (w *world) removeQueueFile() error {
	for _, ending := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(w.own("queues.db") + ending); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// did records a person's action, so that the checks know it.
func (w *world) did(what, run string) {
	w.front.Did(faults.Hand, what)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.touched[run] = true
}

func (w *world) wasTouched(run string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.touched[run]
}

// hands reports whether a person has changed any state.
func (w *world) hands() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.touched) > 0
}
