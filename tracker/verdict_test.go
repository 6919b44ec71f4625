package tracker

import (
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// The table at verdict, row by row.
func TestVerdict(t *testing.T) {
	missing := state.Difference{Kind: state.Missing, Key: "train/Rare/a.jpg"}
	for _, test := range []struct {
		name             string
		dead, superseded int
		differences      []state.Difference
		want             state.State
		reason           string // its parts, by "…"
	}{
		{"all done", 0, 0, nil, state.Succeeded, ""},
		{"one dead", 1, 0, nil, state.Failed, "1 task is dead: …shuffle dead R…shuffle redrive R"},
		{"dead and superseded", 2, 3, nil, state.Failed, "2 tasks are dead…shuffle redrive R"},
		{"dead and differences", 2, 0, []state.Difference{missing}, state.Failed, "2 tasks are dead…shuffle redrive R"},
		{"superseded", 0, 1, nil, state.Failed, "1 task is superseded…shuffle redrive R"},
		{"superseded and differences", 0, 3, []state.Difference{missing}, state.Failed, "3 tasks are superseded…shuffle redrive R"},
		{"one dead, its source gone", -1, 0, nil, state.Failed, "1 task is dead, 1 since the source image is gone: …shuffle dead R…shuffle plan"},
		{"one difference", 0, 0, []state.Difference{missing}, state.Failed, "1 difference: train/Rare/a.jpg is missing; …report.json…shuffle plan again"},
		{"differences", 0, 0, []state.Difference{missing, missing}, state.Failed, "2 differences: train/Rare/a.jpg is missing; …shuffle plan again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			codes := map[string]int{"AccessDenied": test.dead}
			if test.dead < 0 {
				test.dead = -test.dead
				codes = map[string]int{"NoSuchKey": test.dead}
			}
			got, reason := verdict("R", state.Progress{Dead: test.dead, Superseded: test.superseded}, codes, differences{count: len(test.differences), first: test.differences})
			if got != test.want || (reason == "") != (test.reason == "") {
				t.Errorf("%s, %q; want %s", got, reason, test.want)
			}
			for part := range strings.SplitSeq(test.reason, "…") {
				if !strings.Contains(reason, part) {
					t.Errorf("no %q in %q", part, reason)
				}
			}
		})
	}
}
