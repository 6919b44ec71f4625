package show

import (
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	for _, test := range []struct{ command, in, want string }{
		{"", "see shuffle status; shuffle plan", "see shuffle status; shuffle plan"},
		{"shuffle --local x", "wait (shuffle status --watch), or shuffle cancel R-1", "wait (shuffle --local x status --watch), or shuffle --local x cancel R-1"},
		{"shuffle --local x", "shuffle plan", "shuffle --local x plan"},
		{"shuffle --local x", "shuffle planning, google-shuffle run, reshuffle plan", "shuffle planning, google-shuffle run, reshuffle plan"},
		{"$1 --local $0", "shuffle run", "$1 --local $0 run"},
	} {
		if got := (Style{Command: test.command}).Commands(test.in); got != test.want {
			t.Errorf("%q called as %q: %q, expected %q", test.in, test.command, got, test.want)
		}
	}
}

// A reason that the state keeps names commands as they are to be typed.
func TestReasonNamesCommands(t *testing.T) {
	st := status("failed", 3, 2, 1)
	st.Reason = "1 task is dead: see shuffle dead " + run
	for _, called := range []string{"shuffle --local x", "shuffle --local 'my own folder'", "go run ./cmd/shuffle --local x"} {
		got := printed(t, statusOf(st), Style{Width: 60, Command: called})
		if want := called + " dead " + run; !strings.Contains(got, want) {
			t.Errorf("expected %q in\n%s", want, got)
		}
	}
}
