package tracker

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

func TestTooManyDead(t *testing.T) {
	for _, test := range []struct {
		limit       string
		tasks, dead int
		want        bool
	}{
		{"1%", 25, 20, false}, // minDead, however small the run
		{"1%", 25, 21, true},
		{"1%", 2100, 21, false},
		{"1%", 2100, 22, true},
		{"1%", 345_600, 3456, false},
		{"1%", 345_600, 3457, true},
		{"0%", 2100, 20, false},
		{"0%", 2100, 21, true},
		{"50", 2100, 50, false},
		{"50", 2100, 51, true},
		{"5", 2100, 20, false},
		{"100%", 100, 100, false},
	} {
		limit, err := rows.ParseLimit(test.limit)
		if err != nil {
			t.Fatal(err)
		}
		run := runInForce{pointer: state.PointerSnapshot{Pointer: state.Pointer{Tasks: test.tasks}}, ledger: NewLedger("r", 1, test.tasks)}
		for seq := range uint32(test.dead) {
			if err := run.ledger.Add(seq, messages.Dead, 0); err != nil {
				t.Fatal(err)
			}
		}
		if got := run.tooManyDead(limit); got != test.want {
			t.Errorf("%d of %d dead with a limit of %s: %v", test.dead, test.tasks, test.limit, got)
		}
	}
}
