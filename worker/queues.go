package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/messages"
)

const (
	// A results message stays below 64 KiB, because SQS bills each 64 KiB as a request. Tasks that
	// wait for larger ones would leave turns without a task.
	maxResults     = 150
	maxResultBytes = 60_000

	acknowledgeTries = 3
)

// sendDeadLetters sends messages to the dead-letter queue, with the reasons. It returns those that
// could not be sent. They are delivered again after their visibility timeout.
func (w *Worker) sendDeadLetters(ctx context.Context, batch []*delivery) map[*delivery]error {
	entries, groups := make([]queue.Entry, len(batch)), make([][]*delivery, len(batch))
	for i, d := range batch {
		entries[i] = queue.Entry{Body: d.msg.Body, Attributes: map[string]string{
			messages.AttrReason:   attribute(d.disposition.reason, maxReason),
			messages.AttrCode:     attribute(d.disposition.code, maxCode),
			messages.AttrAttempts: strconv.Itoa(d.msg.ReceiveCount),
			messages.AttrWorker:   attribute(w.cfg.ID, maxCode),
		}}
		if entries[i].Size() > queue.MaxBatchBytes {
			entries[i].Attributes = nil // with attributes the message would exceed the size limit
		}
		groups[i] = batch[i : i+1]
	}
	return w.send(ctx, w.cfg.DeadLetters, entries, groups)
}

// attribute makes text fit for an SQS attribute, which must not be empty.
func attribute(s string, most int) string {
	if s = plain(s, most); s == "" {
		return "-"
	}
	return s
}

// sendResults sends the results of tasks, many in a message, and one message for each run. It
// returns the tasks whose result could not be sent.
func (w *Worker) sendResults(ctx context.Context, batch []*delivery) map[*delivery]error {
	var groups [][]*delivery
	var bodies []messages.Results
	for _, d := range batch {
		i := slices.IndexFunc(bodies, func(r messages.Results) bool { return r.Run == d.task.Run && r.Gen == d.task.Gen })
		if i < 0 {
			i = len(groups)
			groups = append(groups, nil)
			bodies = append(bodies, messages.Results{V: messages.Version, Run: d.task.Run, Gen: d.task.Gen, Worker: w.cfg.ID, Scope: w.cfg.Scope})
		}
		groups[i], bodies[i].Results = append(groups[i], d), append(bodies[i].Results, d.result())
		bodies[i].WaitedSeconds = max(bodies[i].WaitedSeconds, int64(d.msg.Waited/time.Second))
	}
	bodies[0].Throttled = w.count.unreported.Swap(0) // of all runs: only the dashboard reads it
	entries := make([]queue.Entry, len(bodies))
	for i := range bodies {
		entries[i].Body = bodies[i].Encode()
	}
	return w.send(ctx, w.cfg.Results, entries, groups)
}

// send sends entries, each for a group of deliveries. When the queue refuses them together, send
// tries each alone, so that one bad entry does not block the others.
func (w *Worker) send(ctx context.Context, q Sender, entries []queue.Entry, groups [][]*delivery) (failed map[*delivery]error) {
	all := queue.SendAll(ctx, q, entries)
	if all == nil {
		return nil
	}
	failed = map[*delivery]error{}
	for i, group := range groups {
		err := all
		if len(entries) > 1 {
			err = queue.SendAll(ctx, q, entries[i:i+1])
		}
		if err != nil {
			w.log.Error("cannot send a message; its tasks will be delivered again", zap.Int("tasks", len(group)), zap.Error(err))
			maps.Copy(failed, allFailed(group, err))
		}
	}
	return failed
}

// resultWeight estimates the length of a delivery's result in JSON, so that a message stays within
// maxResultBytes.
func resultWeight(d *delivery) int {
	const fields = 100
	return max(maxResultBytes/maxResults, fields+len(d.etag)+len(d.copied)+2*min(len(d.disposition.reason), maxReason))
}

// acknowledge deletes at most queue.MaxBatch messages from the tasks queue. A message that cannot
// be deleted is delivered again, and its task then has no effect.
func (w *Worker) acknowledge(ctx context.Context, batch []*delivery) map[*delivery]error {
	for try := 0; len(batch) > 0 && try < acknowledgeTries; try++ {
		if try > 0 && retry.Sleep(ctx, retry.Backoff(100*time.Millisecond, try, time.Second)) != nil {
			break
		}
		w.count.request(deleteMessageBatch)
		failed, err := w.cfg.Tasks.DeleteMessageBatch(ctx, receipts(batch))
		if err == nil {
			var left []*delivery
			for _, f := range failed {
				// Else the receipt handle has expired, and another try fails too.
				if !f.SenderFault {
					left = append(left, batch[f.Index])
				}
			}
			batch = left
		}
		if try == acknowledgeTries-1 && len(batch) > 0 {
			w.log.Warn("cannot delete messages; they will be delivered again", zap.Int("messages", len(batch)), zap.Error(err), zap.Any("failed", failed))
		}
	}
	return nil
}

// giveBack returns messages to the queue: they are visible again when their delay is over.
func (w *Worker) giveBack(ctx context.Context, batch []*delivery) map[*delivery]error {
	byDelay := map[time.Duration][]*delivery{}
	for _, d := range batch {
		w.inFlight.remove(d) // before the change, so that no heartbeat follows it
		byDelay[d.disposition.delay] = append(byDelay[d.disposition.delay], d)
	}
	for _, delay := range slices.Sorted(maps.Keys(byDelay)) {
		for tens := range slices.Chunk(byDelay[delay], queue.MaxBatch) {
			w.count.request(changeVisibilityBatch)
			failed, err := w.cfg.Tasks.ChangeMessageVisibilityBatch(ctx, receipts(tens), delay)
			if err != nil || len(failed) > 0 {
				w.log.Warn("cannot give messages back; they will be delivered again when their visibility timeout ends",
					zap.Int("messages", len(tens)), zap.Error(err), zap.Any("failed", failed))
			}
		}
	}
	return nil
}

// extend restarts the visibility timeout of at most queue.MaxBatch messages. It returns those to
// try again soon.
func (w *Worker) extend(ctx context.Context, batch []*delivery) (again []*delivery) {
	w.count.request(changeVisibilityBatch)
	failed, err := w.cfg.Tasks.ChangeMessageVisibilityBatch(ctx, receipts(batch), w.cfg.Visibility)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			w.log.Warn("cannot extend the visibility of messages in flight", zap.Int("messages", len(batch)), zap.Error(err))
		}
		return batch
	}
	for _, f := range failed {
		// Most likely the visibility timeout has ended. Another worker may have received the task
		// too, which is harmless.
		w.log.Warn("cannot extend the visibility of a message in flight", zap.String("run", batch[f.Index].task.Run),
			zap.Uint32("seq", batch[f.Index].task.Seq), zap.String("code", f.Code), zap.String("error", f.Message))
		if !f.SenderFault {
			again = append(again, batch[f.Index])
		}
	}
	return again
}

func receipts(batch []*delivery) []string {
	r := make([]string, len(batch))
	for i, d := range batch {
		r[i] = d.msg.Receipt
	}
	return r
}
