package planner

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/messages"
)

// The places and contents of the table in Decide's comment.
var (
	atK     = dataset.Place{Dataset: "test", Class: "Rare"}
	atP     = dataset.Place{Dataset: "train", Class: "Rare"}
	atQ     = dataset.Place{Dataset: "train", Class: "common"} // an old, misspelt folder
	atRoot  = dataset.Place{Dataset: "validate"}               // the folder of the dataset
	right   = "e-now"
	old     = "e-old"
	rightAt = func(p dataset.Place) dataset.Copy { return dataset.Copy{Place: p, ETag: right} }
	oldAt   = func(p dataset.Place) dataset.Copy { return dataset.Copy{Place: p, ETag: old} }
)

// TestDecide is the table in the comment of Decide, row by row. Each row has all cases that it
// covers.
func TestDecide(t *testing.T) {
	wanted := Wish{Place: &atK, ETag: right}
	frozen := Wish{Frozen: true}
	frozenAtK := Wish{Frozen: true, Place: &atK, ETag: right}
	places := func(p ...dataset.Place) []dataset.Place { return p }
	for _, row := range []struct {
		name   string
		wish   Wish
		stands []dataset.Copy
		want   Change
	}{
		// yes | any | anywhere | frozen: no change
		{"frozen, nowhere", frozen, nil, Change{Frozen: true}},
		{"frozen, somewhere", frozen, []dataset.Copy{rightAt(atP)}, Change{Frozen: true}},
		{"frozen, wanted at K, old content and a double", frozenAtK, []dataset.Copy{oldAt(atK), rightAt(atP)}, Change{Frozen: true}},
		// no | no | none | nothing
		{"not wanted, nowhere", Wish{}, nil, Change{}},
		// no | no | anywhere | delete: every copy
		{"not wanted, somewhere", Wish{}, []dataset.Copy{rightAt(atP)}, Change{Op: messages.Delete, Del: places(atP), Removes: true}},
		{"not wanted, in many places", Wish{}, []dataset.Copy{oldAt(atK), rightAt(atP), rightAt(atQ), oldAt(atRoot)}, Change{Op: messages.Delete, Del: places(atK, atP, atQ, atRoot), Removes: true}},
		// no | at K | none | copy: to K
		{"wanted, nowhere", wanted, nil, Change{Op: messages.Copy}},
		// no | at K | K, right | keep
		{"wanted, stands right", wanted, []dataset.Copy{rightAt(atK)}, Change{Keep: true}},
		// no | at K | K, right, and more | delete: the others
		{"wanted, stands right and elsewhere", wanted, []dataset.Copy{rightAt(atP), rightAt(atK), oldAt(atRoot)}, Change{Op: messages.Delete, Del: places(atP, atRoot)}},
		// no | at K | K, old content | refresh: copy over K
		{"wanted, stands with old content", wanted, []dataset.Copy{oldAt(atK)}, Change{Op: messages.Refresh}},
		// no | at K | K, old, and more | refresh: copy over K, delete the others
		{"wanted, stands with old content and elsewhere", wanted, []dataset.Copy{oldAt(atK), rightAt(atP)}, Change{Op: messages.Refresh, Del: places(atP)}},
		// no | at K | elsewhere only | move: copy to K, then delete the others
		{"wanted, stands elsewhere", wanted, []dataset.Copy{rightAt(atP)}, Change{Op: messages.Move, Del: places(atP)}},
		{"wanted, stands elsewhere with old content", wanted, []dataset.Copy{oldAt(atP)}, Change{Op: messages.Move, Del: places(atP)}},
		{"wanted, stands in the dataset, under another class", wanted, []dataset.Copy{rightAt(dataset.Place{Dataset: "test", Class: "Common"})}, Change{Op: messages.Move, Del: places(dataset.Place{Dataset: "test", Class: "Common"})}},
		{"wanted, stands elsewhere in many places", wanted, []dataset.Copy{rightAt(atP), oldAt(atQ), rightAt(atRoot)}, Change{Op: messages.Move, Del: places(atP, atQ, atRoot)}},
	} {
		before := slices.Clone(row.stands)
		if diff := cmp.Diff(row.want, Decide(row.wish, row.stands, sameETag)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		if !slices.Equal(before, row.stands) {
			t.Errorf("%s: Decide changed what it was given", row.name)
		}
	}
}

// A copy with another ETag has the right content if it is known to have it.
func TestDecideAsksWhetherContentIsTheSame(t *testing.T) {
	w := Wish{Place: &atK, ETag: right}
	stands := []dataset.Copy{{Place: atK, ETag: "e-of-kms"}}
	known := func(copyETag, srcETag string) bool { return copyETag == "e-of-kms" && srcETag == right }
	if got := Decide(w, stands, known); !got.Keep || got.Op != "" {
		t.Errorf("a known copy: %+v, want keep", got)
	}
	if got := Decide(w, stands, sameETag); got.Op != messages.Refresh {
		t.Errorf("an unknown copy: %+v, want refresh", got)
	}
	// Decide compares the content only in the place where the frame should be.
	unasked := func(string, string) bool { t.Error("asked about a copy that goes"); return true }
	Decide(w, []dataset.Copy{oldAt(atP)}, unasked)
	Decide(Wish{}, []dataset.Copy{oldAt(atP)}, unasked)
	Decide(Wish{Frozen: true}, []dataset.Copy{oldAt(atP)}, unasked)
}
