// Package advice explains a state and suggests the next commands, for the terminal and for pages.
// Everything in it is a function of values.
//
// An operator who types the suggested commands always reaches the end of a run. The run has then
// succeeded, or a person must decide, such as to fix a sheet or to allow deletions. The fault suite
// checks that (internal/test/faults).
package advice

import (
	"cmp"
	"regexp"
	"strings"
)

// Step is a command to type, without the program's own name, and what it does.
type Step struct{ Command, Does string }

// Call is the command to type. called is how the user called the program; "" means "shuffle".
func (s Step) Call(called string) string { return cmp.Or(called, "shuffle") + " " + s.Command }

// Name is the command's own name.
func (s Step) Name() string {
	name, _, _ := strings.Cut(s.Command, " ")
	return name
}

// commandStart matches the beginning of a command of this program in a sentence. It does not match
// "google-shuffle run".
var commandStart = regexp.MustCompile(`(^|[^-/\w])shuffle (demo|run|plan|apply|work|track|status|runs|dead|redrive|cancel|verify|versions|restore|pull|why|setup|doctor|settings|changes|problems)\b`)

// RewriteCommands makes the commands in a sentence begin as the user called the program, so that
// they can be copied. The stages that write the sentences, such as reasons in the state, do not
// know how the program will be called.
func RewriteCommands(called, sentence string) string {
	return commandStart.ReplaceAllStringFunc(sentence, func(match string) string {
		parts := commandStart.FindStringSubmatch(match)
		return parts[1] + Step{Command: parts[2]}.Call(called)
	})
}
