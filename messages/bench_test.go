package messages

import "testing"

// BenchmarkTask is the codec of one task.
func BenchmarkTask(b *testing.B) {
	task := goldenTasks()["task-move.json"]
	body := task.Encode()
	b.Run("1_task/encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = task.Encode()
		}
	})
	b.Run("1_task/parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseTask(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkResults is the codec of a message of 150 results, as many as a worker sends.
func BenchmarkResults(b *testing.B) {
	results := Results{V: Version, Run: goldenRun, Gen: 42, Worker: "worker-1"}
	for seq := range uint32(150) {
		results.Results = append(results.Results, Result{Seq: seq, Outcome: Moved, ETag: etagA, Attempts: 1})
	}
	body := results.Encode()
	perResult := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(results.Results)), "ns/result")
	}
	b.Run("150_results/encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = results.Encode()
		}
		perResult(b)
	})
	b.Run("150_results/parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseResults(body); err != nil {
				b.Fatal(err)
			}
		}
		perResult(b)
	})
}
