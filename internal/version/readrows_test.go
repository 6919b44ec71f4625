package version

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// The CSV of a version that somebody has deleted is made again, to the byte.
func TestReadVersionWithoutCSV(t *testing.T) {
	s, b := openStore(t)
	var rows []Row
	for i, place := range []dataset.Place{{Dataset: "train", Class: "Rare"}, {Dataset: "test", Class: "Rare"}, {Dataset: "train", Class: "=1"}} {
		rows = append(rows, Row{Place: place, Frame: dataset.FrameAt("S01E01", i), ETag: "e", SrcETag: "s"})
	}
	v := state.Version{Generation: 3, Settings: state.Settings{Datasets: []string{"train", "test", "validate"}}}
	if _, err := Publish(t.Context(), s, v, rows); err != nil {
		t.Fatal(err)
	}
	remove := func(file string) {
		if _, err := b.DeleteObjects(t.Context(), []string{s.Layout.State() + state.VersionName(3, file)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range v.Datasets {
		before, err := s.Read(t.Context(), state.VersionName(3, name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		known, err := ReadRows(t.Context(), s, 3, name)
		if err != nil {
			t.Fatal(err)
		}
		remove(name + ".csv")
		if after, err := ReadCSV(t.Context(), s, 3, name); string(after) != string(before.Body) || err != nil {
			t.Errorf("%s.csv was %q and is %q, %v", name, before.Body, after, err)
		}
		if again, err := ReadRows(t.Context(), s, 3, name); !slices.Equal(again, known) || err != nil {
			t.Errorf("the rows of %s were %v and are %v, %v", name, known, again, err)
		}
	}
	remove(snapshotFile)
	_, err := ReadRows(t.Context(), s, 3, "train")
	if !errors.Is(err, bucket.ErrNotFound) || !strings.Contains(err.Error(), "restore one of them, or plan without earlier versions by deleting tuttle_twins/shuffle/versions/latest.json") {
		t.Errorf("without both: %v", err)
	}
}
