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
)

// cli has every command and flag. Help texts and names of environment variables are made from it.
type cli struct {
	config.Config

	Demo demoCmd `cmd:"" help:"Show everything on a generated season, in ./shuffle-demo." example:"demo --serve"`
	Run  runCmd  `cmd:"" help:"Plan, apply the tasks and verify, in one process." example:"--local DIR run --season S01"`

	Plan  planCmd  `cmd:"" help:"Compare sheets and datasets; publish the differences as tasks." example:"plan --episode S01E01 --dry-run"`
	Apply applyCmd `cmd:"" help:"Publish a plan that was made with --review." example:"apply 20261123T212443Z-42-k7f3"`
	Work  workCmd  `cmd:"" help:"Apply tasks, until SIGTERM." example:"work --exit-when-idle 30s"`
	Track trackCmd `cmd:"" help:"Count results, verify, report; until SIGTERM." example:"track --http 127.0.0.1:8080"`

	Settings settingsCmd `cmd:"" help:"Show the settings in force and where this environment differs." example:"settings --json"`

	Changes  changesCmd  `cmd:"" help:"Show what a run changes and why, frame by frame." example:"changes --csv changes.csv"`
	Problems problemsCmd `cmd:"" help:"Show what is wrong in the sheets, by kind." example:"problems --csv problems.csv"`

	Status  statusCmd  `cmd:"" help:"Show the state and progress of a run." example:"status --watch"`
	Runs    runsCmd    `cmd:"" help:"List the runs, newest first." example:"runs"`
	Dead    deadCmd    `cmd:"" help:"List a run's dead tasks." example:"dead 20261123T212443Z-42-k7f3"`
	Redrive redriveCmd `cmd:"" help:"Publish a run's dead tasks again." example:"redrive 20261123T212443Z-42-k7f3 --seq 1234"`
	Cancel  cancelCmd  `cmd:"" help:"Stop a run." example:"cancel 20261123T212443Z-42-k7f3"`
	Verify  verifyCmd  `cmd:"" help:"List the datasets; compare them with the newest run or version." example:"verify"`

	Versions versionsCmd `cmd:"" help:"List the dataset versions, or show what changed between two." example:"versions 41 42"`
	Restore  restoreCmd  `cmd:"" help:"Publish the tasks that bring the datasets back to a version." example:"restore 41 --dry-run"`
	Pull     pullCmd     `cmd:"" help:"Download a dataset version for PyTorch, Keras and Hugging Face." example:"pull --dataset train ./frames"`
	Why      whyCmd      `cmd:"" help:"Show where a frame is, where it should be, and why." example:"why TT_S01_E01_FRM-00-00-08-12"`

	Setup  setupCmd  `cmd:"" help:"Create the queues; safe to repeat." example:"--local DIR setup"`
	Alive  aliveCmd  `cmd:"" help:"Health check: ask the service at the socket of --alive." example:"--alive @shuffle alive"`
	Doctor doctorCmd `cmd:"" help:"Check credentials, sheets, bucket and queues; show what to fix." example:"doctor"`

	Completion completionCmd `cmd:"" help:"Print the script that makes a shell complete commands and flags." example:"completion bash"`
}

// runner is implemented by each command. It returns errOutcome when it has printed what is wrong
// and only the exit code is left.
type runner interface {
	run(ctx context.Context, a *app) error
}

type parsed struct {
	config    config.Config
	command   runner
	variables []string // environment variables of all flags of all commands
}

// parse reads the arguments. For help and --version it prints and returns nil. Without arguments it
// prints the commands and returns errNoCommand.
func parse(args []string, stdout, stderr io.Writer) (*parsed, error) {
	if build, ok := debug.ReadBuildInfo(); ok && slices.Equal(args, []string{"--version"}) {
		// This is not a flag of the program, since pull has a flag of this name.
		_, err := fmt.Fprintln(stdout, versionLine(release, build))
		return nil, err
	}
	var c cli
	helped := false
	k, err := kong.New(&c,
		kong.Name("shuffle"),
		kong.Description("Keeps the datasets in a bucket equal to the sheets, which give each frame its class."),
		kong.DefaultEnvars("SHUFFLE"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(helpOptions),
		kong.Help(printHelp),
		kong.ExplicitGroups([]kong.Group{
			{Key: "ports", Title: "Bucket, queues and sheets:"}, {Key: "plans", Title: "Planning:"},
			{Key: "runs", Title: "Runs:"}, {Key: "logs", Title: "Logs:"},
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
		panic("command without run: " + ctx.Command()) // a new command must implement runner
	}
	if err := expandHome(ctx); err != nil {
		return nil, usage(err)
	}
	c.Given = givenFlags(ctx)
	return &parsed{config: c.Config, command: command, variables: flagVariables(k.Model.Node)}, nil
}

// flagVariables lists the environment variables of a command's flags and of its subcommands' flags.
func flagVariables(node *kong.Node) (names []string) {
	for _, flag := range node.Flags {
		names = append(names, flag.Envs...)
	}
	for _, child := range node.Children {
		names = append(names, flagVariables(child)...)
	}
	return names
}

// parseWithEnv is parse, and notes which settings came from .env.
func parseWithEnv(env config.Environment, args []string, stdout, stderr io.Writer) (*parsed, error) {
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

// expandHome replaces ~ with the home folder in every flag and argument that is a path.
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

// givenFlags names for each flag where its value came from: the command line, or else a variable.
func givenFlags(ctx *kong.Context) map[string]string {
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

// printHelp prints the help of the program, or the help of one command: its own flags, an example,
// and how to list the flags of all commands.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	command := ctx.Selected()
	if command == nil {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	hideFlags(ctx.Model)
	// The help of a flag here does not repeat the variable's name.
	options.ValueFormatter = func(v *kong.Value) string { return v.Help }
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(ctx.Stdout, `
Example:
  %s %s

Each flag has an environment variable, such as SHUFFLE_DRY_RUN for --dry-run.
Run "%s --help" for the flags of all commands: bucket, queues, sheets, planning, runs, logs.
`, ctx.Model.Name, command.Tag.Get("example"), ctx.Model.Name)
	return err
}

// printCommands prints the commands, a line each.
func printCommands(ctx *kong.Context, to io.Writer) error {
	ctx.Stdout = to
	hideFlags(ctx.Model)
	if err := kong.DefaultHelpPrinter(helpOptions, ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(to, "Run \"%s --help\" for the flags of all commands.\n", ctx.Model.Name)
	return err
}

var helpOptions = kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}

// hideFlags removes the flags of all commands from the help.
func hideFlags(model *kong.Application) {
	for _, flag := range model.Flags {
		flag.Hidden = true
	}
}
