package advice

import (
	"slices"
	"testing"
)

// The table at OnOneMachine, row by row.
func TestOnOneMachine(t *testing.T) {
	for _, test := range []struct{ steps, want []string }{
		{nil, nil},
		{[]string{"plan"}, []string{"run"}},
		{[]string{"plan --allow-delete S01E01"}, []string{"run --allow-delete S01E01"}},
		{[]string{"plan --dry-run"}, []string{"plan --dry-run"}},
		{[]string{"plan --review"}, []string{"plan --review"}},
		{[]string{"status --watch", "work", "track"}, []string{"status --watch", "run --resume"}},
		{[]string{"status --watch", "track"}, []string{"status --watch", "run --resume"}},
		{[]string{"status --watch", "plan", "track"}, []string{"status --watch", "run"}},
		{[]string{"dead R", "redrive R"}, []string{"dead R", "redrive R", "run --resume"}},
		{[]string{"redrive R", "redrive R --seq 4"}, []string{"redrive R", "run --resume", "redrive R --seq 4"}},
		{[]string{"apply R"}, []string{"apply R", "run --resume"}},
		{[]string{"restore 3"}, []string{"restore 3", "run --resume"}},
		{[]string{"restore 3 --dry-run"}, []string{"restore 3 --dry-run"}},
		{[]string{"verify", "plan"}, []string{"verify", "run"}},
		{[]string{"doctor", "dead R"}, []string{"doctor", "dead R"}},
	} {
		var steps []Step
		for _, command := range test.steps {
			steps = append(steps, Step{Command: command})
		}
		if got := commands(OnOneMachine(steps)); !slices.Equal(got, test.want) && len(got)+len(test.want) > 0 {
			t.Errorf("%q: %q, want %q", test.steps, got, test.want)
		}
	}
}
