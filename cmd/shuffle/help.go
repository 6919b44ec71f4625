package main

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

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
