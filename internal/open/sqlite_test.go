package open_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/queue"
)

// spec needs its dead-letter queue, which is created with it.
var spec = queue.Spec{Name: "tasks", VisibilityTimeout: time.Minute, MaxReceiveCount: 3, DeadLetterQueue: "letters"}

// opened is the queue as a process of its own sees it.
func opened(t *testing.T, file string, patient bool) open.Queue {
	t.Helper()
	o := newOpener(t)
	o.Patient = patient
	queues, err := o.Queues(t.Context(), fileURL("sqlite", file))
	if err != nil {
		t.Fatal(err)
	}
	q, err := queues.Queue(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// passes sends a message by one and receives it by the other.
func passes(t *testing.T, what string, from, to open.Queue) {
	t.Helper()
	if failed, err := from.SendMessageBatch(t.Context(), []queue.Entry{{Body: what}}); err != nil || len(failed) > 0 {
		t.Fatalf("%s: send: %v, %v", what, failed, err)
	}
	got, err := to.ReceiveMessage(t.Context(), 1, 5*time.Second)
	if err != nil || len(got) != 1 || got[0].Body != what {
		t.Fatalf("%s: received %+v, %v", what, got, err)
	}
	if failed, err := to.DeleteMessageBatch(t.Context(), []string{got[0].Receipt}); err != nil || len(failed) > 0 {
		t.Fatalf("%s: delete: %v, %v", what, failed, err)
	}
}

// The queue file, and then its whole folder, are removed while two processes have it open: they
// meet again in the new one.
func TestQueueFileComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "own")
	file := filepath.Join(dir, "queues.db")
	one, two := opened(t, file, true), opened(t, file, true)
	passes(t, "before", one, two)
	waiting := make(chan error, 1)
	go func() {
		// It begins at the file that is removed.
		got, err := two.ReceiveMessage(t.Context(), 1, 10*time.Second)
		if err == nil && len(got) == 1 {
			_, err = two.DeleteMessageBatch(t.Context(), []string{got[0].Receipt})
		}
		waiting <- err
	}()
	if failed, err := one.SendMessageBatch(t.Context(), []queue.Entry{{Body: "waits"}}); err != nil || len(failed) > 0 {
		t.Fatalf("send: %v, %v", failed, err)
	}
	if err := <-waiting; err != nil { // it is at work
		t.Fatal(err)
	}
	go func() {
		// It may begin at the file that is removed.
		got, err := two.ReceiveMessage(t.Context(), 1, 10*time.Second)
		if err == nil && len(got) == 1 {
			_, err = two.DeleteMessageBatch(t.Context(), []string{got[0].Receipt})
		}
		waiting <- err
	}()
	for _, name := range []string{file + "-wal", file + "-shm", file} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := one.SendMessageBatch(t.Context(), []queue.Entry{{Body: "to whom waits"}}); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	passes(t, "in a new file", one, two)
	if a, err := two.GetQueueAttributes(t.Context()); err != nil || a.VisibilityTimeout != time.Minute || a.DeadLetterQueue != "letters" || a.Visible+a.InFlight > 0 {
		t.Errorf("the queue that was made again: %+v, %v", a, err)
	}

	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := one.SendMessageBatch(t.Context(), []queue.Entry{{Body: "nowhere"}}); err == nil || !strings.Contains(err.Error(), "the folder of the queues is gone") {
		t.Errorf("send without a folder: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder, which somebody has removed, was made again")
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	passes(t, "in a new folder", two, one)
}

// A file that is damaged stays so until someone deletes it; then all go on.
func TestDamagedQueueFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "queues.db")
	one, two := opened(t, file, true), opened(t, file, true)
	passes(t, "before", one, two)
	// No process keeps pages of it in the write-ahead log.
	other := filepath.Join(t.TempDir(), "queues.db")
	for _, name := range []string{file, other} {
		if err := os.WriteFile(name, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := newOpener(t).Queues(t.Context(), fileURL("sqlite", other)); err == nil || !strings.Contains(err.Error(), "file is not a database") {
		t.Fatalf("open a damaged file: %v", err)
	}
	for _, name := range []string{file + "-wal", file + "-shm", file} {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	passes(t, "after", one, two)
}

// A service that starts while the file cannot be opened for writing gets its queue anyway, and goes
// on when it can. Any other command fails at once.
func TestStartsWithoutQueueFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "queues.db")
	if err := os.Mkdir(file, 0o750); err != nil { // which SQLite answers as it does a missing right
		t.Fatal(err)
	}
	if _, err := newOpener(t).Queues(t.Context(), fileURL("sqlite", file)); err == nil {
		t.Error("a command takes a file that it cannot open")
	}
	q := opened(t, file, true)
	if _, err := q.ReceiveMessage(t.Context(), 1, 0); err == nil {
		t.Error("a receive from nothing")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	passes(t, "when it can be opened", q, opened(t, file, false))
}
