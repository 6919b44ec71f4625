package sqlitequeue_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
)

// BenchmarkMessages is the way of a task through the queue, in batches of ten: sent, received,
// deleted.
func BenchmarkMessages(b *testing.B) {
	for _, waiting := range []int{0, 100_000} {
		b.Run("behind "+strconv.Itoa(waiting), func(b *testing.B) {
			q := openQueue(b, filepath.Join(b.TempDir(), "queues.db"), queue.Spec{Name: "tasks"})
			batch := make([]queue.Entry, queue.MaxBatch)
			for i := range batch {
				batch[i].Body = strings.Repeat("x", 350)
			}
			for range waiting / queue.MaxBatch {
				send(b, q, batch)
			}
			messages := 0
			for b.Loop() {
				send(b, q, batch)
				receipts := make([]string, 0, queue.MaxBatch)
				for _, m := range receive(b, q) {
					receipts = append(receipts, m.Receipt)
				}
				remove(b, q, receipts)
				messages += len(receipts)
			}
			b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

func openQueue(t testing.TB, path string, spec queue.Spec) *sqlitequeue.Queue {
	t.Helper()
	q, err := openFile(t, path, spec).Queue(t.Context(), spec.Name)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func openFile(t testing.TB, path string, specs ...queue.Spec) *sqlitequeue.File {
	t.Helper()
	f, err := sqlitequeue.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, spec := range specs {
		if err := f.Setup(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func send(t testing.TB, q *sqlitequeue.Queue, batch []queue.Entry) {
	t.Helper()
	if failed, err := q.SendMessageBatch(t.Context(), batch); err != nil || len(failed) > 0 {
		t.Fatal(failed, err)
	}
}

func receive(t testing.TB, q *sqlitequeue.Queue) []queue.Message {
	t.Helper()
	messages, err := q.ReceiveMessage(t.Context(), queue.MaxBatch, 0)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

func remove(t testing.TB, q *sqlitequeue.Queue, receipts []string) {
	t.Helper()
	if failed, err := q.DeleteMessageBatch(t.Context(), receipts); err != nil || len(failed) > 0 {
		t.Fatal(failed, err)
	}
}
