package show

import (
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/state"
)

func TestLine(t *testing.T) {
	tests := []struct {
		st   state.Status
		want string
	}{
		{status(state.Planning, 0, 0, 0), "run " + run + " planning"},
		{status(state.Running, 334, 0, 0), "run " + run + " running: 0 of 334 tasks"},
		{runningStatus(), "run " + run + " running: 212,057 of 345,600 tasks, 12 dead, 2,412 a second, about 56 s left"},
		{deadStatus(), "run " + run + " failed: 1,284 of 1,284 tasks, 12 dead"},
		{state.Status{Run: "\x1b[2J", State: "new\n"}, "run �[2J new "},
	}
	for _, test := range tests {
		if got := Line(test.st); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
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
