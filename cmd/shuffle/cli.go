package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime/debug"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/angel-nft/google-shuffle/internal/config"
	"github.com/angel-nft/google-shuffle/internal/dotenv"
)

// cli is every command and flag; the help texts and the environment's names come from it.
type cli struct {
	config.Config

	Demo demoCmd `cmd:"" help:"Show everything on a generated season, in ./shuffle-demo." example:"demo --serve"`
	Run  runCmd  `cmd:"" help:"Plan, work and track in one process, until the run has ended." example:"--local DIR run --season S01"`

	Plan  planCmd  `cmd:"" help:"Compare sheets and datasets, publish the difference as tasks." example:"plan --episode S01E01 --dry-run"`
	Apply applyCmd `cmd:"" help:"Publish a plan that was made with --review." example:"apply 20261123T212443Z-42-k7f3"`
	Work  workCmd  `cmd:"" help:"Apply tasks, until SIGTERM." example:"work --exit-when-idle 30s"`
	Track trackCmd `cmd:"" help:"Count results, verify, report; until SIGTERM." example:"track --http 127.0.0.1:8080"`

	Settings settingsCmd `cmd:"" help:"Show the settings in force and where this environment differs." example:"settings --json"`

	Changes  changesCmd  `cmd:"" help:"What a run changes and why, frame by frame." example:"changes --csv changes.csv"`
	Problems problemsCmd `cmd:"" help:"What is wrong in the sheets, by kind." example:"problems --csv problems.csv"`

	Status  statusCmd  `cmd:"" help:"Where a run stands." example:"status --watch"`
	Runs    runsCmd    `cmd:"" help:"List the runs, newest first." example:"runs"`
	Dead    deadCmd    `cmd:"" help:"List a run's dead tasks." example:"dead 20261123T212443Z-42-k7f3"`
	Redrive redriveCmd `cmd:"" help:"Publish a run's dead tasks again." example:"redrive 20261123T212443Z-42-k7f3 --seq 1234"`
	Cancel  cancelCmd  `cmd:"" help:"Stop a run." example:"cancel 20261123T212443Z-42-k7f3"`
	Verify  verifyCmd  `cmd:"" help:"List the datasets and compare them with what should stand, now." example:"verify"`

	Versions versionsCmd `cmd:"" help:"List the dataset versions, or what changed between two." example:"versions 41 42"`
	Restore  restoreCmd  `cmd:"" help:"Plan the datasets back to a version, and publish that as tasks." example:"restore 41 --dry-run"`
	Pull     pullCmd     `cmd:"" help:"Download a dataset version for PyTorch, Keras and Hugging Face." example:"pull --dataset train ./frames"`
	Why      whyCmd      `cmd:"" help:"Where a frame stands, where it should, and why." example:"why TT_S01_E01_FRM-00-00-08-12"`

	Setup  setupCmd  `cmd:"" help:"Create the queues; safe to repeat." example:"--local DIR setup"`
	Alive  aliveCmd  `cmd:"" help:"Ask the service at --alive whether it works: a health check." example:"--alive @shuffle alive"`
	Doctor doctorCmd `cmd:"" help:"Check credentials, sheets, bucket and queues; say what to fix." example:"doctor"`

	Completion completionCmd `cmd:"" help:"Print the script by which a shell completes commands and flags." example:"completion bash"`
}

// runner is what each command implements. An error in its exit code alone is errOutcome.
type runner interface {
	run(ctx context.Context, a *app) error
}

type parsed struct {
	config    config.Config
	command   runner
	variables []string // of all flags of all commands
}

func (p *parsed) run(ctx context.Context, a *app) error { return p.command.run(ctx, a) }

// parse reads the arguments; nil when they asked for help or the version, which is printed then.
// Without any it prints the commands and returns errNoCommand.
func parse(args []string, stdout, stderr io.Writer) (*parsed, error) {
	if build, ok := debug.ReadBuildInfo(); ok && slices.Equal(args, []string{"--version"}) {
		_, err := fmt.Fprintln(stdout, versionLine(version, build)) // no flag: pull has one of this name
		return nil, err
	}
	var c cli
	helped := false
	k, err := kong.New(&c,
		kong.Name("shuffle"),
		kong.Description("Keeps the datasets in a bucket equal to the sheets that say how rare each frame is."),
		kong.DefaultEnvars("SHUFFLE"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(helpOptions),
		kong.Help(printHelp),
		kong.ExplicitGroups([]kong.Group{
			{Key: "ports", Title: "Where things are:"}, {Key: "plans", Title: "What a plan says:"},
			{Key: "runs", Title: "How a run goes:"}, {Key: "logs", Title: "Logs:"},
		}),
	)
	if err != nil {
		return nil, err
	}
	ctx, err := k.Parse(args)
	if helped {
		return nil, nil
	}
	if bare, ok := errors.AsType[*kong.ParseError](err); ok && len(args) == 0 {
		if err := printCommands(bare.Context, stderr); err != nil {
			return nil, err
		}
		return nil, errNoCommand
	}
	if err != nil {
		return nil, usage(fmt.Errorf("%w; see shuffle --help", err))
	}
	command, ok := ctx.Selected().Target.Addr().Interface().(runner)
	if !ok {
		panic("command without run: " + ctx.Command()) // a new command that forgot it
	}
	if err := expandHome(ctx); err != nil {
		return nil, usage(err)
	}
	c.Given = given(ctx)
	return &parsed{config: c.Config, command: command, variables: variables(k.Model.Node)}, nil
}

// variables are the environment's names of a command's flags, and of the flags of the commands in
// it.
func variables(node *kong.Node) (names []string) {
	for _, flag := range node.Flags {
		names = append(names, flag.Envs...)
	}
	for _, child := range node.Children {
		names = append(names, variables(child)...)
	}
	return names
}

// parseIn is parse in an environment that has variables of .env.
func parseIn(env dotenv.Environment, args []string, stdout, stderr io.Writer) (*parsed, error) {
	p, err := parse(args, stdout, stderr)
	if p == nil || err != nil {
		return p, err
	}
	for flag, where := range p.config.Given {
		if env.FromFile[where] {
			p.config.Given[flag] = where + " in .env"
		}
	}
	return p, nil
}

// expandHome puts the home folder in for ~ in every flag and argument that is a path.
func expandHome(ctx *kong.Context) error {
	values := ctx.Selected().Positional
	for _, flag := range ctx.Flags() {
		values = append(values[:len(values):len(values)], flag.Value)
	}
	for _, v := range values {
		target := reflect.Indirect(v.Target)
		isPath := v.Name == "dir" || v.Tag.PlaceHolder == "DIR" || v.Tag.PlaceHolder == "FILE"
		if !isPath || target.Kind() != reflect.String {
			continue
		}
		path, err := config.ExpandHome(target.String())
		if err != nil {
			return fmt.Errorf("%s: %w", v.Summary(), err)
		}
		target.SetString(path)
	}
	return nil
}

// given says where each flag of the command was given: on the command line, or else in its
// variable.
func given(ctx *kong.Context) map[string]string {
	where := map[string]string{}
	for _, flag := range ctx.Flags() {
		for _, variable := range flag.Envs {
			if _, set := os.LookupEnv(variable); set {
				where[flag.Name] = variable
				break // kong takes the first one that is set
			}
		}
	}
	for _, path := range ctx.Path {
		if path.Flag != nil {
			where[path.Flag.Name] = "--" + path.Flag.Name
		}
	}
	return where
}
