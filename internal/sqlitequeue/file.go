// Package sqlitequeue implements the queue port on a SQLite file, for the processes of one machine.
// It has visibility timeouts, receive counts, dead-letter redrive and long polls as in SQS.
// (SQLite's write-ahead log needs shared memory, so the file must not be on a network file system.)
//
// When a process is killed, no confirmed call is lost, and its messages in flight become visible
// after the visibility timeout. A power failure may undo the last confirmed calls, but the file
// stays consistent. Then a message may be delivered again, or be missing as after a purge.
//
// Times are the machine's wall clock. When it is set back by a minute, messages may stay invisible
// for a minute longer.
package sqlitequeue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	_ "modernc.org/sqlite" // registers the driver

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// File has named queues. It and its queues are safe for concurrent use.
type File struct {
	// All writes use one connection. SQLite allows only one writer at a time, and waiting in the
	// pool is fair, while waiting for a file lock is not. A writer never blocks readers.
	writer, reader *sql.DB
	stmt           statements
	wakes          wakes
}

// This is how long a call waits for other processes' transactions, which take about a millisecond
// each. The end of the call's context ends the wait.
const busyTimeout = 10 * time.Second

// Open opens the file at path. It creates the file, its folder and its tables when they are
// missing. Close it after use.
func Open(path string) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open queues: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("open queues: %w", err)
	}
	f := &File{}
	if err := f.open(context.Background(), path); err != nil {
		return nil, errors.Join(fmt.Errorf("open queues %s: %w", path, err), f.Close())
	}
	return f, nil
}

func (f *File) open(ctx context.Context, path string) (err error) {
	// NORMAL means no fsync at each commit. The operating system keeps the writes of a killed
	// process.
	f.writer, err = connect(path, url.Values{"_txlock": {"immediate"}, "_pragma": {"synchronous(NORMAL)"}})
	if err != nil {
		return err
	}
	f.writer.SetMaxOpenConns(1)
	if err := create(ctx, f.writer); err != nil {
		return err
	}
	if f.reader, err = connect(path, url.Values{"_query_only": {"true"}}); err != nil {
		return err
	}
	f.reader.SetMaxOpenConns(2)
	f.reader.SetMaxIdleConns(2)
	return f.stmt.prepare(ctx, f.writer, f.reader)
}

func connect(path string, settings url.Values) (*sql.DB, error) {
	settings.Set("_busy_timeout", strconv.FormatInt(busyTimeout.Milliseconds(), 10))
	// The path is encoded as a URL, because it may contain question marks and percent signs.
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: settings.Encode()}
	return sql.Open("sqlite", dsn.String())
}

// Close waits for calls in progress and closes the file.
func (f *File) Close() error {
	var err error
	for _, db := range []*sql.DB{f.reader, f.writer} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("close queues: %w", err)
	}
	return nil
}

// Setup creates a queue by the spec, or changes the attributes that differ. It returns
// queue.ErrNotFound when the dead-letter queue does not exist.
func (f *File) Setup(ctx context.Context, spec queue.Spec) error {
	if err := spec.Validate(); err != nil {
		return fmt.Errorf("set up queue: %w", err)
	}
	err := f.write(ctx, func(tx *sql.Tx) error {
		var deadLetters sql.NullInt64
		if spec.DeadLetterQueue != "" {
			id, err := find(queryRow(ctx, tx, f.stmt.findInTx, spec.DeadLetterQueue), spec.DeadLetterQueue)
			if err != nil {
				return err
			}
			deadLetters = sql.NullInt64{Int64: id, Valid: true}
		}
		_, err := exec(ctx, tx, f.stmt.setup, spec.Name, spec.Visibility().Milliseconds(), spec.MaxReceiveCount, deadLetters)
		return err
	})
	if err != nil {
		return fmt.Errorf("set up queue %s: %w", spec.Name, err)
	}
	return nil
}

// Queue returns the queue with this name, and queue.ErrNotFound when it does not exist.
func (f *File) Queue(ctx context.Context, name string) (*Queue, error) {
	id, err := find(f.stmt.find.QueryRowContext(ctx, name), name)
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	return &Queue{file: f, id: id, name: name}, nil
}

func find(row *sql.Row, name string) (id int64, err error) {
	err = row.Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("%w: %s", queue.ErrNotFound, name)
	}
	return id, err
}
