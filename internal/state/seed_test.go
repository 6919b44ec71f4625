package state_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// A planner that was paused before its seed was recorded, and superseded meanwhile, does not bring its seed back.
func TestEnsureSeed(t *testing.T) {
	b, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &state.Store{Bucket: b, Layout: dataset.Layout{Prefix: "tt"}}
	for _, step := range []struct {
		name string
		plan state.Plan
		want state.Seed
	}{
		{
			"the first run draws it", plan(1, "one", "train", "test"),
			state.Seed{V: 1, Seed: "one", Run: "run-1", Generation: 1, Datasets: []string{"train", "test"}},
		},
		{
			"a newer run keeps it", plan(3, "one", "train", "validate"),
			state.Seed{V: 1, Seed: "one", Run: "run-1", Generation: 3, Datasets: []string{"train", "test", "validate"}},
		},
		{
			"the reshuffle that the newer run superseded comes late", plan(2, "two", "train"),
			state.Seed{V: 1, Seed: "one", Run: "run-1", Generation: 3, Datasets: []string{"train", "test", "validate"}},
		},
		{
			"a reshuffle", plan(4, "four", "train", "test"),
			state.Seed{V: 1, Seed: "four", Run: "run-4", Generation: 4, Datasets: []string{"train", "test", "validate"}},
		},
		{
			"twice", plan(4, "four", "train", "test"),
			state.Seed{V: 1, Seed: "four", Run: "run-4", Generation: 4, Datasets: []string{"train", "test", "validate"}},
		},
	} {
		if err := s.EnsureSeed(t.Context(), &step.plan); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got, err := s.Seed(t.Context())
		if diff := cmp.Diff(step.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", step.name, err, diff)
		}
	}
}

func plan(generation int64, seed string, datasets ...string) state.Plan {
	return state.Plan{
		Generation: generation, Run: "run-" + string(rune('0'+generation)),
		Settings: state.Settings{Seed: seed, Datasets: datasets},
	}
}
