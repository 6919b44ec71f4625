package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClassNumberChanges(t *testing.T) {
	n := func(i int) *int { return &i }
	for _, test := range []struct {
		name          string
		before, after []string
		want          []ClassNumber
		renumbers     bool
	}{
		{"the first version", nil, []string{"Common"}, nil, false},
		{"the same in another order", []string{"Rare", "Common"}, []string{"Common", "Rare", "Rare"}, nil, false},
		{"a class comes in the middle", []string{"Common", "Junk", "Rare"}, []string{"Common", "Epic", "Junk", "Rare"},
			[]ClassNumber{{"Epic", nil, n(1)}, {"Junk", n(1), n(2)}, {"Rare", n(2), n(3)}}, true},
		{"a class goes", []string{"Common", "Junk", "Rare"}, []string{"Common", "Rare"},
			[]ClassNumber{{"Junk", n(1), nil}, {"Rare", n(2), n(1)}}, true},
		{"one comes at the end", []string{"Common"}, []string{"Common", "Rare"}, []ClassNumber{{"Rare", nil, n(1)}}, false},
		{"one comes as another goes", []string{"Common", "Rare"}, []string{"Common", "Rarr"},
			[]ClassNumber{{"Rare", n(1), nil}, {"Rarr", nil, n(1)}}, true},
		{"all go", []string{"Common"}, nil, []ClassNumber{{"Common", n(0), nil}}, false},
	} {
		got := ClassNumberChanges(test.before, test.after)
		if diff := cmp.Diff(test.want, got); diff != "" || Renumbers(got) != test.renumbers {
			t.Errorf("%s: renumbers %t, -want +got:\n%s", test.name, Renumbers(got), diff)
		}
	}
}
