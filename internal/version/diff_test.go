package version_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

const frame = dataset.Frame("TT_S01_E01_FRM-00-00-08-12")

func row(name, class, etag, src string) version.Row {
	return version.Row{Place: dataset.Place{Dataset: name, Class: class}, Frame: frame, ETag: etag, SrcETag: src}
}

// compare publishes two versions and compares them. The diff has all changes.
func compare(t interface{ Fatal(...any) }, from, to []version.Row) version.Diff {
	s := &state.Store{Bucket: &membucket.Bucket{}, Layout: dataset.Layout{Prefix: "tt"}}
	var both [2]state.Version
	for i, rows := range [][]version.Row{from, to} {
		var err error
		if both[i], err = versiontest.Publish(context.Background(), s, state.Version{Generation: int64(i + 1)}, rows); err != nil {
			t.Fatal(err)
		}
	}
	changes := []version.Change{}
	d, err := version.Between(context.Background(), s, both[0], both[1], func(c version.Change) error {
		changes = append(changes, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Changes, d.From, d.To = changes, 0, 0
	return d
}

// TestCompare is the table in the comment of Between.
func TestCompare(t *testing.T) {
	a := row("train", "Rare", "1", "1")
	tests := []struct {
		name     string
		from, to []version.Row
		want     version.Kind
	}{
		{"added", nil, []version.Row{a}, version.Added},
		{"removed", []version.Row{a}, nil, version.Removed},
		{"relabelled", []version.Row{a}, []version.Row{row("train", "Junk", "1", "1")}, version.Relabelled},
		{"relabelled and moved", []version.Row{a}, []version.Row{row("test", "Junk", "2", "2")}, version.Relabelled},
		{"moved", []version.Row{a}, []version.Row{row("test", "Rare", "1", "1")}, version.Moved},
		{"moved with other content", []version.Row{a}, []version.Row{row("test", "Rare", "2", "2")}, version.Moved},
		{"refreshed", []version.Row{a}, []version.Row{row("train", "Rare", "2", "2")}, version.Refreshed},
		{"copied again under KMS", []version.Row{row("train", "Rare", "k1", "1")}, []version.Row{row("train", "Rare", "k2", "1")}, ""},
		{"other ETag, unknown source", []version.Row{row("train", "Rare", "k1", "")}, []version.Row{row("train", "Rare", "k2", "")}, version.Refreshed},
		{"the same", []version.Row{a}, []version.Row{a}, ""},
		{"a second copy is gone", []version.Row{a, row("test", "Rare", "1", "1")}, []version.Row{row("test", "Rare", "1", "1")}, version.Moved},
		{"twice in both", []version.Row{a, row("test", "Rare", "1", "1")}, []version.Row{row("test", "Rare", "1", "1"), a}, ""},
	}
	for _, test := range tests {
		d := compare(t, test.from, test.to)
		got := version.Kind("")
		if len(d.Changes) == 1 {
			got = d.Changes[0].Kind
		}
		if got != test.want || d.Same+len(d.Changes) != 1 {
			t.Errorf("%s: %q, want %q; %+v", test.name, got, test.want, d)
		}
	}
}

func TestBetweenCounts(t *testing.T) {
	at := func(i int, place dataset.Place) version.Row {
		return version.Row{Place: place, Frame: dataset.FrameAt("S01E01", i), ETag: "1"}
	}
	trainRare, testRare, trainJunk := dataset.Place{Dataset: "train", Class: "Rare"}, dataset.Place{Dataset: "test", Class: "Rare"}, dataset.Place{Dataset: "train", Class: "Junk"}
	got := compare(t,
		[]version.Row{at(0, trainRare), at(1, trainRare), at(2, trainRare), at(3, trainJunk)},
		[]version.Row{at(0, trainRare), at(1, testRare), at(2, trainJunk), at(4, trainRare)})
	want := version.Diff{
		Same:         1,
		Totals:       map[version.Kind]int{version.Added: 1, version.Removed: 1, version.Relabelled: 1, version.Moved: 1, version.Refreshed: 0},
		Classes:      []version.ClassChanges{{Class: "Junk", Before: 1, After: 1, Removed: 1, RelabelledTo: 1}, {Class: "Rare", Before: 3, After: 3, Added: 1, RelabelledFrom: 1, Moved: 1}},
		Relabellings: []version.Relabelling{{From: "Rare", To: "Junk", Frames: 1}},
		Changes: []version.Change{
			{Frame: dataset.FrameAt("S01E01", 1), Kind: version.Moved, From: []string{"train/Rare"}, To: []string{"test/Rare"}},
			{Frame: dataset.FrameAt("S01E01", 2), Kind: version.Relabelled, From: []string{"train/Rare"}, To: []string{"train/Junk"}},
			{Frame: dataset.FrameAt("S01E01", 3), Kind: version.Removed, From: []string{"train/Junk"}},
			{Frame: dataset.FrameAt("S01E01", 4), Kind: version.Added, To: []string{"train/Rare"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// If each frame has one copy, a comparison of two maps gives the same result.
func TestBetweenBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := anyVersion(t, "from"), anyVersion(t, "to")
		got := compare(t, slices.Collect(maps.Values(from)), slices.Collect(maps.Values(to)))
		changes, same := map[dataset.Frame]version.Kind{}, 0
		for f := range union(from, to) {
			before, had := from[f]
			after, has := to[f]
			switch {
			case !had:
				changes[f] = version.Added
			case !has:
				changes[f] = version.Removed
			case before.Place.Class != after.Place.Class:
				changes[f] = version.Relabelled
			case before.Place.Dataset != after.Place.Dataset:
				changes[f] = version.Moved
			case before.ETag != after.ETag:
				changes[f] = version.Refreshed
			default:
				same++
			}
		}
		found := map[dataset.Frame]version.Kind{}
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

func anyVersion(t *rapid.T, name string) map[dataset.Frame]version.Row {
	all := map[dataset.Frame]version.Row{}
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

func union(a, b map[dataset.Frame]version.Row) map[dataset.Frame]version.Row {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
