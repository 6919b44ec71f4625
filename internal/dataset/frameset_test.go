package dataset

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// A set of frames is what a map of them would be, also where two names have one Index.
func TestFrameSet(t *testing.T) {
	frames := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Frame {
		two := func(most int) int { return rapid.IntRange(0, most).Draw(t, "digits") }
		return Frame(fmt.Sprintf("TT_S%02d_E%02d_FRM-%02d-%02d-%02d-%02d", two(1), two(1), two(99), two(1), two(1), two(99)))
	}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := FrameSet{}, FrameSet{}
		inA, inB := map[Frame]bool{}, map[Frame]bool{}
		fill := func(s FrameSet, in map[Frame]bool, name string) {
			for _, f := range frames.Draw(t, name) {
				if s.Add(f) == in[f] {
					t.Fatalf("%s: new or not is wrong", f)
				}
				in[f] = true
			}
		}
		fill(a, inA, "a")
		fill(b, inB, "b")
		common := 0
		for f := range inA {
			if inB[f] {
				common++
			}
			if !a.Has(f) || b.Has(f) != inB[f] {
				t.Fatalf("%s: in a %t, in b %t, want true and %t", f, a.Has(f), b.Has(f), inB[f])
			}
		}
		if a.Len() != len(inA) || a.Common(b) != common {
			t.Fatalf("%d frames, %d common; want %d and %d", a.Len(), a.Common(b), len(inA), common)
		}
	})
}
