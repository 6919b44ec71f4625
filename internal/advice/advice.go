// Package advice says what a state means and which command comes next, for the terminal and for
// pages. Everything in it is a function of values.
//
// An operator who types what it says always comes to the end of a run: it has succeeded, or what is
// left is a person's decision, such as a sheet to mend or deletions to allow. The fault suite holds
// that (internal/test/faults).
package advice

import (
	"cmp"
	"regexp"
	"strings"
)

// Step is a command to type, without the program's own name, and what it does.
type Step struct{ Command, Does string }

// Call is the command as it is to be typed. called is how the program was called; "" is "shuffle".
func (s Step) Call(called string) string { return cmp.Or(called, "shuffle") + " " + s.Command }

// Name is the command's own name.
func (s Step) Name() string {
	name, _, _ := strings.Cut(s.Command, " ")
	return name
}

// named matches the beginning of a command of this program in a sentence. "google-shuffle run" is
// none.
var named = regexp.MustCompile(`(^|[^-/\w])shuffle (demo|run|plan|apply|work|track|status|runs|dead|redrive|cancel|verify|versions|restore|pull|why|setup|doctor|settings|changes|problems)\b`)

// RewriteCommands makes the commands that a sentence names begin as the program was called, so that they can
// be copied. The stages that write the sentences, into errors and reasons that the state keeps, do
// not know how that was.
func RewriteCommands(called, sentence string) string {
	return named.ReplaceAllStringFunc(sentence, func(match string) string {
		parts := named.FindStringSubmatch(match)
		return parts[1] + Step{Command: parts[2]}.Call(called)
	})
}
