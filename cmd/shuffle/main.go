// Command shuffle keeps the datasets in a bucket equal to the spreadsheets that say how rare each
// frame is.
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

	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/dotenv"
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
	go limitMemory()
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
	err := command(ctx, args, &hider, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, errOutcome), errors.Is(err, errNoCommand):
		return err
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))):
		_, _ = fmt.Fprintf(stderr, "shuffle: interrupted: %s\n", clean(err))
		return errInterrupted
	}
	_, _ = fmt.Fprintf(stderr, "shuffle: %s\n", clean(err))
	return err
}

// clean is the error's text without what a terminal would obey: sheets and messages are quoted in
// it.
func clean(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = show.Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

func command(ctx context.Context, args []string, hider *secret.Hider, stdout, stderr io.Writer) error {
	env, err := dotenv.Load(".env")
	hider.Hide(secret.Find(os.Environ(), args))
	if err != nil {
		return usage(err)
	}
	parsed, err := parseIn(env, args, stdout, stderr)
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
	return asCalled(errors.Join(parsed.run(ctx, a), a.close()), a.style)
}

// calledError is an error whose text names commands as they are to be typed.
type calledError struct {
	error
	text string
}

func (e *calledError) Error() string { return e.text }
func (e *calledError) Unwrap() error { return e.error }

// asCalled adds what to do about an error, where its cause is known, and makes the commands in it
// begin as the program was called.
func asCalled(err error, style show.Style) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if advice := doctor.Advice(err); advice != "" {
		text += "\n→ " + advice
	}
	return &calledError{error: err, text: style.Commands(text)}
}

var (
	// errOutcome is the exit code 1 of a command that has printed what is wrong.
	errOutcome = errors.New("not as it should be")
	// errInterrupted is the end by a signal.
	errInterrupted = errors.New("interrupted")
	errUsage       = errors.New("usage")
	// errNoCommand is the exit code 2 of a call without arguments, which has printed the commands.
	errNoCommand = usage(errors.New("no command"))
)

// usage marks an error as the caller's, for the exit code.
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
