package state

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/messages"
)

// BenchmarkEncodeChanges measures the encoding of the changes of one reshuffled episode of 28,800
// frames, which a planner saves.
func BenchmarkEncodeChanges(b *testing.B) {
	changes := make([]FrameChange, 28_800)
	for i := range changes {
		changes[i] = FrameChange{Frame: dataset.FrameAt("S01E01", i), Row: i + 2, Op: messages.Move, Cause: ChangeSettings, Column: "UNSUPERVISED CLASSIFICATION",
			From: dataset.Place{Dataset: "train", Class: "Common"}, To: dataset.Place{Dataset: "test", Class: "Common"}}
	}
	b.ReportAllocs()
	for b.Loop() {
		body, err := EncodeChanges(changes)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(body)), "bytes")
	}
}
