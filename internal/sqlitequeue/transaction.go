package sqlitequeue

import (
	"context"
	"database/sql"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// write runs do in a transaction that takes the write lock at its start. A transaction that reads
// first and locks later fails when another process writes in between. The transaction is short,
// because a process that is stopped inside it (SIGSTOP) blocks the others.
func (f *File) write(ctx context.Context, do func(tx *sql.Tx) error) error {
	err := f.writeOnce(ctx, do)
	var refused *sqlite.Error
	if errors.As(err, &refused) && refused.Code()&0xff == sqlite3.SQLITE_READONLY {
		// A connection that was opened while the file could not be written stays read-only. The
		// next call gets a new one.
		f.writer.SetMaxIdleConns(0)
		f.writer.SetMaxIdleConns(1)
	}
	return err
}

func (f *File) writeOnce(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err = do(tx); err == nil {
		err = tx.Commit()
	} else if undone := tx.Rollback(); !errors.Is(undone, sql.ErrTxDone) {
		err = errors.Join(err, undone)
	}
	return cause(ctx, err)
}

// cause returns ctx's error when ctx has ended. The end of ctx rolls the transaction back and
// closes its statements at any moment, so do fails with many different errors.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// exec runs a prepared statement in a transaction, and returns the number of changed rows.
func exec(ctx context.Context, tx *sql.Tx, stmt *sql.Stmt, args ...any) (int64, error) {
	//nolint:sqlclosecheck // The end of the transaction closes it.
	result, err := tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func queryRow(ctx context.Context, tx *sql.Tx, stmt *sql.Stmt, args ...any) *sql.Row {
	//nolint:sqlclosecheck // The end of the transaction closes it.
	return tx.StmtContext(ctx, stmt).QueryRowContext(ctx, args...)
}

func query(ctx context.Context, tx *sql.Tx, stmt *sql.Stmt, args ...any) (*sql.Rows, error) {
	//nolint:sqlclosecheck // The end of the transaction closes it.
	return tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
}
