package sqlitequeue

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// This is how often a waiting receive looks for messages of other processes and for messages that
// became visible. A look is an index lookup of about 50 µs without a lock. Asking SQLite first
// whether the file has changed (PRAGMA data_version) costs as much.
const lookEvery = 25 * time.Millisecond

// ReceiveMessage receives 1 to limit messages, at most queue.MaxBatch. It takes those that have
// been visible longest. It waits for the first one for at most wait, up to queue.MaxWait. An empty
// result is not an error. An error, such as that of an ended ctx, means that no message was
// received and none became invisible.
func (q *Queue) ReceiveMessage(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error) {
	err := queue.CheckReceive(limit, wait)
	if err != nil {
		return nil, fmt.Errorf("receive messages from %s: %w", q.name, err)
	}
	messages, err := q.poll(ctx, limit, wait)
	if err != nil {
		return nil, fmt.Errorf("receive messages from %s: %w", q.name, err)
	}
	return messages, nil
}

func (q *Queue) poll(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	end := time.NewTimer(wait)
	defer end.Stop()
	for {
		// It subscribes before the look, so that it does not miss a message sent after the look.
		changed := q.file.wakes.next(q.id)
		messages, err := q.receive(ctx, limit)
		if err != nil || len(messages) > 0 || wait == 0 {
			return messages, err
		}
		select {
		case <-changed:
		case <-look.C:
		case <-end.C:
			wait = 0 // one last look
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// receive receives messages that are visible now. It takes the write lock only when there are any.
func (q *Queue) receive(ctx context.Context, limit int) ([]queue.Message, error) {
	for {
		var due bool
		err := q.file.stmt.due.QueryRowContext(ctx, q.id, time.Now().UnixMilli()).Scan(&due)
		if err != nil || !due {
			return nil, cause(ctx, err)
		}
		messages, more, err := q.take(ctx, limit)
		if err != nil || len(messages) > 0 || !more {
			return messages, err
		}
	}
}

// take is the transaction of a receive. It moves messages that used up their receives to the
// dead-letter queue. If it moved all of them, there may be others to receive.
func (q *Queue) take(ctx context.Context, limit int) (messages []queue.Message, more bool, err error) {
	var visibility int64
	var maxReceiveCount int
	var deadLetters sql.NullInt64
	err = q.file.write(ctx, func(tx *sql.Tx) error {
		// They are read at each receive, because another process may have changed them.
		if err := queryRow(ctx, tx, q.file.stmt.policy, q.id).Scan(&visibility, &maxReceiveCount, &deadLetters); err != nil {
			return err
		}
		taken, err := q.hide(ctx, tx, time.Duration(visibility)*time.Millisecond, limit)
		if err != nil {
			return err
		}
		for _, m := range taken {
			// SQS's rule: instead of the receive after the last allowed one, the message is moved.
			if !deadLetters.Valid || m.ReceiveCount <= maxReceiveCount {
				messages = append(messages, m.Message)
				continue
			}
			more = true
			if err := q.toDeadLetters(ctx, tx, deadLetters.Int64, m); err != nil {
				return err
			}
		}
		return nil
	})
	if more && err == nil {
		q.file.wakes.changed(deadLetters.Int64)
	}
	return messages, more, err
}

type taken struct {
	queue.Message
	id int64
}

// hide makes the messages that have been visible longest invisible, and counts the receive. It
// returns them in the order in which they were sent. In this order they are moved to the
// dead-letter queue.
func (q *Queue) hide(ctx context.Context, tx *sql.Tx, visibility time.Duration, limit int) ([]taken, error) {
	now := time.Now()
	all, err := q.visible(ctx, tx, now, limit)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ids := make([]int64, len(all))
	for i := range all {
		ids[i] = all[i].id
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	_, err = exec(ctx, tx, q.file.stmt.hide, now.Add(visibility).UnixMilli(), string(list))
	slices.SortFunc(all, func(a, b taken) int { return cmp.Compare(a.id, b.id) })
	return all, err
}

// visible reads the messages that have been visible longest, as they will be after this receive.
func (q *Queue) visible(ctx context.Context, tx *sql.Tx, now time.Time, limit int) (all []taken, err error) {
	rows, err := query(ctx, tx, q.file.stmt.visible, q.id, now.UnixMilli(), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells.
	for rows.Next() {
		var m taken
		var visibleAt int64
		var attributes string
		if err := rows.Scan(&m.id, &visibleAt, &m.ReceiveCount, &m.ID, &attributes, &m.Body); err != nil {
			return nil, err
		}
		if m.ReceiveCount == 0 { // so it has been visible since it was sent
			m.Waited = now.Sub(time.UnixMilli(visibleAt))
		}
		m.ReceiveCount++
		if attributes != "" {
			if err := json.Unmarshal([]byte(attributes), &m.Attributes); err != nil {
				return nil, fmt.Errorf("attributes of message %s: %w", m.ID, err)
			}
		}
		m.Receipt = receipt{queue: q.id, id: m.id, received: int64(m.ReceiveCount)}.String()
		all = append(all, m)
	}
	return all, rows.Err()
}

// toDeadLetters moves a message as SQS does: with its ID, body, attributes and receive count. The
// count includes the receives from all queues (API, ReceiveMessage), but not the receive that
// causes the move.
func (q *Queue) toDeadLetters(ctx context.Context, tx *sql.Tx, deadLetters int64, m taken) error {
	_, err := exec(ctx, tx, q.file.stmt.toDeadLetters, deadLetters, time.Now().UnixMilli(), m.id)
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, q.file.stmt.remove, m.id, q.id, m.ReceiveCount)
	return err
}
