package show

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
	"github.com/angel-nft/google-shuffle/internal/why"
)

var update = flag.Bool("update", false, "write the golden files anew")

// printer prints one page.
type printer func(io.Writer, Style) error

func planOf(p *state.Plan) printer {
	return func(w io.Writer, s Style) error { return Plan(w, s, p) }
}

func statusOf(st state.Status) printer {
	return func(w io.Writer, s Style) error { return Status(w, s, st) }
}

func changesOf(p *state.Plan) printer {
	return func(w io.Writer, s Style) error { return Changes(w, s, p.Run, p.State, p.Changes) }
}

func problemsOf(p *state.Plan) printer {
	return func(w io.Writer, s Style) error { return Problems(w, s, p.Run, p.State, p.Episodes) }
}

func reportOf(r *state.Report) printer {
	return func(w io.Writer, s Style) error { return Report(w, s, r) }
}

func whyOf(x *why.Explanation) printer {
	return func(w io.Writer, s Style) error { return Why(w, s, x) }
}

func tagOf(c version.TagChange) printer {
	return func(w io.Writer, s Style) error { return Tag(w, s, c) }
}

func differencesOf(against string, all []state.Difference, strays *dataset.StrayCount) printer {
	return func(w io.Writer, s Style) error { return Differences(w, s, against, 86_400, 3, len(all), all, strays) }
}

func pages() map[string]printer {
	return map[string]printer{
		"plan":                  planOf(samplePlan()),
		"plan-dry-run":          planOf(dryRunPlan()),
		"plan-review":           planOf(reviewPlan()),
		"plan-empty":            planOf(emptyPlan()),
		"plan-empty-held":       planOf(emptyHeldPlan()),
		"plan-season":           planOf(seasonPlan()),
		"plan-what-if":          planOf(whatIfPlan()),
		"plan-change-settings":  planOf(changedPlan()),
		"plan-rare":             planOf(rarePlan()),
		"plan-seeds":            planOf(seedsPlan()),
		"plan-changes":          planOf(changesPlan()),
		"plan-changes-season":   planOf(changesOfASeason()),
		"changes":               changesOf(changesPlan()),
		"changes-none":          changesOf(emptyPlan()),
		"changes-unrecorded":    changesOf(unrecordedPlan()),
		"changes-hostile":       changesOf(hostileChanges()),
		"problems":              problemsOf(problemsPlan()),
		"problems-none":         problemsOf(&state.Plan{Run: run, Episodes: emptyPlan().Episodes[1:]}),
		"problems-hostile":      problemsOf(hostilePlan()),
		"settings":              func(w io.Writer, s Style) error { return Settings(w, s, sampleInForce(), nil) },
		"settings-given":        func(w io.Writer, s Style) error { return Settings(w, s, sampleInForce(), whatIfPlan().Given) },
		"settings-none":         func(w io.Writer, s Style) error { return Settings(w, s, state.InForce{}, nil) },
		"plan-nothing":          planOf(&state.Plan{State: state.DryRun, Settings: settings}),
		"plan-hostile":          planOf(hostilePlan()),
		"plan-restore":          planOf(restorePlan()),
		"plan-restore-nothing":  planOf(&state.Plan{State: state.DryRun, Restores: 41, Settings: settings}),
		"plan-restore-equal":    planOf(&state.Plan{State: state.Succeeded, Run: run, Generation: 42, Restores: 41, Settings: settings, Episodes: emptyPlan().Episodes}),
		"status-planning":       statusOf(status(state.Planning, 0, 0, 0)),
		"status-waiting":        statusOf(notedStatus(state.Planning, "waiting until no worker acts on run 20261122T212443Z-41-k7f3, about 7 s left")),
		"status-stuck":          statusOf(notedStatus(state.Verifying, "the tracker cannot verify: list the datasets: AccessDenied (403); it tries again; shuffle doctor says what to fix")),
		"status-published":      statusOf(status(state.Running, 334, 0, 0)),
		"status-running":        statusOf(runningStatus()),
		"status-idle":           statusOf(idleStatus()),
		"status-succeeded":      statusOf(status(state.Succeeded, 334, 334, 0)),
		"status-succeeded-held": statusOf(heldStatus()),
		"status-restored":       statusOf(restoredStatus()),
		"status-failed-dead":    statusOf(deadStatus()),
		"status-failed-differ":  statusOf(differentStatus()),
		"status-review":         statusOf(reviewStatus()),
		"status-superseded":     statusOf(sampleRuns()[3]),
		"report-succeeded":      reportOf(report(status(state.Succeeded, 334, 334, 0))),
		"report-succeeded-held": reportOf(heldReport()),
		"report-failed-dead":    reportOf(deadReport()),
		"report-failed-differ":  reportOf(differentReport()),
		"runs":                  func(w io.Writer, s Style) error { return Runs(w, s, sampleRuns()) },
		"runs-none":             func(w io.Writer, s Style) error { return Runs(w, s, nil) },
		"dead":                  func(w io.Writer, s Style) error { return Dead(w, s, deadStatus(), sampleDead()) },
		"dead-earlier":          func(w io.Writer, s Style) error { return Dead(w, s, earlierDead(), sampleDead()) },
		"plan-misnamed":         planOf(misnamedPlan()),
		"status-stale":          statusOf(staleStatus()),
		"dead-none":             func(w io.Writer, s Style) error { return Dead(w, s, deadStatus(), nil) },
		"differences":           differencesOf("run "+run, sampleDifferences(), nil),
		"differences-none":      differencesOf("version 41", nil, nil),
		"strays":                differencesOf("version 41", nil, sampleStrays()),
		"versions":              func(w io.Writer, s Style) error { return Versions(w, s, sampleVersions()) },
		"versions-none":         func(w io.Writer, s Style) error { return Versions(w, s, version.Listing{}) },
		"diff":                  func(w io.Writer, s Style) error { return Diff(w, s, sampleDiff()) },
		"versions-tagged":       func(w io.Writer, s Style) error { return Versions(w, s, taggedVersions()) },
		"tag":                   tagOf(version.TagChange{Tag: "paper-2", Version: 41}),
		"tag-moved":             tagOf(version.TagChange{Tag: "paper-2", Before: 38, Version: 41}),
		"tag-removed":           tagOf(version.TagChange{Tag: "paper-2", Before: 41}),
		"class-numbers":         func(w io.Writer, s Style) error { return ClassNumbers(w, s, "./frames", newClass()) },
		"class-numbers-end":     func(w io.Writer, s Style) error { return ClassNumbers(w, s, "./frames", newClass()[:1]) },
		"class-numbers-hostile": func(w io.Writer, s Style) error { return ClassNumbers(w, s, hostile, hostileClasses()) },
		"diff-same-renumbered": func(w io.Writer, s Style) error {
			return Diff(w, s, version.Diff{From: 41, To: 42, Same: 85_782, ClassNumbers: newClass()})
		},
		"diff-same":     func(w io.Writer, s Style) error { return Diff(w, s, version.Diff{From: 41, To: 42, Same: 85_782}) },
		"pull":          func(w io.Writer, s Style) error { return Pull(w, s, wholePull()) },
		"pull-broken":   func(w io.Writer, s Style) error { return Pull(w, s, brokenPull()) },
		"why-keep":      whyOf(keptFrame()),
		"why-move":      whyOf(movingFrame()),
		"why-held":      whyOf(heldFrame()),
		"why-frozen":    whyOf(frozenFrame()),
		"why-left-out":  whyOf(leftOutFrame()),
		"why-orphan":    whyOf(orphanFrame()),
		"why-unknown":   whyOf(unknownFrame()),
		"checks":        func(w io.Writer, s Style) error { return Checks(w, s, sampleChecks()) },
		"checks-passed": func(w io.Writer, s Style) error { return Checks(w, s, sampleChecks()[:2]) },
	}
}

func TestPages(t *testing.T) {
	for name, render := range pages() {
		t.Run(name, func(t *testing.T) { golden(t, name+".txt", printed(t, render, Style{})) })
	}
	golden(t, "plan-color.txt", printed(t, planOf(samplePlan()), Style{Color: true}))
	golden(t, "plan-narrow.txt", printed(t, planOf(samplePlan()), Style{Width: 50}))
	golden(t, "status-local.txt", printed(t, statusOf(deadStatus()), Style{Command: "shuffle --local ./shuffle-demo"}))
}

func printed(t testing.TB, render printer, s Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := render(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./internal/show -update writes it anew); printed:\n%s", name, got)
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Colours never carry a meaning of their own, nor move anything.
func TestColorAddsSequencesOnly(t *testing.T) {
	for name, render := range pages() {
		colored := printed(t, render, Style{Color: true})
		if sgr.ReplaceAllString(colored, "") != printed(t, render, Style{}) {
			t.Errorf("%s: without its SGR sequences the coloured page is another", name)
		}
		if !strings.Contains(colored, "\x1b[") {
			t.Errorf("%s has no colour", name)
		}
	}
}
