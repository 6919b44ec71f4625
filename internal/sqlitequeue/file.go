// Package sqlitequeue is the queue port on a SQLite file: visibility timeout, receive count, dead-letter redrive and
// long poll as in SQS, for the processes of one machine. (SQLite's write-ahead log needs shared memory, so the file
// must not lie on a network file system.)
//
// A process that is killed loses nothing that a call has confirmed, and what it had in hand comes back after the
// visibility timeout. A power failure may take back the last confirmed calls, never the file's consistency: a
// message may be delivered again or be missing, as after a purge.
//
// Times are the machine's wall clock. When it is set back by a minute, messages may stay hidden for a minute longer.
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

// File holds named queues. It is safe for concurrent use, as are its queues.
type File struct {
	// All writes go through one connection: SQLite has one writer at a time anyway, and waiting for one's turn in
	// the pool is fair, while waiting for a file lock is not. Readers are never blocked by a writer.
	writer, reader *sql.DB
	stmt           statements
	wakes          wakes
}

// How long a call waits for other processes' transactions, each of which takes about a millisecond. The call's context
// ends the wait sooner.
const busyTimeout = 10 * time.Second

// Open opens the file at path, and creates it, its folder and its tables when missing. Close it after use.
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
	// NORMAL: no fsync with each commit. The operating system keeps what a killed process has written.
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
	// As a URL, a path may hold question marks and percent signs.
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: settings.Encode()}
	return sql.Open("sqlite", dsn.String())
}

// Close ends the use of the file. Calls in progress end first.
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

// Setup creates a queue as spec says, or changes it where it differs. queue.ErrNotFound: the dead-letter queue does not
// exist.
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

// Queue is the queue of that name; queue.ErrNotFound when it has not been set up.
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
