package show

import (
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

func commands(steps []step) []string {
	list := []string{}
	for _, s := range steps {
		list = append(list, s.command)
	}
	return list
}

// TestPlanSteps goes through the table at planSteps.
func TestPlanSteps(t *testing.T) {
	follow := []string{"status --watch", "work", "track"}
	tests := []struct {
		state state.State
		tasks int
		held  bool
		want  []string
	}{
		{dryRun, 3, false, []string{"plan"}},
		{dryRun, 0, false, nil},
		{state.Review, 3, false, []string{"apply " + run}},
		{state.Review, 0, false, nil},
		{state.Review, 3, true, []string{"apply " + run, "plan"}},
		{state.Publishing, 3, false, follow},
		{state.Running, 3, false, follow},
		{state.Running, 3, true, append(slices.Clone(follow), "plan")},
		{state.Succeeded, 0, false, nil},
		{state.Succeeded, 0, true, []string{"plan"}},
		{state.Failed, 0, false, []string{"status " + run, "plan"}},
	}
	for _, test := range tests {
		p := &state.Plan{Run: run, State: test.state, Tasks: test.tasks, Episodes: []state.EpisodePlan{episode("E01", state.Totals{})}}
		if test.held {
			p.Episodes[0].State = state.EpisodeHeld
		}
		if got := commands(planSteps(p)); !slices.Equal(got, test.want) {
			t.Errorf("%s, %d tasks, held %t: %q, want %q", test.state, test.tasks, test.held, got, test.want)
		}
	}
	p := seedsPlan()
	if got, want := commands(planSteps(p)), []string{"plan --reshuffle --seed seed-1 --change-settings --group 0s", "plan --change-settings --group 0s"}; !slices.Equal(got, want) {
		t.Errorf("seeds under other settings: %q, want %q", got, want)
	}
	p.Given, p.Episodes = nil, p.Episodes[:3]
	p.Seeds[0], p.Seeds[7] = p.Seeds[7], p.Seeds[0] // the seed in force is the best
	if got, want := commands(planSteps(p)), []string{"plan --reshuffle --seed seed-4"}; !slices.Equal(got, want) {
		t.Errorf("seeds: %q, want %q", got, want)
	}
}

// TestStatusSteps goes through the table at statusSteps.
func TestStatusSteps(t *testing.T) {
	superseded := status(state.Failed, 10, 9, 0)
	superseded.Outcomes[messages.Superseded] = 1
	tests := []struct {
		name string
		st   state.Status
		want []string
	}{
		{"planning", status(state.Planning, 0, 0, 0), []string{"status --watch"}},
		{"no result for long", idleStatus(), []string{"status --watch", "work", "track"}},
		{"no result yet", status(state.Running, 10, 0, 0), []string{"status --watch", "work", "track"}},
		{"running", status(state.Running, 10, 1, 0), []string{"status --watch"}},
		{"running, some dead", runningStatus(), []string{"status --watch", "dead " + run}},
		{"verifying", status(state.Verifying, 10, 10, 0), []string{"status --watch"}},
		{"succeeded", status(state.Succeeded, 10, 10, 0), nil},
		{"restored", restoredStatus(), []string{"plan --dry-run"}},
		{"held", heldStatus(), []string{"plan"}},
		{"dead", deadStatus(), []string{"dead " + run, "redrive " + run}},
		{"superseded tasks", superseded, []string{"redrive " + run}},
		{"differences", differentStatus(), []string{"verify", "plan"}},
		{"the planner died", status(state.Failed, 0, 0, 0), []string{"plan"}},
		{"review", reviewStatus(), []string{"apply " + run}},
		{"cancelled", status(state.Cancelled, 10, 1, 0), []string{"plan"}},
		{"superseded", status(state.Superseded, 10, 1, 0), []string{"status"}},
	}
	for _, test := range tests {
		if got := commands(statusSteps(test.st)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestHeldSteps goes through the table at heldSteps.
func TestHeldSteps(t *testing.T) {
	held := func(episode string, c state.Cause) state.HeldEpisode {
		return state.HeldEpisode{Season: "S01", Episode: episode, Cause: c}
	}
	sheet, ceiling, other := held("E01", state.CauseInput), held("E02", state.CauseDeletions), held("E03", state.CauseDeletions)
	service := held("E04", state.CauseService)
	for _, test := range []struct {
		held []state.HeldEpisode
		want []string
	}{
		{nil, nil},
		{[]state.HeldEpisode{sheet}, []string{"plan"}},
		{[]state.HeldEpisode{held("E01", "")}, []string{"plan"}}, // of an older plan
		{[]state.HeldEpisode{service, service}, []string{"doctor", "plan"}},
		{[]state.HeldEpisode{ceiling, other}, []string{"plan --allow-delete S01E02 --allow-delete S01E03"}},
		{[]state.HeldEpisode{held("E05", state.CauseRefreshes)}, []string{"plan --allow-refresh S01E05"}},
		{[]state.HeldEpisode{held("E06", state.CauseBase)}, []string{"plan --accept-base S01E06"}},
		{[]state.HeldEpisode{ceiling, held("E05", state.CauseRefreshes), held("E06", state.CauseBase)},
			[]string{"plan --allow-delete S01E02 --allow-refresh S01E05 --accept-base S01E06"}},
		{[]state.HeldEpisode{sheet, ceiling, service}, []string{"doctor", "plan --allow-delete S01E02", "plan"}},
	} {
		if got := commands(heldSteps(test.held)); !slices.Equal(got, test.want) && len(got)+len(test.want) > 0 {
			t.Errorf("%+v: %q, want %q", test.held, got, test.want)
		}
	}
}

func TestRunSteps(t *testing.T) {
	good := status(state.Succeeded, 1, 1, 0)
	tests := []struct {
		name string
		all  []state.Status
		want []string
	}{
		{"the newest failed", []state.Status{deadStatus(), good}, []string{"status " + run}},
		{"one under way after a failed one", []state.Status{runningStatus(), deadStatus()}, []string{"status " + run}},
		{"what failed has been mended since", []state.Status{good, deadStatus()}, nil},
		{"held", []state.Status{heldStatus()}, []string{"status " + run}},
	}
	for _, test := range tests {
		if got := commands(runSteps(test.all)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

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
