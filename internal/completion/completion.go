// Package completion writes the scripts with which bash, zsh and fish complete the program's
// commands and flags. The scripts are generated from kong's model of the command line, so they are
// never outdated.
//
// The two libraries for kong depend on a library that has not changed since 2019, and start the
// program at each key press. A static script needs neither.
package completion

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Shells are the shells that Write supports.
var Shells = []string{"bash", "zsh", "fish"}

// Write writes the script of a shell for the application.
func Write(w io.Writer, shell string, app *kong.Application) error {
	p := programOf(app)
	script := ""
	switch shell {
	case "bash":
		script = p.bash()
	case "zsh":
		script = p.zsh()
	case "fish":
		script = p.fish()
	default:
		return fmt.Errorf("shell %.20q: expected one of %s", shell, strings.Join(Shells, ", "))
	}
	_, err := io.WriteString(w, script)
	return err
}

// program has the commands and flags to complete.
type program struct {
	name     string
	flags    []option // before and after every command
	commands []command
}

type command struct {
	name, help string
	flags      []option
	values     []string // of its argument; none means files
}

type option struct {
	name, short, help string
	takes             bool     // a value
	repeats           bool     // may be given more than once
	values            []string // the only ones; none means any
}

func programOf(app *kong.Application) program {
	p := program{name: app.Name, flags: flagsOf(app.Flags)}
	for _, node := range app.Children {
		if node.Hidden {
			continue
		}
		c := command{name: node.Name, help: sentence(node.Help), flags: flagsOf(node.Flags)}
		for _, argument := range node.Positional {
			c.values = append(c.values, enum(argument)...)
		}
		p.commands = append(p.commands, c)
	}
	return p
}

func flagsOf(all []*kong.Flag) []option {
	var flags []option
	for _, f := range all {
		if f.Hidden {
			continue
		}
		one := option{name: "--" + f.Name, help: sentence(f.Help), takes: !f.IsBool() && !f.IsCounter(), repeats: f.IsCumulative(), values: enum(f.Value)}
		if f.Short != 0 {
			one.short = "-" + string(f.Short)
		}
		flags = append(flags, one)
	}
	return flags
}

func enum(v *kong.Value) []string {
	var values []string
	for value := range strings.SplitSeq(v.Enum, ",") {
		if value != "" {
			values = append(values, value)
		}
	}
	return values
}

// sentence returns the first sentence of a help text, without its full stop.
func sentence(help string) string {
	first, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(first, ".")
}

// names returns the flags as typed.
func names(flags []option) []string {
	var all []string
	for _, f := range flags {
		all = append(all, f.name)
	}
	return all
}

// everyFlag returns the flags of the program and of all its commands, each name once.
func (p program) everyFlag() []option {
	seen := map[string]bool{}
	var all []option
	add := func(flags []option) {
		for _, f := range flags {
			if !seen[f.name] {
				seen[f.name] = true
				all = append(all, f)
			}
		}
	}
	add(p.flags)
	for _, c := range p.commands {
		add(c.flags)
	}
	return all
}

// single quotes text for any of the shells. In fish a backslash would need quoting too, but no help
// text has one.
func single(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
