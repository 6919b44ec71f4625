package show

import (
	"cmp"
	"regexp"
)

// named matches the beginning of a command of this program in a sentence. "google-shuffle run" is none.
var named = regexp.MustCompile(`(^|[^-/\w])shuffle (demo|run|plan|apply|work|track|status|runs|dead|redrive|cancel|verify|versions|restore|pull|why|setup|doctor)\b`)

// Commands makes the commands that a sentence names begin as the program was called, so that they can be copied. The stages
// that write the sentences, into errors and reasons that the state keeps, do not know how that was.
func (s Style) Commands(sentence string) string {
	return named.ReplaceAllStringFunc(sentence, func(match string) string {
		parts := named.FindStringSubmatch(match)
		return parts[1] + cmp.Or(s.Command, "shuffle") + " " + parts[2]
	})
}
