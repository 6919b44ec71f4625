package show

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// flat joins wrapped text.
func flat(text string, w int) string {
	p := &page{Style: Style{Width: w}}
	p.printParagraph(label("  "), 4, plain(text))
	return p.out.String()
}

func TestWrap(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", "\n"},
		{"short", "one two", "  one two\n"},
		{"spaces fall together", "one   two\n", "  one two\n"},
		{"at a space", "expected the column in row 1, found nothing at all in it",
			"  expected the column in row 1, found\n    nothing at all in it\n"},
		{"a key stays whole", "see tuttle_twins/ML/test/Rare/TT_S01_E01_FRM-00-00-08-12.jpg now",
			"  see\n    tuttle_twins/ML/test/Rare/TT_S01_E01_FRM-00-00-08-12.jpg\n    now\n"},
		{"a command stays whole", "12 tasks are dead: see shuffle dead " + run + "; then shuffle redrive " + run + " --seq",
			"  12 tasks are dead: see\n    shuffle dead " + run + ";\n    then\n    shuffle redrive " + run + " --seq\n"},
		{"so does a flag with its episode", "if the sheet is right, plan with --allow-delete S01E02 and so on",
			"  if the sheet is right, plan with\n    --allow-delete S01E02 and so on\n"},
		{"wide letters count twice", strings.Repeat("雪雪雪雪 ", 5), "  雪雪雪雪 雪雪雪雪 雪雪雪雪 雪雪雪雪\n    雪雪雪雪\n"},
	}
	for _, test := range tests {
		if got := flat(test.in, 40); got != test.want {
			t.Errorf("%s:\n%swant\n%s", test.name, got, test.want)
		}
	}
}

// Wrapping loses no word and breaks none.
func TestWrapKeepsWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := sentence(`[a-zA-Z0-9/_.é雪-]{1,30}`).Draw(t, "text")
		got := flat(in, rapid.IntRange(40, 120).Draw(t, "width"))
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(in), " ") {
			t.Fatalf("%q became %q", in, got)
		}
	})
}

// A page is never wider than the terminal, but for what must stay whole.
func TestWidth(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, name, page string, w int) {
		for line := range strings.Lines(page) {
			line = strings.TrimSuffix(line, "\n")
			if width(line) > w && !whole(line) {
				t.Fatalf("%s: %d columns in %d:\n%s", name, width(line), w, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Fatalf("%s: space at the end of %q", name, line)
			}
		}
	}
	for name, render := range pages() {
		for w := minWidth; w <= 120; w++ {
			check(t, name, printed(t, render, Style{Width: w}), w)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := rapid.IntRange(60, 120).Draw(rt, "width")
		check(rt, "plan", printed(t, planOf(anyPlan().Draw(rt, "plan")), Style{Width: w}), w)
		st := anyStatus().Draw(rt, "status")
		check(rt, "status", printed(t, statusOf(st), Style{Width: w}), w)
		check(rt, "runs", printed(t, func(out io.Writer, s Style) error { return Runs(out, s, []state.Status{st}) }, Style{Width: w}), w)
	})
}

// whole reports whether a line could not be broken: it is a command to type, or one word behind a
// label.
func whole(line string) bool {
	words := strings.Fields(line)
	return words[0] == "shuffle" || len(words) == 1 || width(words[len(words)-1]) > minWidth/2
}

func sentence(word string) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.StringMatching(word), 0, 40), func(words []string) string { return strings.Join(words, " ") })
}

func anyPlan() *rapid.Generator[*state.Plan] {
	return rapid.Custom(func(t *rapid.T) *state.Plan {
		text := sentence(`[a-zA-Z0-9":;,.é雪-]{1,10}`)
		count := rapid.IntRange(0, 9_999_999)
		p := &state.Plan{Run: run, Generation: 42, Tasks: count.Draw(t, "tasks"), Settings: settings,
			State:   rapid.SampledFrom([]state.State{state.DryRun, state.Review, state.Publishing, state.Running, state.Succeeded, state.Failed}).Draw(t, "state"),
			CostUSD: rapid.Float64Range(0, 1e6).Draw(t, "cost"), Seconds: rapid.Float64Range(0, 1e7).Draw(t, "seconds"),
			Leakage: rapid.Float64Range(0, 1).Draw(t, "leakage"), Totals: anyTotals(t, count)}
		for i := range rapid.IntRange(0, 20).Draw(t, "episodes") {
			e := episode(fmt.Sprintf("E%02d", i), anyTotals(t, count))
			if rapid.Bool().Draw(t, "held") {
				e.State, e.Reason = state.EpisodeHeld, text.Draw(t, "reason")
			}
			for range rapid.IntRange(0, 15).Draw(t, "problems") {
				e.Problems = append(e.Problems, state.Problem{Row: count.Draw(t, "row"), Frame: "TT_S01_E01_FRM-00-00-08-12",
					Problem: text.Draw(t, "problem"), Warning: rapid.Bool().Draw(t, "warning")})
			}
			p.Episodes = append(p.Episodes, e)
		}
		for _, class := range append(classes, text.Draw(t, "class")) {
			for _, name := range datasets {
				p.Balance = append(p.Balance, state.Balance{Class: class, Dataset: name, Before: count.Draw(t, "before"), After: count.Draw(t, "after")})
			}
		}
		return p
	})
}

func anyTotals(t *rapid.T, n *rapid.Generator[int]) state.Totals {
	return state.Totals{Keep: n.Draw(t, "keep"), Copy: n.Draw(t, "copy"), Move: n.Draw(t, "move"),
		Refresh: n.Draw(t, "refresh"), Delete: n.Draw(t, "delete"), Frozen: n.Draw(t, "frozen")}
}

func anyStatus() *rapid.Generator[state.Status] {
	return rapid.Custom(func(t *rapid.T) state.Status {
		states := []state.State{state.Planning, state.Publishing, state.Running, state.Verifying, state.Succeeded, state.Failed,
			state.Review, state.Cancelled, state.Superseded}
		tasks := rapid.IntRange(0, 9_999_999).Draw(t, "tasks")
		done := rapid.IntRange(0, tasks).Draw(t, "done")
		st := status(rapid.SampledFrom(states).Draw(t, "state"), tasks, done, rapid.IntRange(0, tasks-done).Draw(t, "dead"))
		st.Differences = rapid.IntRange(0, 1e6).Draw(t, "differences")
		return st
	})
}

func TestBar(t *testing.T) {
	tests := []struct {
		tasks, done, dead int
		want              string
	}{
		{100, 0, 0, "[....................]"},
		{100, 50, 0, "[##########..........]"},
		{100, 50, 50, "[##########xxxxxxxxxx]"},
		{100_000, 99_999, 0, "[###################.]"},
		{100_000, 99_998, 1, "[##################x.]"},
		{100_000, 1, 0, "[#...................]"},
		{100_000, 100_000, 0, "[####################]"},
	}
	for _, test := range tests {
		if got := drawBar(status(state.Running, test.tasks, test.done, test.dead), 20); got != test.want {
			t.Errorf("%d done and %d dead of %d: %s, want %s", test.done, test.dead, test.tasks, got, test.want)
		}
	}
}

type full struct{}

var errFull = errors.New("no space left on device")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	for name, render := range pages() {
		if err := render(full{}, Style{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Runs and dataset versions come in one order: by generation, whatever the clocks of their planners
// said.
func TestRunsAreSortedByGeneration(t *testing.T) {
	var all []state.Status
	for _, name := range []string{"20261123T212443Z-9", "20261123T212443Z-10", "20250101T000000Z-11"} {
		st := status(state.Succeeded, 1, 1, 0)
		st.Run = name
		all = append(all, st)
	}
	got := printed(t, func(w io.Writer, s Style) error { return Runs(w, s, all) }, Style{})
	if !regexp.MustCompile(`(?s)-11 .*-10 .*-9 `).MatchString(got) {
		t.Errorf("not the newest first:\n%s", got)
	}
}
