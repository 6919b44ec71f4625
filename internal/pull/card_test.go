package pull

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/state"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestCard(t *testing.T) {
	v := state.Version{Generation: 42, Run: "20261123T212443Z-42", Created: time.Date(2026, 11, 23, 21, 26, 0, 0, time.UTC), Settings: settings,
		Counts: map[string]map[string]int{"train": {"Rare": 60, "Common": 600, `odd "class": x`: 3}, "validate": {"Common": 90, "Rare": 1}, "test": {"": 2}, "hold-out": {"Rare": 1}}}
	got := card(v, []string{"train", "validate", "test", "hold-out"})
	const golden = "testdata/README.md"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./internal/pull -update writes it anew):\n%s", golden, got)
	}
}
