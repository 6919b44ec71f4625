package open

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
)

const folderMode = 0o750

// fileQueues are the queues in the file that has this name now. When a person removes the file or
// its folder, it is created again, and all processes continue in the new file. The tracker
// publishes the open tasks again, so only time is lost. A damaged file stays until a person deletes
// it.
type fileQueues struct {
	path    string
	patient bool

	mu     sync.Mutex
	file   *sqlitequeue.File
	info   fs.FileInfo                   // of file
	opened map[string]*sqlitequeue.Queue // of file, by name
	old    []*sqlitequeue.File           // long polls may still use them
}

func (o *Opener) sqlite(ctx context.Context, path string) (Queues, error) {
	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil && !(o.Patient && notWritable(err)) {
		return nil, fmt.Errorf("create the folder of the queues: %w", err)
	}
	q := &fileQueues{path: path, patient: o.Patient}
	if _, err := q.current(ctx); err != nil && !(o.Patient && notWritable(err)) {
		return nil, err
	}
	o.closers = append(o.closers, q)
	return q, nil
}

// notWritable reports whether a file cannot be written now. A person can repair that while services
// wait.
func notWritable(err error) bool {
	for _, text := range []string{"readonly database", "unable to open database file"} { // SQLite's
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// current returns the file that has the name now. The caller must not hold the lock.
func (q *fileQueues) current(ctx context.Context) (*sqlitequeue.File, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.currentLocked(ctx)
}

func (q *fileQueues) currentLocked(ctx context.Context) (*sqlitequeue.File, error) {
	now, err := os.Stat(q.path)
	if q.file != nil && err == nil && os.SameFile(now, q.info) {
		return q.file, nil
	}
	if _, err := os.Stat(filepath.Dir(q.path)); err != nil {
		return nil, fmt.Errorf("the folder of the queues is gone: %w", err)
	}
	file, err := sqlitequeue.Open(q.path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(q.path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open queues: %w", err), file.Close())
	}
	if q.file != nil {
		q.old = append(q.old, q.file)
	}
	q.file, q.info, q.opened = file, info, map[string]*sqlitequeue.Queue{}
	return file, ctx.Err()
}

// at returns a queue of the file that has the name now. It creates a missing queue by the spec.
func (q *fileQueues) at(ctx context.Context, spec queue.Spec) (*sqlitequeue.Queue, *sqlitequeue.File, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	file, err := q.currentLocked(ctx)
	if err != nil {
		return nil, nil, err
	}
	if known := q.opened[spec.Name]; known != nil {
		return known, file, nil
	}
	opened, err := file.Queue(ctx, spec.Name)
	if errors.Is(err, queue.ErrNotFound) {
		if err = createIn(ctx, file, spec); err == nil {
			opened, err = file.Queue(ctx, spec.Name)
		}
	}
	if err != nil {
		return nil, file, err
	}
	q.opened[spec.Name] = opened
	return opened, file, nil
}

// forget closes a file, so that the next call opens it again.
func (q *fileQueues) forget(file *sqlitequeue.File) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.file == file {
		q.file = nil
		_ = file.Close() // it was not written
	}
}

// createIn creates the dead-letter queue that the queue needs, and then the queue.
func createIn(ctx context.Context, file *sqlitequeue.File, spec queue.Spec) error {
	if spec.DeadLetterQueue != "" {
		_, err := file.Queue(ctx, spec.DeadLetterQueue)
		if errors.Is(err, queue.ErrNotFound) {
			err = file.Setup(ctx, queue.Spec{Name: spec.DeadLetterQueue, VisibilityTimeout: spec.VisibilityTimeout})
		}
		if err != nil {
			return err
		}
	}
	return file.Setup(ctx, spec)
}

// Queue opens a queue. A service gets the queue even while the file cannot be written. Until then
// its calls fail.
func (q *fileQueues) Queue(ctx context.Context, spec queue.Spec) (Queue, error) {
	if _, _, err := q.at(ctx, spec); err != nil && !(q.patient && notWritable(err)) {
		return nil, err
	}
	return fileQueue{q, spec}, nil
}

// Setup creates or changes a queue.
func (q *fileQueues) Setup(ctx context.Context, spec queue.Spec) error {
	file, err := q.current(ctx)
	if err != nil {
		return err
	}
	return file.Setup(ctx, spec)
}

// Close closes the files.
func (q *fileQueues) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var err error
	for _, f := range append(q.old, q.file) {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// fileQueue is a queue. Each call uses the file that has the name at that moment.
type fileQueue struct {
	file *fileQueues
	spec queue.Spec
}

// call runs a function on the queue. It closes a file that was opened while it could not be
// written: SQLite opened it read-only, and all connections of a process share that, so a new
// connection does not help.
func (q fileQueue) call(ctx context.Context, do func(*sqlitequeue.Queue) error) error {
	at, file, err := q.file.at(ctx, q.spec)
	if err == nil {
		err = do(at)
	}
	if err != nil && file != nil && notWritable(err) {
		q.file.forget(file)
	}
	return err
}

func (q fileQueue) SendMessageBatch(ctx context.Context, entries []queue.Entry) (failed []queue.Failure, err error) {
	err = q.call(ctx, func(at *sqlitequeue.Queue) (err error) {
		failed, err = at.SendMessageBatch(ctx, entries)
		return err
	})
	return failed, err
}

// waitAtFile is how long a receive waits at one file before it checks which file has the name.
const waitAtFile = 2 * time.Second

func (q fileQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) (got []queue.Message, err error) {
	for end := time.Now().Add(wait); ; {
		left := max(time.Until(end), 0)
		if wait <= queue.MaxWait { // else the queue refuses it
			wait = min(left, waitAtFile)
		}
		err = q.call(ctx, func(at *sqlitequeue.Queue) (err error) {
			got, err = at.ReceiveMessage(ctx, most, wait)
			return err
		})
		if err != nil || len(got) > 0 || left <= waitAtFile {
			return got, err
		}
	}
}

func (q fileQueue) DeleteMessageBatch(ctx context.Context, receipts []string) (failed []queue.Failure, err error) {
	err = q.call(ctx, func(at *sqlitequeue.Queue) (err error) {
		failed, err = at.DeleteMessageBatch(ctx, receipts)
		return err
	})
	return failed, err
}

func (q fileQueue) ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) (failed []queue.Failure, err error) {
	err = q.call(ctx, func(at *sqlitequeue.Queue) (err error) {
		failed, err = at.ChangeMessageVisibilityBatch(ctx, receipts, timeout)
		return err
	})
	return failed, err
}

func (q fileQueue) GetQueueAttributes(ctx context.Context) (a queue.Attributes, err error) {
	err = q.call(ctx, func(at *sqlitequeue.Queue) (err error) {
		a, err = at.GetQueueAttributes(ctx)
		return err
	})
	return a, err
}
