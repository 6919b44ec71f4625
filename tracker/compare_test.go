package tracker

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

const (
	comparedEpisode = dataset.Episode("S01E01")
	compared        = dataset.Frame("TT_S01_E01_FRM-00-00-08-12")
)

var comparedLayout = dataset.Layout{Prefix: "tt"}

// foundAt is a row of a listing: the place as "train/Rare", then the ETag.
func foundAt(place, etag string) version.Row {
	name, class, _ := strings.Cut(place, "/")
	return version.Row{Place: dataset.Place{Dataset: name, Class: class}, Frame: compared, ETag: etag}
}

func should(place, etag string) state.Expected {
	return state.Expected{Place: foundAt(place, "").Place, Frame: compared, ETag: etag}
}

func copied(x state.Expected) state.Expected {
	x.Copied = true
	return x
}

func in(place string) string { return place + "/" + compared.File() }

// The table at compare, row by row. K is train/Rare, P is test/Common, Q is validate/Junk.
func TestCompare(t *testing.T) {
	reported := copies{"tt/ML/" + in("train/Rare"): {{ETag: "sealed", SrcETag: "newer"}, {ETag: "again", SrcETag: "newest"}}}
	for _, test := range []struct {
		name     string
		expected []state.Expected
		rows     []version.Row
		want     []state.Difference
		sources  string // SrcETag of the rows
	}{
		{"at K as planned", []state.Expected{should("train/Rare", "e")}, []version.Row{foundAt("train/Rare", "e")}, nil, "e"},
		{
			"kept at K, of a known source", []state.Expected{{Place: foundAt("train/Rare", "").Place, Frame: compared, ETag: "e", SrcETag: "s"}},
			[]version.Row{foundAt("train/Rare", "e")}, nil, "s",
		},
		{"copied to K, as reported", []state.Expected{copied(should("train/Rare", "e"))}, []version.Row{foundAt("train/Rare", "sealed")}, nil, "newer"},
		{"copied to K twice, as reported last", []state.Expected{copied(should("train/Rare", "e"))}, []version.Row{foundAt("train/Rare", "again")}, nil, "newest"},
		{"copied to K as planned", []state.Expected{copied(should("train/Rare", "e"))}, []version.Row{foundAt("train/Rare", "e")}, nil, "e"},
		{
			"kept at K, with what was reported of a copy", []state.Expected{should("train/Rare", "e")}, []version.Row{foundAt("train/Rare", "sealed")},
			[]state.Difference{{Kind: state.Content, Key: in("train/Rare"), Want: "e", Found: "sealed"}}, "",
		},
		{
			"copied to K, with content that was not reported", []state.Expected{copied(should("train/Rare", "e"))}, []version.Row{foundAt("train/Rare", "x")},
			[]state.Difference{{Kind: state.Content, Key: in("train/Rare"), Want: "e", Found: "x"}}, "",
		},
		{
			"at P instead of K", []state.Expected{should("train/Rare", "e")}, []version.Row{foundAt("test/Common", "e")},
			[]state.Difference{{Kind: state.Misplaced, Key: in("train/Rare"), Found: in("test/Common")}}, "",
		},
		{
			"nowhere", []state.Expected{should("train/Rare", "e")}, nil,
			[]state.Difference{{Kind: state.Missing, Key: in("train/Rare")}}, "",
		},
		{
			"wanted nowhere, at P", nil, []version.Row{foundAt("test/Common", "e")},
			[]state.Difference{{Kind: state.Unexpected, Key: in("test/Common")}}, "",
		},
		{
			"wanted nowhere, at P and Q", nil, []version.Row{foundAt("test/Common", "e"), foundAt("validate/Junk", "e")},
			[]state.Difference{{Kind: state.Unexpected, Key: in("test/Common")}, {Kind: state.Unexpected, Key: in("validate/Junk")}}, "",
		},
		{
			"at K, and at P too", []state.Expected{should("train/Rare", "e")}, []version.Row{foundAt("test/Common", "e"), foundAt("train/Rare", "e")},
			[]state.Difference{{Kind: state.Unexpected, Key: in("test/Common")}}, "e",
		},
		{
			"at K with other content, and at P too", []state.Expected{should("train/Rare", "e")},
			[]version.Row{foundAt("test/Common", "e"), foundAt("train/Rare", "x")},
			[]state.Difference{
				{Kind: state.Content, Key: in("train/Rare"), Want: "e", Found: "x"}, {Kind: state.Unexpected, Key: in("test/Common")},
			}, "",
		},
		{
			"at P and Q instead of K", []state.Expected{should("train/Rare", "e")}, []version.Row{foundAt("test/Common", "e"), foundAt("validate/Junk", "e")},
			[]state.Difference{
				{Kind: state.Misplaced, Key: in("train/Rare"), Found: in("test/Common")}, {Kind: state.Unexpected, Key: in("validate/Junk")},
			}, "",
		},
		{
			"frozen in two places, at both", []state.Expected{should("train/Rare", "e"), should("test/Common", "f")},
			[]version.Row{foundAt("test/Common", "f"), foundAt("train/Rare", "e")}, nil, "f e",
		},
		{
			"frozen in two places, at one", []state.Expected{should("train/Rare", "e"), should("test/Common", "f")}, []version.Row{foundAt("train/Rare", "e")},
			[]state.Difference{{Kind: state.Missing, Key: in("test/Common")}}, "e",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for i := range test.want {
				test.want[i].Episode, test.want[i].Frame = comparedEpisode, compared
			}
			got := compare(comparedLayout, comparedEpisode, test.expected, test.rows, reported)
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			var sources []string
			for _, r := range test.rows {
				if r.SrcETag != "" {
					sources = append(sources, r.SrcETag)
				}
			}
			if got := strings.Join(sources, " "); got != test.sources {
				t.Errorf("sources %q, want %q", got, test.sources)
			}
		})
	}
}

// For any expected and any found frames: the expected ones, changed as the differences describe,
// are the found ones.
func TestDifferencesLeadToTheListing(t *testing.T) {
	places := []dataset.Place{{Dataset: "test", Class: "Rare"}, {Dataset: "train", Class: "Common"}, {Dataset: "train", Class: "Rare"}}
	images := rapid.Custom(func(t *rapid.T) map[string]string {
		all := map[string]string{}
		for range rapid.IntRange(0, 8).Draw(t, "images") {
			key := keyOf(rapid.SampledFrom(places).Draw(t, "place"), dataset.FrameAt(comparedEpisode, rapid.IntRange(0, 3).Draw(t, "frame")))
			all[key] = rapid.SampledFrom([]string{"e", "f"}).Draw(t, "etag")
		}
		return all
	})
	rapid.Check(t, func(t *rapid.T) {
		want, found := images.Draw(t, "expected"), images.Draw(t, "found")
		var expected []state.Expected
		var rows []version.Row
		for key, etag := range want {
			place, frame, _ := comparedLayout.Parse(comparedLayout.ML() + key)
			expected = append(expected, state.Expected{Place: place, Frame: frame, ETag: etag})
		}
		for key, etag := range found {
			place, frame, _ := comparedLayout.Parse(comparedLayout.ML() + key)
			rows = append(rows, version.Row{Place: place, Frame: frame, ETag: etag})
		}
		slices.SortFunc(rows, func(a, b version.Row) int {
			return cmp.Or(strings.Compare(string(a.Frame), string(b.Frame)), a.Place.Compare(b.Place))
		})
		got := maps.Clone(want)
		for _, d := range compare(comparedLayout, comparedEpisode, expected, rows, nil) {
			switch d.Kind {
			case state.Missing:
				delete(got, d.Key)
			case state.Misplaced:
				delete(got, d.Key)
				got[d.Found] = found[d.Found]
			case state.Unexpected:
				got[d.Key] = found[d.Key]
			case state.Content:
				got[d.Key] = d.Found
			}
		}
		if !maps.Equal(got, found) {
			t.Fatalf("the differences lead to %v, there is %v", got, found)
		}
	})
}
