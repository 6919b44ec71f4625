package advice

import (
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

const run = "20261123T212443Z-42"

func commands(steps []Step) []string {
	list := []string{}
	for _, s := range steps {
		list = append(list, s.Command)
	}
	return list
}

func TestCalls(t *testing.T) {
	for _, test := range []struct{ called, in, want string }{
		{"", "see shuffle status; shuffle plan", "see shuffle status; shuffle plan"},
		{"shuffle --local x", "wait (shuffle status --watch), or shuffle cancel R-1", "wait (shuffle --local x status --watch), or shuffle --local x cancel R-1"},
		{"shuffle --local x", "shuffle plan", "shuffle --local x plan"},
		{"shuffle --local x", "shuffle planning, google-shuffle run, reshuffle plan", "shuffle planning, google-shuffle run, reshuffle plan"},
		{"$1 --local $0", "shuffle run", "$1 --local $0 run"},
	} {
		if got := RewriteCommands(test.called, test.in); got != test.want {
			t.Errorf("%q called as %q: %q, expected %q", test.in, test.called, got, test.want)
		}
	}
}

// The table at ForStatus, row by row.
func TestForStatus(t *testing.T) {
	of := func(s state.State, change func(*state.Status)) state.Status {
		st := state.Status{Run: run, State: s, Tasks: 10, Outcomes: map[messages.Outcome]int{}}
		if change != nil {
			change(&st)
		}
		return st
	}
	dead := func(code string, n int) func(*state.Status) {
		return func(st *state.Status) { st.Done, st.Dead, st.DeadCodes = 10-n, n, map[string]int{code: n} }
	}
	idle := func(st *state.Status) { st.IdleSeconds = 120 }
	held := func(st *state.Status) {
		st.Held = []state.HeldEpisode{{Season: "S01", Episode: "E01", Cause: state.CauseInput}}
	}
	for _, test := range []struct {
		name string
		st   state.Status
		want []string
	}{
		{"planning", of(state.Planning, nil), []string{"status --watch"}},
		{"planning, the planner is gone", of(state.Planning, idle), []string{"status --watch", "plan", "track"}},
		{"publishing", of(state.Publishing, nil), []string{"status --watch"}},
		{"publishing, the planner is gone", of(state.Publishing, idle), []string{"status --watch", "plan", "track"}},
		{"no result yet", of(state.Running, nil), []string{"status --watch", "work", "track"}},
		{"no result for long", of(state.Running, func(st *state.Status) { st.Done, st.IdleSeconds = 5, 700 }), []string{"status --watch", "work", "track"}},
		{"running", of(state.Running, func(st *state.Status) { st.Done = 1 }), []string{"status --watch"}},
		{"running, some dead", of(state.Running, func(st *state.Status) { st.Done, st.Dead = 1, 1 }), []string{"status --watch", "dead " + run}},
		{"a queue is missing", of(state.Running, func(st *state.Status) { st.Done, st.MissingQueues = 1, []string{"q"} }), []string{"setup", "status --watch"}},
		{"the queues cannot be used", of(state.Running, func(st *state.Status) { st.Done, st.QueueFault = 1, "damaged" }), []string{"doctor", "status --watch"}},
		{"verifying", of(state.Verifying, nil), []string{"status --watch"}},
		{"verifying, the tracker is gone", of(state.Verifying, idle), []string{"status --watch", "track"}},
		{"succeeded", of(state.Succeeded, nil), nil},
		{"succeeded, earlier", of(state.Succeeded, func(st *state.Status) { st.Earlier = true }), nil},
		{"restored", of(state.Succeeded, func(st *state.Status) { st.Restores = 4 }), []string{"plan --dry-run"}},
		{"held", of(state.Succeeded, held), []string{"plan"}},
		{"held, earlier", of(state.Succeeded, func(st *state.Status) { held(st); st.Earlier = true }), []string{"status"}},
		{"dead", of(state.Failed, dead("AccessDenied", 2)), []string{"dead " + run, "redrive " + run}},
		{"dead, its worker died", of(state.Failed, dead("NoResult", 1)), []string{"dead " + run, "redrive " + run}},
		{"dead, its source is gone", of(state.Failed, dead("NoSuchKey", 1)), []string{"dead " + run, "plan"}},
		{"dead, one source is gone", of(state.Failed, func(st *state.Status) { st.Dead, st.DeadCodes = 9, map[string]int{"AccessDenied": 8, "NoSuchKey": 1} }),
			[]string{"dead " + run, "plan"}},
		{"dead, earlier", of(state.Failed, func(st *state.Status) { st.Dead, st.Earlier = 1, true }), []string{"status"}},
		{"dead, the plan is lost", of(state.Failed, func(st *state.Status) { st.Dead, st.PlanLost = 1, true }), []string{"plan"}},
		{"superseded tasks", of(state.Failed, func(st *state.Status) { st.Outcomes[messages.Superseded] = 1 }), []string{"redrive " + run}},
		{"differences", of(state.Failed, func(st *state.Status) { st.Differences = 1 }), []string{"verify", "plan"}},
		{"the planner died", of(state.Failed, nil), []string{"plan"}},
		{"review", of(state.Review, nil), []string{"apply " + run}},
		{"cancelled", of(state.Cancelled, nil), []string{"plan"}},
		{"superseded", of(state.Superseded, nil), []string{"status"}},
	} {
		if got := commands(ForStatus(test.st)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestForDead(t *testing.T) {
	of := func(codes ...string) (all []state.DeadTask) {
		for i, code := range codes {
			all = append(all, state.DeadTask{Code: code, Task: messages.Task{Seq: uint32(i)}})
		}
		return all
	}
	for _, test := range []struct {
		dead []state.DeadTask
		want []string
	}{
		{of("AccessDenied"), []string{"redrive R"}},
		{of("AccessDenied", ""), []string{"redrive R", "redrive R --seq 0"}},
		{of("NoSuchKey"), []string{"plan", "redrive R"}},
		{of("AccessDenied", "NoSuchKey"), []string{"plan", "redrive R", "redrive R --seq 0"}},
	} {
		for _, st := range []state.State{state.Failed, state.Running} {
			if got := commands(ForDead(state.Status{Run: "R", State: st}, test.dead)); !slices.Equal(got, test.want) {
				t.Errorf("%+v: %q, want %q", test.dead, got, test.want)
			}
		}
		for _, st := range []state.Status{{Run: "R", State: state.Failed, Earlier: true}, {Run: "R", State: state.Cancelled}, {Run: "R", State: state.Superseded}} {
			if got := commands(ForDead(st, test.dead)); !slices.Equal(got, []string{"plan"}) {
				t.Errorf("%s, earlier %t: %q; such a run is not published again", st.State, st.Earlier, got)
			}
		}
	}
}

func TestForRuns(t *testing.T) {
	good := state.Status{Run: "G", State: state.Succeeded}
	failed, running := state.Status{Run: "F", State: state.Failed}, state.Status{Run: "R", State: state.Running}
	held := state.Status{Run: "H", State: state.Succeeded, Held: []state.HeldEpisode{{}}}
	for _, test := range []struct {
		name string
		all  []state.Status
		want []string
	}{
		{"the newest failed", []state.Status{failed, good}, []string{"status F"}},
		{"one under way after a failed one", []state.Status{running, failed}, []string{"status F"}},
		{"what failed has been fixed since", []state.Status{good, failed}, []string{}},
		{"held", []state.Status{held}, []string{"status H"}},
		{"none", nil, []string{}},
	} {
		if got := commands(ForRuns(test.all)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// The meaning of a state without a reason contains what happens next automatically, and when.
func TestMeaning(t *testing.T) {
	left := 480.0
	for _, s := range []state.State{state.Planning, state.Publishing, state.Running, state.Verifying, state.Succeeded, state.Failed, state.Review, state.Cancelled, state.Superseded} {
		if Meaning(state.Status{State: s}) == "" {
			t.Errorf("%s has no meaning", s)
		}
		got := Meaning(state.Status{State: s, IdleSeconds: 120, RecoverySeconds: &left})
		if s.Active() && !strings.Contains(got, "2 min") || s.Active() && s != state.Verifying && !strings.Contains(got, "within 8 min (SHUFFLE_STALL)") {
			t.Errorf("%s: %s", s, got)
		}
	}
	if got := Meaning(state.Status{State: state.Running, IdleSeconds: 1, Reason: "why"}); got != "why" {
		t.Errorf("%q", got)
	}
}
