package state

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
)

// TestKinds checks the order over all episodes: errors before warnings, the most frequent first. It
// also checks the count of problems that the run before did not have.
func TestKinds(t *testing.T) {
	mythic := Problem{Kind: "unknown class", Value: "Mythic"}
	fresh := mythic
	fresh.New = true
	twice := Problem{Kind: "frame twice, same class", Warning: true}
	episodes := []EpisodePlan{
		{Kinds: CountKinds([]Problem{twice, mythic, twice, fresh, twice, twice})},
		{Kinds: CountKinds([]Problem{{Kind: "no source image"}, mythic, twice, {Kind: "unknown class", Value: "Epic"}})},
		{},
	}
	want := []ProblemKind{
		{Kind: "unknown class", Value: "Mythic", Count: 3, New: 1}, {Kind: "no source image", Count: 1}, {Kind: "unknown class", Value: "Epic", Count: 1},
		{Kind: "frame twice, same class", Warning: true, Count: 5},
	}
	if diff := cmp.Diff(want, Kinds(episodes)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestManyValues checks a column overwritten by pasting, which has a different class in every row.
// The number of kinds is limited, and the counts include all problems.
func TestManyValues(t *testing.T) {
	var all []Problem
	for i := range 5000 {
		all = append(all, Problem{Kind: "unknown class", Value: fmt.Sprint(i)})
	}
	n, kinds := 0, CountKinds(all)
	for _, k := range kinds {
		n += k.Count
	}
	if n != len(all) || len(kinds) != maxKinds+1 || kinds[0].Value != "" || kinds[0].Count != len(all)-maxKinds {
		t.Errorf("%d problems in %d kinds, the first %+v", n, len(kinds), kinds[0])
	}
}

// TestKindsOfEarlierReleases checks plans that have only the texts of problems.
func TestKindsOfEarlierReleases(t *testing.T) {
	old := EpisodePlan{MoreProblems: 7, Problems: []Problem{
		{Problem: `unknown class "Epic" in JONNY's RECLASSIFICATION: expected one of Junk`}, {Problem: "no source image"},
		{Problem: `frame of another episode, "TT": expected`}, {Problem: "the frame stands in row 12 too, with the same class; counted once", Warning: true}, {Problem: ""},
	}}
	got := map[string]int{}
	for _, k := range Kinds([]EpisodePlan{old}) {
		got[k.Kind] = k.Count
	}
	want := map[string]int{"unknown class": 1, "no source image": 1, "frame of another episode": 1, "the frame stands in row": 1, "other": 1, "kind not recorded": 7}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestProblemsAreKept checks that a plan lists the first problems, and that the object next to it
// has all of them.
func TestProblemsAreKept(t *testing.T) {
	s := &Store{Bucket: &membucket.Bucket{}, Layout: dataset.Layout{Prefix: "tuttle_twins"}}
	all := make([]Problem, MaxProblems+3)
	for i := range all {
		all[i] = Problem{Row: i + 2, Problem: "no source image", Kind: "no source image", New: i%2 == 0}
	}
	e := EpisodePlan{Season: "S01", Episode: "E01", Problems: all[:MaxProblems], MoreProblems: 3, Kinds: CountKinds(all)}
	if err := s.WriteProblems(t.Context(), "20261123T212443Z-42", e.Name(), all); err != nil {
		t.Fatal(err)
	}
	if got, err := s.ReadProblems(t.Context(), "20261123T212443Z-42", e); err != nil || !cmp.Equal(got, all) {
		t.Errorf("%d problems, %v", len(got), err)
	}
	e.Kinds = nil // an earlier release wrote no object
	if got, err := s.ReadProblems(t.Context(), "20261123T212443Z-42", e); err != nil || len(got) != MaxProblems {
		t.Errorf("of an earlier release: %d problems, %v", len(got), err)
	}
}
