package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/config"
)

// testVariables are the prefixes of the variables that the project's own tests read.
var testVariables = []string{"SHUFFLE_TEST_", "SHUFFLE_FAULTS"}

// unknownVariables returns a warning for each variable that looks like a setting and is none.
// Without it a misspelt setting would be ignored silently.
func unknownVariables(environ, settings []string, env config.Environment) (warnings []string) {
	const prefix = "SHUFFLE_"
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		ofTests := slices.ContainsFunc(testVariables, func(begin string) bool { return strings.HasPrefix(name, begin) })
		if !strings.HasPrefix(name, prefix) || ofTests || slices.Contains(settings, name) {
			continue
		}
		warning := fmt.Sprintf("%.100s is no setting; ", name)
		if near := config.Nearest(strings.ToUpper(name), settings, max(2, (len(name)-len(prefix))/2)); near != "" {
			warning += "did you mean " + near + "?"
		} else {
			warning += "shuffle --help lists them"
		}
		if env.FromFile[name] {
			warning += " (in .env)"
		}
		warnings = append(warnings, warning)
	}
	slices.Sort(warnings)
	return warnings
}
