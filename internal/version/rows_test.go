package version

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Rows are in the order of their keys, whatever the folders are called.
func TestRowsAreOrderedByKey(t *testing.T) {
	names := rapid.SampledFrom([]string{"train", "train-2", "train.x", "trainx", "test", "Rare", "Rare!", "Rare0", "Ra"})
	row := rapid.Custom(func(t *rapid.T) Row {
		r := Row{Place: dataset.Place{Dataset: names.Draw(t, "dataset")}, Frame: dataset.FrameAt("S01E01", rapid.IntRange(0, 3).Draw(t, "frame"))}
		if rapid.Bool().Draw(t, "in a class") {
			r.Place.Class = names.Draw(t, "class")
		}
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := row.Draw(t, "a"), row.Draw(t, "b")
		if got, want := a.compareKeys(b), strings.Compare(a.name(), b.name()); got != want {
			t.Errorf("%s and %s: %d, want %d", a.name(), b.name(), got, want)
		}
	})
}

func BenchmarkCompareKeys(b *testing.B) {
	rows := []Row{
		{Place: dataset.Place{Dataset: "train", Class: "Common"}, Frame: dataset.FrameAt("S01E01", 1)},
		{Place: dataset.Place{Dataset: "train", Class: "Rare"}, Frame: dataset.FrameAt("S01E01", 2)},
	}
	for b.Loop() {
		_ = rows[0].compareKeys(rows[1])
	}
}
