package sheet_test

import (
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

func TestUnknown(t *testing.T) {
	for _, text := range []string{
		"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#ERROR!", "#GETTING_DATA", "#SPILL!", "#BEZUG!", "#NV", "#¡REF!", "Err:502",
		"Loading...", "Loading…", "LOADING…", sheet.NoStoredValue, sheet.NoSharedString,
	} {
		if what, unknown := sheet.Unknown(text); !unknown || what == "" {
			t.Errorf("Unknown(%q) = %q, %v", text, what, unknown)
		}
	}
	for _, text := range []string{"", "Rare", "#", "Loading", "Loading dock", "Error", "TT_S01_E01_FRM-00-00-00-00"} {
		if what, unknown := sheet.Unknown(text); unknown {
			t.Errorf("Unknown(%q) = %q", text, what)
		}
	}
}

func TestFillMerges(t *testing.T) {
	for _, test := range []struct {
		name   string
		rows   [][]string
		merges []sheet.Merge
		want   [][]string
	}{
		{"down a column, also into rows that end before it", [][]string{{"h", "c"}, {"a", "Rare"}, {"b"}, {"c", ""}, {"d"}},
			[]sheet.Merge{{1, 4, 1, 2}}, [][]string{{"h", "c"}, {"a", "Rare"}, {"b", "Rare"}, {"c", "Rare"}, {"d"}}},
		{"two columns wide: the value is in the first", [][]string{{"h"}, {"a", "Rare"}, {"b"}},
			[]sheet.Merge{{1, 3, 1, 3}}, [][]string{{"h"}, {"a", "Rare"}, {"b", "Rare"}}},
		{"a blank row stays blank", [][]string{{"h"}, {"a", "Rare"}, nil, {"c"}},
			[]sheet.Merge{{1, 4, 1, 2}}, [][]string{{"h"}, {"a", "Rare"}, nil, {"c", "Rare"}}},
		{"past the last row", [][]string{{"h"}, {"a", "Rare"}}, []sheet.Merge{{1, 100, 1, 2}}, [][]string{{"h"}, {"a", "Rare"}}},
		{"the header", [][]string{{"h", "i"}, {"a"}}, []sheet.Merge{{0, 2, 1, 2}}, [][]string{{"h", "i"}, {"a"}}},
		{"a merge of nothing", [][]string{{"h"}, {"a", ""}, {"b"}}, []sheet.Merge{{1, 3, 1, 2}, {1, 3, 7, 8}, {-1, 3, -1, 0}}, [][]string{{"h"}, {"a", ""}, {"b"}}},
	} {
		sheet.FillMerges(test.rows, test.merges)
		if !slices.EqualFunc(test.rows, test.want, slices.Equal) {
			t.Errorf("%s: %q, want %q", test.name, test.rows, test.want)
		}
	}
}
