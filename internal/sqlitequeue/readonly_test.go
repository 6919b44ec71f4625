package sqlitequeue

import (
	"path/filepath"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// A service that began while the file could not be written goes on when it can.
func TestReadOnlyForAWhile(t *testing.T) {
	f, err := Open(filepath.Join(t.TempDir(), "queues.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // The test is over.
	if err := f.Setup(t.Context(), queue.Spec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	q, err := f.Queue(t.Context(), "q")
	if err != nil {
		t.Fatal(err)
	}
	// The one connection refuses writes, as one does that was opened on a file without the right to
	// write.
	if _, err := f.writer.ExecContext(t.Context(), "PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	entries := []queue.Entry{{Body: "a"}}
	if _, err := q.SendMessageBatch(t.Context(), entries); err == nil {
		t.Fatal("the connection writes")
	}
	if failed, err := q.SendMessageBatch(t.Context(), entries); err != nil || len(failed) > 0 {
		t.Errorf("once the file can be written: %v, %v", failed, err)
	}
}
