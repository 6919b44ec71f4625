package sqlitequeue

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Queue is one queue of a File. A request that SQS would refuse as a whole gives an error whose
// ErrorCode() is SQS's code. queue.Failure has the code of an entry.
type Queue struct {
	file *File
	id   int64
	name string
}

// SendMessageBatch sends entries, at most queue.MaxBatch and queue.MaxBatchBytes.
func (q *Queue) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	if err := queue.CheckSend(entries); err != nil {
		return nil, fmt.Errorf("send messages to %s: %w", q.name, err)
	}
	var failed []queue.Failure
	err := q.file.write(ctx, func(tx *sql.Tx) error {
		for i, e := range entries {
			if code, message := queue.Fault(e); code != "" {
				failed = append(failed, queue.Failure{Index: i, Code: code, Message: message, SenderFault: true})
				continue
			}
			if err := q.send(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("send messages to %s: %w", q.name, err)
	}
	q.file.wakes.changed(q.id)
	return failed, nil
}

func (q *Queue) send(ctx context.Context, tx *sql.Tx, e queue.Entry) error {
	attributes := ""
	if len(e.Attributes) > 0 {
		text, err := json.Marshal(e.Attributes)
		if err != nil {
			return err
		}
		attributes = string(text)
	}
	_, err := exec(ctx, tx, q.file.stmt.send, q.id, time.Now().UnixMilli(), rand.Text(), attributes, e.Body)
	return err
}

// DeleteMessageBatch deletes the messages of at most queue.MaxBatch receipts. When a message was
// received again since, it is not deleted, and the failure is ReceiptHandleIsInvalid. A message
// that is already deleted counts as deleted.
func (q *Queue) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	failed, err := q.batch(ctx, receipts, func(tx *sql.Tx, r receipt) (string, error) {
		found, err := exec(ctx, tx, q.file.stmt.remove, r.id, q.id, r.received)
		if found > 0 || err != nil {
			return "", err
		}
		_, code, err := q.look(ctx, tx, r)
		return code, err
	})
	if err != nil {
		return nil, fmt.Errorf("delete messages of %s: %w", q.name, err)
	}
	return failed, nil
}

// ChangeMessageVisibilityBatch sets the visibility timeout of the messages of at most
// queue.MaxBatch receipts, from now, to at most queue.MaxVisibility. With 0 they are visible at
// once. A message that is no longer in flight is not changed and is a failure.
func (q *Queue) ChangeMessageVisibilityBatch(
	ctx context.Context, receipts []string, timeout time.Duration,
) ([]queue.Failure, error) {
	if err := queue.CheckVisibility(timeout); err != nil {
		return nil, fmt.Errorf("change visibility of messages of %s: %w", q.name, err)
	}
	failed, err := q.batch(ctx, receipts, func(tx *sql.Tx, r receipt) (string, error) {
		now := time.Now()
		found, err := exec(ctx, tx, q.file.stmt.change,
			now.Add(timeout).UnixMilli(), r.id, q.id, r.received, now.UnixMilli())
		if found > 0 || err != nil {
			return "", err
		}
		exists, code, err := q.look(ctx, tx, r)
		switch {
		case code != "" || err != nil:
			return code, err
		case exists:
			return queue.CodeNotInFlight, nil
		}
		return queue.CodeInvalidValue, nil // SQS's code for a message that does not exist
	})
	if err != nil {
		return nil, fmt.Errorf("change visibility of messages of %s: %w", q.name, err)
	}
	if timeout == 0 {
		q.file.wakes.changed(q.id)
	}
	return failed, nil
}

// batch calls do for the message of each receipt, in one transaction. do returns the code of its
// failure, or "".
func (q *Queue) batch(
	ctx context.Context, receipts []string, do func(tx *sql.Tx, r receipt) (code string, err error),
) (failed []queue.Failure, err error) {
	if err := queue.CheckCount(len(receipts)); err != nil {
		return nil, err
	}
	err = q.file.write(ctx, func(tx *sql.Tx) error {
		for i, text := range receipts {
			r, ok := parseReceipt(text)
			code := queue.CodeInvalidReceipt
			if ok && r.queue == q.id {
				var err error
				if code, err = do(tx, r); err != nil {
					return err
				}
			}
			if code != "" {
				message := fmt.Sprintf("receipt %q: %s", text, why[code])
				failed = append(failed, queue.Failure{Index: i, Code: code, Message: message, SenderFault: true})
			}
		}
		return nil
	})
	return failed, err
}

var why = map[string]string{
	queue.CodeInvalidReceipt: "it is not of the message's last receive from this queue",
	queue.CodeNotInFlight:    "the message's visibility timeout has ended",
	queue.CodeInvalidValue:   "the message does not exist",
}

// look finds out why a receipt changed nothing: the message does not exist, or it was received
// again (with the code for that), or neither.
func (q *Queue) look(ctx context.Context, tx *sql.Tx, r receipt) (exists bool, code string, err error) {
	var received int64
	err = queryRow(ctx, tx, q.file.stmt.look, r.id, q.id).Scan(&received)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, "", nil
	case err == nil && received != r.received:
		return true, queue.CodeInvalidReceipt, nil
	}
	return true, "", err
}

// GetQueueAttributes returns the queue's settings, and exact counts of its messages.
func (q *Queue) GetQueueAttributes(ctx context.Context) (a queue.Attributes, err error) {
	var visibility int64
	err = q.file.stmt.attributes.QueryRowContext(ctx, time.Now().UnixMilli(), q.id).
		Scan(&visibility, &a.MaxReceiveCount, &a.DeadLetterQueue, &a.Visible, &a.InFlight)
	if err != nil {
		return queue.Attributes{}, fmt.Errorf("get attributes of queue %s: %w", q.name, err)
	}
	a.VisibilityTimeout = time.Duration(visibility) * time.Millisecond
	return a, nil
}

// This many messages are deleted in one transaction of a purge, so that other calls do not wait
// long.
const purgeBatch = 2000

// PurgeQueue deletes all messages in the queue.
func (q *Queue) PurgeQueue(ctx context.Context) error {
	var last int64
	err := q.file.stmt.last.QueryRowContext(ctx).Scan(&last)
	for found := int64(purgeBatch); found == purgeBatch && err == nil; {
		err = q.file.write(ctx, func(tx *sql.Tx) (err error) {
			found, err = exec(ctx, tx, q.file.stmt.purge, q.id, last, purgeBatch)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("purge queue %s: %w", q.name, err)
	}
	return nil
}
