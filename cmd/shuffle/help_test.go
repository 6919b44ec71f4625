package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

var (
	commandLine = regexp.MustCompile(`(?m)^  (\w+) {2,}\S.*[.]$`)
	exampleLine = regexp.MustCompile(`(?m)^Example:\n  shuffle (.+)$`)
)

// shuffle, alone: one line for each command, and exit code 2. shuffle COMMAND --help: its own
// flags, an example that parses, and where to find the other flags.
func TestHelp(t *testing.T) {
	t.Parallel()
	var out, logs bytes.Buffer
	if code := exitCode(run(t.Context(), nil, &out, &logs)); code != 2 || out.Len() > 0 {
		t.Errorf("exit code %d, %q", code, out.String())
	}
	_, list, _ := strings.Cut(logs.String(), "Commands:\n")
	list, end, _ := strings.Cut(list, "\n\n")
	commands := commandLine.FindAllStringSubmatch(list, -1)
	if len(commands) < 21 || len(commands) != strings.Count(list, "\n")+1 || !strings.Contains(end, "shuffle --help") || strings.Contains(logs.String(), "--bucket") {
		t.Errorf("%d commands in\n%s", len(commands), logs.String())
	}
	for _, m := range commands {
		var help bytes.Buffer
		if err := run(t.Context(), []string{m[1], "--help"}, &help, &logs); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
		example := exampleLine.FindStringSubmatch(help.String())
		if lines := strings.Count(help.String(), "\n"); lines > 40 || example == nil || strings.Contains(help.String(), "--bucket") ||
			!strings.Contains(help.String(), `Run "shuffle --help"`) {
			t.Errorf("%s: %d lines\n%s", m[1], lines, help.String())
			continue
		}
		parses(t, example[1])
		if !strings.Contains(" "+example[1]+" ", " "+m[1]+" ") {
			t.Errorf("%s: the example is shuffle %s", m[1], example[1])
		}
	}
	var all bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, &all, &logs); err != nil || !strings.Contains(all.String(), "$SHUFFLE_BUCKET") {
		t.Errorf("%v\n%s", err, all.String())
	}
}

// helpOf is the help of the program and of a command.
func helpOf(t *testing.T, command string) string {
	t.Helper()
	var help, logs bytes.Buffer
	for _, args := range [][]string{{command, "--help"}, {"--help"}} {
		if err := run(t.Context(), args, &help, &logs); err != nil {
			t.Fatalf("shuffle %v: %v %s", args, err, logs.String())
		}
	}
	return help.String()
}

// hasVariable reports whether a help has the variable or its flag.
func hasVariable(help, name string) bool {
	flag := "--" + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "SHUFFLE_"), "_", "-"))
	return regexp.MustCompile(`(\$` + name + `|` + flag + `)\b`).MatchString(help)
}
