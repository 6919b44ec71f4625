package sqlitequeue_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
	"github.com/angel-nft/google-shuffle/internal/test/queuetest"
)

// server is a File with the contract's interface as result type.
type server struct{ *sqlitequeue.File }

func (s server) Queue(ctx context.Context, name string) (queuetest.Queue, error) {
	return s.File.Queue(ctx, name)
}

func TestContract(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(t *testing.T) queuetest.Server {
		return server{openFile(t, filepath.Join(t.TempDir(), "queues.db"))}
	})
}

func TestOpenOddPaths(t *testing.T) {
	for _, name := range []string{"a b.db", "50%.db", "%41.db", "what?.db", "x#y&z=1.db", "ü:漢.db", "new/folder/queues.db"} {
		path := filepath.Join(t.TempDir(), name)
		openFile(t, path)
		if _, err := os.Stat(path); err != nil {
			t.Errorf("Open(%q) made another file: %v", name, err)
		}
	}
}

func TestOpenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queues.db")
	f, err := sqlitequeue.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Setup(t.Context(), queue.Spec{Name: "tasks"}); err != nil {
		t.Fatal(err)
	}
	send(t, named(t, f, "tasks"), []queue.Entry{{Body: "a"}})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if messages := receive(t, named(t, openFile(t, path), "tasks")); len(messages) != 1 || messages[0].Body != "a" {
		t.Errorf("received %+v, want what was sent before the file was closed", messages)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		prepare    func(t *testing.T, path string)
	}{
		{"a file that is no database", "not a database", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("text ", 500)), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"a file of a newer program", "version 99", func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Exec("PRAGMA user_version = 99")
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}},
		{"a folder", "unable to open", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "queues.db")
			tc.prepare(t, path)
			_, err := sqlitequeue.Open(path)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one with %q and the path", err, tc.want)
			}
		})
	}
}

func TestSetupRefuses(t *testing.T) {
	f := openFile(t, filepath.Join(t.TempDir(), "queues.db"))
	if err := f.Setup(t.Context(), queue.Spec{Name: "q", VisibilityTimeout: -time.Second}); err == nil {
		t.Error("a negative visibility timeout was accepted")
	}
}

func TestEntryFaults(t *testing.T) {
	eleven := make(map[string]string)
	for i := range 11 {
		eleven[string(rune('a'+i))] = "x"
	}
	batch := []queue.Entry{
		{Body: "good", Attributes: map[string]string{"a": "x"}},
		{Body: ""},
		{Body: "broken \xff UTF-8"},
		{Body: "escape \x1b"},
		{Body: "b", Attributes: eleven},
		{Body: "b", Attributes: map[string]string{"a": ""}},
		{Body: "b", Attributes: map[string]string{"": "x"}},
		{Body: "b", Attributes: map[string]string{"a": "nul \x00"}},
	}
	want := []string{
		"", "MissingParameter", "InvalidMessageContents", "InvalidMessageContents",
		"InvalidParameterValue", "InvalidParameterValue", "InvalidParameterValue", "InvalidParameterValue",
	}
	q := openQueue(t, filepath.Join(t.TempDir(), "queues.db"), queue.Spec{Name: "q"})
	failed, err := q.SendMessageBatch(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(batch))
	for _, f := range failed {
		got[f.Index] = f.Code
		if !f.SenderFault {
			t.Errorf("%+v is the sender's fault", f)
		}
	}
	for i := range batch {
		if got[i] != want[i] {
			t.Errorf("entry %d %+q: code %q, want %q", i, batch[i], got[i], want[i])
		}
	}
}

func TestCallsRefused(t *testing.T) {
	q := openQueue(t, filepath.Join(t.TempDir(), "queues.db"), queue.Spec{Name: "q"})
	receiving := func(limit int, wait time.Duration) error {
		_, err := q.ReceiveMessage(t.Context(), limit, wait)
		return err
	}
	changing := func(timeout time.Duration) error {
		_, err := q.ChangeMessageVisibilityBatch(t.Context(), []string{"1-1-1"}, timeout)
		return err
	}
	for name, err := range map[string]error{
		"0 messages":         receiving(0, 0),
		"11 messages":        receiving(queue.MaxBatch+1, 0),
		"too long a wait":    receiving(1, queue.MaxWait+time.Second),
		"a negative wait":    receiving(1, -1),
		"a negative timeout": changing(-1),
		"too long a timeout": changing(queue.MaxVisibility + time.Second),
	} {
		var coded interface {
			error
			ErrorCode() string
		}
		if !errors.As(err, &coded) || coded.ErrorCode() != "InvalidParameterValue" {
			t.Errorf("%s: error %v, want InvalidParameterValue", name, err)
		}
	}
}
