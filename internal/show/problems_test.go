package show

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// Thousands of problems of one episode leave room for those of another, and errors come before
// warnings.
func TestChoose(t *testing.T) {
	many, one := episode("E01", state.Totals{}), episode("E02", state.Totals{}, state.Problem{Problem: "an error"})
	for i := range 100 {
		many.Problems = append(many.Problems, state.Problem{Row: i + 1, Problem: fmt.Sprint("error ", i)})
	}
	warned := episode("E03", state.Totals{}, state.Problem{Problem: "a warning", Warning: true})
	chosen := chooseFindings(groupProblems([]state.EpisodePlan{many, one, warned}))
	if len(chosen) != maxProblems {
		t.Fatalf("%d chosen", len(chosen))
	}
	for i, f := range chosen[:9] {
		if f.Problem.Problem != fmt.Sprint("error ", i) {
			t.Errorf("%d is %q", i, f.Problem.Problem)
		}
	}
	if last := chosen[9]; last.episode != "S01E02" {
		t.Errorf("the other episode's is not chosen, but %+v", last)
	}
}

// Every problem is in exactly one finding.
func TestFindings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var episodes []state.EpisodePlan
		problems := 0
		for i := range rapid.IntRange(0, 4).Draw(t, "episodes") {
			e := episode(fmt.Sprintf("E%02d", i), state.Totals{})
			for range rapid.IntRange(0, 30).Draw(t, "problems") {
				e.Problems = append(e.Problems, state.Problem{Problem: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "text"), Warning: rapid.Bool().Draw(t, "warning")})
				problems++
			}
			episodes = append(episodes, e)
		}
		for _, f := range groupProblems(episodes) {
			problems -= f.rows
		}
		if problems != 0 {
			t.Fatalf("%d problems are lost", problems)
		}
	})
}
