package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
)

var (
	codeSpan   = regexp.MustCompile("`([^`]+)`")
	codeLine   = regexp.MustCompile(`(?m)^    +(.+)$`)
	invocation = regexp.MustCompile(`(?:^|[\s(]|cmd/)shuffle ([^#;&|)>]+)`)
	variable   = regexp.MustCompile(`SHUFFLE_[A-Z_]*[A-Z]`)
	// In a sentence a command ends at the first word that is neither a flag nor a placeholder in
	// capitals.
	inSentence = regexp.MustCompile(`\bshuffle ([a-z]+(?: --[a-z-]+| [A-Z][A-Z0-9]*\b)*)`)
)

// documented returns the commands in a Markdown text, without the program's name.
func documented(markdown string) (commands []string) {
	var code []string
	for _, m := range codeLine.FindAllStringSubmatch(markdown, -1) {
		code = append(code, m[1])
	}
	for _, m := range codeSpan.FindAllStringSubmatch(codeLine.ReplaceAllString(markdown, ""), -1) {
		code = append(code, strings.ReplaceAll(m[1], "\n", " "))
	}
	for _, c := range code {
		for _, m := range invocation.FindAllStringSubmatch(c, -1) {
			commands = append(commands, strings.TrimSpace(m[1]))
		}
	}
	return commands
}

// parses fails the test when the program does not accept the command, its flags or its arguments.
func parses(t *testing.T, command string) {
	t.Helper()
	args := strings.Fields(command)
	for i, arg := range args {
		if arg == "N" { // a placeholder for a number
			args[i] = "1"
		}
	}
	var out, logs bytes.Buffer
	if _, err := parse(args, &out, &logs); err != nil {
		t.Errorf("shuffle %s: %v", command, err)
	}
}

// documentation is the README and all pages of docs.
func documentation(t *testing.T) string {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 6 {
		t.Fatalf("%d pages in docs: %v", len(pages), err)
	}
	var text strings.Builder
	for _, page := range append(pages, "../../README.md") {
		body, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(body, '\n'))
	}
	return text.String()
}

// TestDocumentation: the program has every command and every variable in the documentation.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text := documentation(t)
	commands := documented(text)
	if len(commands) < 60 {
		t.Errorf("only %d commands found: %q", len(commands), commands)
	}
	help, seen := "", map[string]bool{}
	for _, command := range commands {
		parses(t, command)
		if name := strings.Fields(command)[0]; !seen[name] && !strings.HasPrefix(name, "-") {
			seen[name] = true
			help += helpOf(t, name)
		}
	}
	for _, name := range variable.FindAllString(text, -1) {
		if !hasVariable(help, name) {
			t.Errorf("the documentation names %s, which no command knows", name)
		}
	}
}

// TestLinks: every page and picture that the documentation links to exists.
func TestLinks(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
	found := 0
	for _, folder := range []string{"../..", "../../docs"} {
		pages, err := filepath.Glob(folder + "/*.md")
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			body, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, link := range links.FindAllStringSubmatch(string(body), -1) {
				if strings.Contains(link[1], "://") {
					continue
				}
				found++
				if _, err := os.Stat(filepath.Join(folder, link[1])); err != nil {
					t.Errorf("%s links to %s: %v", page, link[1], err)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d links found", found)
	}
}

// TestAlerts: the program has every command in the texts of the stack's alarms and rules. The
// documentation has each alarm that sends a notification.
func TestAlerts(t *testing.T) {
	t.Parallel()
	stack := parsedStack(t)
	found := 0
	text := documentation(t)
	for _, id := range stack.Of("AWS::CloudWatch::Alarm") {
		p := stack.Resources[id].Properties
		name := strings.TrimPrefix(fmt.Sprint(p["AlarmName"]), stacktest.StackName+"-")
		if strings.Contains(fmt.Sprint(p["AlarmActions"]), ":sns:") && !strings.Contains(text, "| `"+name+"` |") {
			t.Errorf("docs/aws.md does not explain the alarm %s", name)
		}
	}
	for _, kind := range []string{"AWS::CloudWatch::Alarm", "AWS::Events::Rule"} {
		for _, id := range stack.Of(kind) {
			p := stack.Resources[id].Properties
			for _, m := range inSentence.FindAllStringSubmatch(fmt.Sprint(p["AlarmDescription"], p["Targets"]), -1) {
				found++
				parses(t, m[1])
			}
		}
	}
	if found < 12 {
		t.Errorf("only %d commands found", found)
	}
}

// parsedStack is deploy/stack.yaml with its defaults.
func parsedStack(t *testing.T) *stacktest.Stack {
	t.Helper()
	body, err := os.ReadFile("../../deploy/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	template, err := stacktest.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	stack, err := template.Resolve(map[string]string{"AlertEmail": "oncall@example.com", "ImageTag": "v1"})
	if err != nil {
		t.Fatal(err)
	}
	return stack
}
