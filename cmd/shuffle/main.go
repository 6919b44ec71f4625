// Command shuffle keeps the datasets in a bucket equal to the spreadsheets that classify each
// frame.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/angel-nft/google-shuffle/internal/config"
	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/pull"
	"github.com/angel-nft/google-shuffle/internal/secret"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
	"github.com/angel-nft/google-shuffle/planner"
	"github.com/angel-nft/google-shuffle/tracker"
)

func main() {
	boundMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(exitCode(err))
}

// run is the whole program. Settings come from the arguments, the environment and .env in the
// working folder, in this order.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var hider secret.Hider
	stdout, stderr = hider.Writer(stdout), hider.Writer(stderr)
	err := runCommand(ctx, args, &hider, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, errOutcome), errors.Is(err, errNoCommand):
		return err
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))):
		_, _ = fmt.Fprintf(stderr, "shuffle: interrupted: %s\n", cleanText(err))
		return errInterrupted
	}
	_, _ = fmt.Fprintf(stderr, "shuffle: %s\n", cleanText(err))
	return err
}

// cleanText is the error's text without control sequences, since it may quote sheets and messages.
func cleanText(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = show.Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

func runCommand(ctx context.Context, args []string, hider *secret.Hider, stdout, stderr io.Writer) error {
	env, err := config.LoadEnv(".env")
	hider.Hide(secret.Find(os.Environ(), args))
	if err != nil {
		return usage(err)
	}
	parsed, err := parseWithEnv(env, args, stdout, stderr)
	if parsed == nil || err != nil {
		return err
	}
	for _, warning := range unknownVariables(os.Environ(), parsed.variables, env) {
		_, _ = fmt.Fprintf(stderr, "shuffle: warning: %s\n", show.Clean(warning))
	}
	a, err := newApp(parsed.config, stdout, stderr)
	if err != nil {
		return err
	}
	if err := checkFolders(parsed.command, a.cfg); err != nil {
		return err
	}
	switch parsed.command.(type) {
	case *workCmd, *trackCmd:
		a.opener.Patient = true
	}
	if err = errors.Join(parsed.command.run(ctx, a), a.close()); err == nil {
		return nil
	}
	text := err.Error()
	if advice := doctor.Advice(err); advice != "" {
		text += "\n→ " + advice
	}
	// The commands in the text begin as the user called the program.
	return &advisedError{error: err, text: a.style.RewriteCommands(text)}
}

// advisedError is an error whose text has the advice and the commands as the user must type them.
type advisedError struct {
	error
	text string
}

func (e *advisedError) Error() string { return e.text }
func (e *advisedError) Unwrap() error { return e.error }

var (
	// errOutcome means exit code 1. The command has already printed what is wrong.
	errOutcome = errors.New("run failed, or held episodes, dead tasks or differences")
	// errInterrupted means that a signal ended the program.
	errInterrupted = errors.New("interrupted")
	errUsage       = errors.New("usage")
	// errNoCommand means exit code 2: a call without arguments has printed the commands.
	errNoCommand = usage(errors.New("no command"))
)

// usage marks an error as wrong usage, for the exit code.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

type usageError struct{ err error }

func (e *usageError) Error() string        { return e.err.Error() }
func (e *usageError) Unwrap() error        { return e.err }
func (e *usageError) Is(target error) bool { return target == errUsage }

// exitCode is the contract of DESIGN 10.
func exitCode(err error) int {
	var active *planner.ActiveError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errInterrupted):
		return 130
	case errors.As(err, &active):
		return 3
	case errors.Is(err, errUsage), errors.Is(err, planner.ErrUsage), errors.Is(err, open.ErrURL), errors.Is(err, state.ErrNoRun), errors.Is(err, state.ErrSettings), errors.Is(err, tracker.ErrNothingToCompare),
		errors.Is(err, version.ErrNone), errors.Is(err, version.ErrTag), errors.Is(err, pull.ErrUsage):
		return 2
	}
	return 1
}
