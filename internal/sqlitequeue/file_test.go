package sqlitequeue_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/queuetest"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
)

// server is a File with the contract's interface as result type.
type server struct{ *sqlitequeue.File }

func (s server) Queue(ctx context.Context, name string) (queuetest.Queue, error) {
	return s.File.Queue(ctx, name)
}

func TestContract(t *testing.T) {
	queuetest.Run(t, func(t *testing.T) queuetest.Server {
		return server{openFile(t, filepath.Join(t.TempDir(), "queues.db"))}
	})
}

var _ = queue.Spec{}
