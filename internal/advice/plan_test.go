package advice

import (
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// The table at ForPlan, row by row.
func TestForPlan(t *testing.T) {
	follow := []string{"status --watch", "work", "track"}
	for _, test := range []struct {
		state state.State
		tasks int
		held  bool
		want  []string
	}{
		{state.DryRun, 3, false, []string{"plan"}},
		{state.DryRun, 0, false, nil},
		{state.Review, 3, false, []string{"apply " + run}},
		{state.Review, 0, false, nil},
		{state.Review, 3, true, []string{"apply " + run, "plan"}},
		{state.Publishing, 3, false, follow},
		{state.Running, 3, false, follow},
		{state.Running, 3, true, append(slices.Clone(follow), "plan")},
		{state.Succeeded, 0, false, nil},
		{state.Succeeded, 0, true, []string{"plan"}},
		{state.Failed, 0, false, []string{"status " + run, "plan"}},
	} {
		p := &state.Plan{Run: run, State: test.state, Tasks: test.tasks, Episodes: []state.EpisodePlan{{Season: "S01", Episode: "E01"}}}
		if test.held {
			p.Episodes[0].State = state.EpisodeHeld
		}
		if got := commands(ForPlan(p)); !slices.Equal(got, test.want) {
			t.Errorf("%s, %d tasks, held %t: %q, want %q", test.state, test.tasks, test.held, got, test.want)
		}
	}
}

// A dry run's command has all the flags of its own.
func TestSameFlags(t *testing.T) {
	group := []state.GivenSetting{{Name: "group", InForce: "10s", Given: "0s"}}
	seeds := []state.SeedTrial{{Seed: "s-1"}, {Seed: "s-2", InForce: true}}
	options := []byte(`{"season":"S01","episodes":["S01E01"],"allow_delete":["S01E02"],"prune":["S02E05"],"pin":["test"]}`)
	for _, test := range []struct {
		name string
		plan state.Plan
		want []string
	}{
		{"selection", state.Plan{Options: options}, []string{"plan --season S01 --episode S01E01 --allow-delete S01E02 --prune S02E05"}},
		{"settings", state.Plan{Options: options, Given: group}, []string{"plan --change-settings --group 0s --pin test --allow-delete S01E02 --prune S02E05"}},
		{"a restore", state.Plan{Options: options, Restores: 4}, []string{"restore 4 --season S01 --episode S01E01 --allow-delete S01E02 --prune S02E05", "plan --dry-run"}},
		{"a seed", state.Plan{Given: []state.GivenSetting{{Name: "seed"}}, InForce: &state.Definition{}, Settings: state.Settings{Definition: state.Definition{Seed: "s"}}},
			[]string{"plan --reshuffle --seed s"}},
		{"a seed that was drawn", state.Plan{SeedDrawn: true, Settings: state.Settings{Definition: state.Definition{Seed: "s"}}}, []string{"plan --seed s"}},
		{"seeds", state.Plan{Seeds: seeds}, []string{"plan --reshuffle --seed s-1"}},
		{"seeds under other settings", state.Plan{Seeds: seeds, Given: group}, []string{"plan --reshuffle --seed s-1 --change-settings --group 0s"}},
		{"the seed in force is the best", state.Plan{Seeds: []state.SeedTrial{seeds[1], seeds[0]}}, []string{"plan --reshuffle --seed s-1"}},
		{"options of another release", state.Plan{Options: []byte(`[]`)}, []string{"plan"}},
	} {
		test.plan.State, test.plan.Tasks = state.DryRun, 3
		test.plan.Episodes = []state.EpisodePlan{{Season: "S01", Episode: "E01"}}
		if got := commands(ForPlan(&test.plan)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// The table at heldSteps, row by row.
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
