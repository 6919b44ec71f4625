package tracker_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/tracker"
)

// BenchmarkLedger is a ledger of 345,600 tasks, a season's, of which half are accounted for in no
// order.
func BenchmarkLedger(b *testing.B) {
	const tasks = 345_600
	half := tracker.NewLedger("run-1", 1, tasks)
	order := rand.New(rand.NewPCG(1, 1)).Perm(tasks)
	for _, seq := range order[:tasks/2] {
		add(b, half, uint32(seq))
	}
	b.Run("345600_tasks/500_results", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			reported := tracker.NewLedger("run-1", 1, tasks)
			for _, seq := range order[tasks/2:][:500] {
				add(b, reported, uint32(seq))
			}
			half.Merge(reported)
		}
	})
	b.Run("345600_tasks/progress", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = half.Progress()
		}
	})
	b.Run("345600_tasks/save_and_read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			body, err := json.Marshal(half)
			if err == nil {
				err = json.Unmarshal(body, tracker.NewLedger("run-1", 1, tasks))
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func add(b *testing.B, l *tracker.Ledger, seq uint32) {
	b.Helper()
	if err := l.Add(seq, messages.Moved, 0); err != nil {
		b.Fatal(err)
	}
}
