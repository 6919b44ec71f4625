package version

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

const frame = dataset.Frame("TT_S01_E01_FRM-00-00-08-12")

func row(name, class, etag, src string) Row {
	return Row{Place: dataset.Place{Dataset: name, Class: class}, Frame: frame, ETag: etag, SrcETag: src}
}

// TestCompare goes through the table at Compare.
func TestCompare(t *testing.T) {
	a := row("train", "Rare", "1", "1")
	tests := []struct {
		name     string
		from, to []Row
		want     Kind
	}{
		{"added", nil, []Row{a}, Added},
		{"removed", []Row{a}, nil, Removed},
		{"relabelled", []Row{a}, []Row{row("train", "Junk", "1", "1")}, Relabelled},
		{"relabelled and moved", []Row{a}, []Row{row("test", "Junk", "2", "2")}, Relabelled},
		{"moved", []Row{a}, []Row{row("test", "Rare", "1", "1")}, Moved},
		{"moved with other content", []Row{a}, []Row{row("test", "Rare", "2", "2")}, Moved},
		{"refreshed", []Row{a}, []Row{row("train", "Rare", "2", "2")}, Refreshed},
		{"copied again under KMS", []Row{row("train", "Rare", "k1", "1")}, []Row{row("train", "Rare", "k2", "1")}, ""},
		{"other ETag, unknown source", []Row{row("train", "Rare", "k1", "")}, []Row{row("train", "Rare", "k2", "")}, Refreshed},
		{"the same", []Row{a}, []Row{a}, ""},
		{"a second copy is gone", []Row{a, row("test", "Rare", "1", "1")}, []Row{row("test", "Rare", "1", "1")}, Moved},
		{"twice in both", []Row{a, row("test", "Rare", "1", "1")}, []Row{row("test", "Rare", "1", "1"), a}, ""},
	}
	for _, test := range tests {
		d := Compare(slices.Clone(test.from), slices.Clone(test.to))
		got := Kind("")
		if len(d.Changes) == 1 {
			got = d.Changes[0].Kind
		}
		if got != test.want || d.Same+len(d.Changes) != 1 {
			t.Errorf("%s: %q, want %q; %+v", test.name, got, test.want, d)
		}
	}
}

func TestCompareCounts(t *testing.T) {
	at := func(i int, place dataset.Place) Row {
		return Row{Place: place, Frame: dataset.FrameAt("S01E01", i), ETag: "1"}
	}
	trainRare, testRare, trainJunk := dataset.Place{Dataset: "train", Class: "Rare"}, dataset.Place{Dataset: "test", Class: "Rare"}, dataset.Place{Dataset: "train", Class: "Junk"}
	got := Compare(
		[]Row{at(0, trainRare), at(1, trainRare), at(2, trainRare), at(3, trainJunk)},
		[]Row{at(0, trainRare), at(1, testRare), at(2, trainJunk), at(4, trainRare)})
	want := Diff{
		Same:         1,
		Totals:       map[Kind]int{Added: 1, Removed: 1, Relabelled: 1, Moved: 1, Refreshed: 0},
		Classes:      []ClassChanges{{Class: "Junk", Before: 1, After: 1, Removed: 1, RelabelledTo: 1}, {Class: "Rare", Before: 3, After: 3, Added: 1, RelabelledFrom: 1, Moved: 1}},
		Relabellings: []Relabelling{{From: "Rare", To: "Junk", Frames: 1}},
		Changes: []Change{
			{Frame: dataset.FrameAt("S01E01", 1), Kind: Moved, From: []string{"train/Rare"}, To: []string{"test/Rare"}},
			{Frame: dataset.FrameAt("S01E01", 2), Kind: Relabelled, From: []string{"train/Rare"}, To: []string{"train/Junk"}},
			{Frame: dataset.FrameAt("S01E01", 3), Kind: Removed, From: []string{"train/Junk"}},
			{Frame: dataset.FrameAt("S01E01", 4), Kind: Added, To: []string{"train/Rare"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Over versions in which each frame stands once, a comparison of two maps says the same.
func TestCompareBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := anyVersion(t, "from"), anyVersion(t, "to")
		got := Compare(slices.Collect(maps.Values(from)), slices.Collect(maps.Values(to)))
		changes, same := map[dataset.Frame]Kind{}, 0
		for f := range union(from, to) {
			before, had := from[f]
			after, has := to[f]
			switch {
			case !had:
				changes[f] = Added
			case !has:
				changes[f] = Removed
			case before.Place.Class != after.Place.Class:
				changes[f] = Relabelled
			case before.Place.Dataset != after.Place.Dataset:
				changes[f] = Moved
			case before.ETag != after.ETag:
				changes[f] = Refreshed
			default:
				same++
			}
		}
		found := map[dataset.Frame]Kind{}
		for _, c := range got.Changes {
			found[c.Frame] = c.Kind
		}
		if diff := cmp.Diff(changes, found); diff != "" || got.Same != same || len(found) != len(got.Changes) {
			t.Fatalf("same %d, want %d; -want +got:\n%s", got.Same, same, diff)
		}
		for _, c := range got.Classes {
			if c.After != c.Before+c.Added-c.Removed+c.RelabelledTo-c.RelabelledFrom {
				t.Fatalf("the counts of %s do not add up: %+v", c.Class, c)
			}
		}
	})
}

func anyVersion(t *rapid.T, name string) map[dataset.Frame]Row {
	all := map[dataset.Frame]Row{}
	for i := range 12 {
		if !rapid.Bool().Draw(t, name) {
			continue
		}
		r := row(rapid.SampledFrom([]string{"train", "test"}).Draw(t, "dataset"), rapid.SampledFrom([]string{"Junk", "Rare", ""}).Draw(t, "class"),
			fmt.Sprint(rapid.IntRange(0, 1).Draw(t, "etag")), "")
		r.Frame = dataset.FrameAt("S01E01", i)
		all[r.Frame] = r
	}
	return all
}

func union(a, b map[dataset.Frame]Row) map[dataset.Frame]Row {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
