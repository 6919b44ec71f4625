package worker

import (
	"context"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Bucket is what a worker needs of the bucket.
type Bucket interface {
	CopyObject(ctx context.Context, src, dst, ifMatch string) (etag string, err error)
	DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error)
	HeadObject(ctx context.Context, key string) (bucket.Object, error)
}

// Tasks is what a worker needs of the tasks queue.
type Tasks interface {
	ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error)
	DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error)
	ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error)
	GetQueueAttributes(ctx context.Context) (queue.Attributes, error)
}

// Sender is what a worker needs of the results queue and of the dead-letter queue.
type Sender interface {
	SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error)
}

// Pointer reads which run is in force: *state.Store.
type Pointer interface {
	Current(ctx context.Context, known state.PointerSnapshot) (state.PointerSnapshot, error)
}

// Runs knows the runs of the worker's own environment: *state.Store.
type Runs interface {
	HasRun(ctx context.Context, run string) (bool, error)
	ReadTasks(ctx context.Context, run string, chunk int) ([]messages.Task, error)
	NoteEnvironment(ctx context.Context, seen state.OtherEnvironment) error
}

// Protection keeps a scheduler from ending a busy worker. Protect(true) is repeated while the
// worker is busy, because protections expire.
type Protection interface {
	Protect(ctx context.Context, on bool) error
}
