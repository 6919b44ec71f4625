package completion

import (
	"fmt"
	"slices"
	"strings"
)

// bash writes a script that also works in bash 3, which macOS has.
func (p program) bash() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	every := p.everyFlag()
	anyValue := slices.DeleteFunc(slices.Clone(every), func(f option) bool { return !f.takes || len(f.values) > 0 })
	free := strings.Join(names(anyValue), " | ")
	line("# bash completion for %s. To load it: source <(%s completion bash)", p.name, p.name)
	line("_%s() {", p.name)
	line("  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= words= flags= i")
	line("  COMPREPLY=()")
	line("  case $previous in")
	for _, f := range every {
		if f.takes && len(f.values) > 0 {
			line("    %s) COMPREPLY=($(compgen -W %s -- \"$current\")); return ;;", f.name, single(strings.Join(f.values, " ")))
		}
	}
	line("    %s) return ;;", free)
	line("  esac")
	line("  for ((i = 1; i < COMP_CWORD; i++)); do")
	line("    case ${COMP_WORDS[i]} in")
	line("      %s) ((i++)) ;;", free)
	line("      -*) ;;")
	line("      *) command=${COMP_WORDS[i]}; break ;;")
	line("    esac")
	line("  done")
	line("  case $command in")
	var commands []string
	for _, c := range p.commands {
		commands = append(commands, c.name)
		line("    %s) words=%s flags=%s ;;", c.name, single(strings.Join(c.values, " ")), single(strings.Join(names(c.flags), " ")))
	}
	line("    '') words=%s ;;", single(strings.Join(commands, " ")))
	line("  esac")
	line("  if [[ $current == -* ]]; then words=\"$flags %s\"; fi", strings.Join(names(p.flags), " "))
	line("  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))")
	line("}")
	line("complete -o default -F _%s %s", p.name, p.name)
	return b.String()
}

func (p program) zsh() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("#compdef %s", p.name)
	line("# zsh completion for %s. To load it: source <(%s completion zsh)", p.name, p.name)
	line("_%s() {", p.name)
	line("  local context state state_descr line")
	line("  typeset -A opt_args")
	line("  local -a global commands")
	line("  global=(%s)", specs(p.flags))
	line("  commands=(")
	for _, c := range p.commands {
		line("    %s", single(c.name+":"+strings.ReplaceAll(c.help, ":", `\:`)))
	}
	line("  )")
	line("  _arguments -C $global '1:command:->command' '*::argument:->argument'")
	line("  case $state in")
	line("    command) _describe command commands ;;")
	line("    argument)")
	line("      case $words[1] in")
	for _, c := range p.commands {
		argument := "'*:argument:_files'"
		if len(c.values) > 0 {
			argument = single("1:argument:(" + strings.Join(c.values, " ") + ")")
		}
		line("        %s) _arguments $global%s %s ;;", c.name, specs(c.flags), argument)
	}
	line("      esac ;;")
	line("  esac")
	line("}")
	line("if [[ $funcstack[1] == _%s ]]; then _%s \"$@\"; else compdef _%s %s; fi", p.name, p.name, p.name, p.name)
	return b.String()
}

// specs returns flags in the form of zsh's _arguments.
func specs(flags []option) string {
	escape := strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`)
	text := ""
	for _, f := range flags {
		spec := f.name + "[" + escape.Replace(f.help) + "]"
		switch {
		case len(f.values) > 0:
			spec += ":value:(" + strings.Join(f.values, " ") + ")"
		case f.takes:
			spec += ":value:_files"
		}
		if f.repeats {
			spec = "*" + spec
		}
		text += " " + single(spec)
	}
	return text
}

func (p program) fish() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# fish completion for %s. To load it: %s completion fish | source", p.name, p.name)
	for _, f := range p.flags {
		line("complete -c %s%s", p.name, fishFlag(f))
	}
	for _, c := range p.commands {
		line("complete -c %s -n __fish_use_subcommand -f -a %s -d %s", p.name, c.name, single(c.help))
		when := single("__fish_seen_subcommand_from " + c.name)
		if len(c.values) > 0 {
			line("complete -c %s -n %s -f -a %s", p.name, when, single(strings.Join(c.values, " ")))
		}
		for _, f := range c.flags {
			line("complete -c %s -n %s%s", p.name, when, fishFlag(f))
		}
	}
	return b.String()
}

// fishFlag returns a flag in the form of fish's complete.
func fishFlag(f option) string {
	text := " -l " + strings.TrimPrefix(f.name, "--")
	if f.short != "" {
		text += " -s " + strings.TrimPrefix(f.short, "-")
	}
	switch {
	case len(f.values) > 0:
		text += " -x -a " + single(strings.Join(f.values, " "))
	case f.takes:
		text += " -r"
	}
	return text + " -d " + single(f.help)
}
