package stacktest

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/config"
)

// alsoPlanned are settings outside the group "plans" that also affect a plan.
var alsoPlanned = []string{"KeepVersions", "KeepRuns", "MaxDead", "BucketAlias"}

// tracked are the settings that the tracker also needs, because it ends the runs.
var tracked = []string{"KeepVersions", "KeepRuns", "MaxDead"}

var innerCapital = regexp.MustCompile(`(.)([A-Z])`)

// settings: the stack has a parameter for each setting that affects a plan. An empty parameter sets
// no variable for the program, so the program cannot differ from the settings in force.
func settings(s *Stack) (f Findings) {
	fields := reflect.TypeFor[config.Config]()
	for i := range fields.NumField() {
		field := fields.Field(i)
		if field.Tag.Get("group") != "plans" && !slices.Contains(alsoPlanned, field.Name) {
			continue
		}
		variable := "SHUFFLE_" + strings.ToUpper(innerCapital.ReplaceAllString(field.Name, "${1}_${2}"))
		tasks := []string{"PlannerTask"}
		if slices.Contains(tracked, field.Name) {
			tasks = append(tasks, "TrackerTask")
		}
		f = append(f, s.passes(field.Name, variable, tasks)...)
	}
	return f
}

// passes checks that the tasks get the variable when the parameter is given, and only then.
func (s *Stack) passes(parameter, variable string, tasks []string) (f Findings) {
	declared := s.template.Parameters[parameter]
	if declared == nil {
		return Findings{"there is no parameter " + parameter + " for " + variable}
	}
	f.addIf(at(declared, "Default") != "", "parameter %s: its default is %q, expected none: the program's own holds", parameter, at(declared, "Default"))
	const value = "given"
	with, err := s.template.Resolve(map[string]string{"AlertEmail": "oncall@example.com", parameter: value})
	if err != nil {
		return append(f, err.Error())
	}
	without, err := s.template.Resolve(map[string]string{"AlertEmail": "oncall@example.com", parameter: ""})
	if err != nil {
		return append(f, err.Error())
	}
	for _, task := range tasks {
		got := with.Container(task).Environment[variable]
		f.addIf(got != value, "%s: %s is %q when the parameter %s is %q", task, variable, got, parameter, value)
		_, set := without.Container(task).Environment[variable]
		f.addIf(set, "%s: gets %s although the parameter %s is empty", task, variable, parameter)
	}
	return f
}
