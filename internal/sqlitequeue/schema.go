package sqlitequeue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/angel-nft/google-shuffle/internal/retry"
)

// The version of the schema, in the file's user_version.
const schemaVersion = 1

// AUTOINCREMENT never uses the number of a deleted message again, so a receipt can never mean
// another message. Times are milliseconds since 1970. A message is in flight while now <
// visible_at.
const schema = `
CREATE TABLE queue (
	id                INTEGER PRIMARY KEY,
	name              TEXT    NOT NULL UNIQUE,
	visibility_ms     INTEGER NOT NULL,
	max_receive_count INTEGER NOT NULL,
	dead_letter_queue INTEGER REFERENCES queue (id)
) STRICT;
CREATE TABLE message (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	queue      INTEGER NOT NULL REFERENCES queue (id),
	visible_at INTEGER NOT NULL,
	received   INTEGER NOT NULL,
	message_id TEXT    NOT NULL,
	attributes TEXT    NOT NULL,
	body       TEXT    NOT NULL
) STRICT;
CREATE INDEX message_due ON message (queue, visible_at);
`

// create creates the tables in the file. Other processes may do the same at the same time.
func create(ctx context.Context, db *sql.DB) error {
	if err := useWAL(ctx, db); err != nil {
		return fmt.Errorf("use the write-ahead log: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := createTables(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// useWAL changes the journal to WAL, with retries. The busy timeout does not cover this: SQLite
// refuses at once to change the journal of a file that another process has just opened.
func useWAL(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	for {
		_, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		var refused *sqlite.Error
		if !errors.As(err, &refused) || refused.Code()&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		if retry.Sleep(ctx, 5*time.Millisecond) != nil {
			return err
		}
	}
}

func createTables(ctx context.Context, tx *sql.Tx) error {
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch version {
	case schemaVersion:
		return nil
	case 0:
		_, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d", schemaVersion))
		return err
	}
	return fmt.Errorf("the file has version %d, this program knows version %d", version, schemaVersion)
}

// statements are prepared once, because parsing takes longer than running them. They are closed
// with their connections.
type statements struct {
	setup, findInTx, policy, send, visible, hide, toDeadLetters, remove, change, look, purge *sql.Stmt // of the writer
	find, due, attributes, last                                                              *sql.Stmt // of the reader
}

func (s *statements) prepare(ctx context.Context, writer, reader *sql.DB) (err error) {
	const find = `SELECT id FROM queue WHERE name = ?`
	for _, p := range []struct {
		to  **sql.Stmt
		db  *sql.DB
		sql string
	}{
		{&s.setup, writer, `INSERT INTO queue (name, visibility_ms, max_receive_count, dead_letter_queue) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET visibility_ms = excluded.visibility_ms,
			max_receive_count = excluded.max_receive_count, dead_letter_queue = excluded.dead_letter_queue`},
		{&s.findInTx, writer, find},
		{&s.policy, writer, `SELECT visibility_ms, max_receive_count, dead_letter_queue FROM queue WHERE id = ?`},
		{&s.send, writer, `INSERT INTO message (queue, visible_at, received, message_id, attributes, body)
			VALUES (?, ?, 0, ?, ?, ?)`},
		{&s.visible, writer, `SELECT id, visible_at, received, message_id, attributes, body FROM message
			WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?`},
		{&s.hide, writer, `UPDATE message SET visible_at = ?, received = received + 1 WHERE id IN (SELECT value FROM json_each(?))`},
		{&s.toDeadLetters, writer, `INSERT INTO message (queue, visible_at, received, message_id, attributes, body)
			SELECT ?, ?, received - 1, message_id, attributes, body FROM message WHERE id = ?`},
		{&s.remove, writer, `DELETE FROM message WHERE id = ? AND queue = ? AND received = ?`},
		{&s.change, writer, `UPDATE message SET visible_at = ? WHERE id = ? AND queue = ? AND received = ? AND visible_at > ?`},
		{&s.look, writer, `SELECT received FROM message WHERE id = ? AND queue = ?`},
		{&s.purge, writer, `DELETE FROM message WHERE id IN (SELECT id FROM message WHERE queue = ? AND id <= ? LIMIT ?)`},
		{&s.find, reader, find},
		{&s.due, reader, `SELECT EXISTS (SELECT 1 FROM message WHERE queue = ? AND visible_at <= ?)`},
		{&s.last, reader, `SELECT ifnull(max(id), 0) FROM message`},
		{&s.attributes, reader, `SELECT q.visibility_ms, q.max_receive_count, ifnull(d.name, ''),
			(SELECT count(*) FROM message WHERE queue = q.id AND visible_at <= ?1),
			(SELECT count(*) FROM message WHERE queue = q.id AND visible_at > ?1)
			FROM queue q LEFT JOIN queue d ON d.id = q.dead_letter_queue WHERE q.id = ?2`},
	} {
		//nolint:sqlclosecheck // Close of the File closes it.
		if *p.to, err = p.db.PrepareContext(ctx, p.sql); err != nil {
			return fmt.Errorf("prepare %q: %w", p.sql, err)
		}
	}
	return nil
}
