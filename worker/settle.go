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
	"github.com/angel-nft/google-shuffle/messages"
)

// settler lets go of deliveries that have their ending: tells the others, and then the queue. It starts no goroutine.
type settler struct {
	id      string
	scope   string
	tasks   Tasks
	results Sender
	deads   Sender
	hand    *hand
	log     *zap.Logger
}

// Bounds of one results message: far below SQS's 1 MiB, so that it is billed as few requests of 64 KiB.
const (
	maxResults     = 500
	maxResultBytes = 200_000
)

// bury sends deliveries to the dead-letter queue and gives back those that are there now. The others stay in the tasks
// queue and come again.
func (s *settler) bury(ctx context.Context, batch []*delivery) []*delivery {
	return s.send(ctx, s.deads, batch, func(d *delivery) queue.Entry {
		e := queue.Entry{Body: d.msg.Body, Attributes: map[string]string{
			messages.AttrReason:   attribute(d.ending.reason, maxReason),
			messages.AttrCode:     attribute(d.ending.code, maxCode),
			messages.AttrAttempts: strconv.Itoa(d.msg.ReceiveCount),
			messages.AttrWorker:   attribute(s.id, maxCode),
		}}
		if e.Size() > queue.MaxBatchBytes {
			e.Attributes = nil // the message is more than its reason, and would never leave the tasks queue with it
		}
		return e
	})
}

// attribute is a text as SQS takes it for an attribute, which must not be empty.
func attribute(s string, most int) string {
	if s = plain(s, most); s == "" {
		return "-"
	}
	return s
}

// send sends one message for each delivery and gives back the deliveries whose message was sent. It lets go of the others:
// their visibility timeout brings them back.
func (s *settler) send(ctx context.Context, q Sender, batch []*delivery, entry func(*delivery) queue.Entry) []*delivery {
	entries := make([]queue.Entry, len(batch))
	for i, d := range batch {
		entries[i] = entry(d)
	}
	return s.sendGroups(ctx, q, entries, func(i int) []*delivery { return batch[i : i+1] })
}

// sendGroups sends entries, of which each stands for a group of deliveries. When they cannot be sent together, each is
// tried alone, so that one which the queue refuses holds up no other.
func (s *settler) sendGroups(ctx context.Context, q Sender, entries []queue.Entry, group func(int) []*delivery) (sent []*delivery) {
	all := queue.SendAll(ctx, q, entries)
	for i := range entries {
		err := all
		if err != nil && len(entries) > 1 {
			err = queue.SendAll(ctx, q, entries[i:i+1])
		}
		if err == nil {
			sent = append(sent, group(i)...)
			continue
		}
		s.log.Error("cannot send a message; its tasks will be delivered again", zap.Int("tasks", len(group(i))), zap.Error(err))
		for _, d := range group(i) {
			s.hand.drop(d)
		}
	}
	return sent
}

// report sends the results of deliveries, many a message, and gives back those whose result was sent.
func (s *settler) report(ctx context.Context, batch []*delivery) []*delivery {
	groups := groupByRun(batch)
	entries := make([]queue.Entry, len(groups))
	for i, group := range groups {
		entries[i] = queue.Entry{Body: s.resultsOf(group).Encode()}
	}
	return s.sendGroups(ctx, s.results, entries, func(i int) []*delivery { return groups[i] })
}

func (s *settler) resultsOf(group []*delivery) messages.Results {
	r := messages.Results{V: messages.Version, Run: group[0].task.Run, Gen: group[0].task.Gen, Worker: s.id, Scope: s.scope}
	r.Results = make([]messages.Result, len(group))
	for i, d := range group {
		r.Results[i] = d.result()
	}
	return r
}

// groupByRun divides deliveries by the run that their results go to. Nearly always that is one run.
func groupByRun(batch []*delivery) (groups [][]*delivery) {
	for _, d := range batch {
		i := slices.IndexFunc(groups, func(g []*delivery) bool { return g[0].task.Run == d.task.Run && g[0].task.Gen == d.task.Gen })
		if i < 0 {
			groups = append(groups, make([]*delivery, 0, len(batch)))
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// resultWeight is about how long a delivery's result is in JSON, so that a message stays within maxResultBytes.
func resultWeight(d *delivery) int {
	const fields = 100
	return max(maxResultBytes/maxResults, fields+len(d.etag)+len(d.copied)+2*min(len(d.ending.reason), maxReason))
}

// deleteTries bounds how often an acknowledgement is tried.
const deleteTries = 3

// acknowledge deletes messages from the tasks queue, at most queue.MaxBatch of them, and lets go of them. It is the last
// step of every task: the bucket has changed and the result is sent (or the dead-letter queue has the message), so
// nothing is lost when the message goes. A message that cannot be deleted comes again, and then finds its work done.
func (s *settler) acknowledge(ctx context.Context, batch []*delivery) {
	left := batch
	for try := 0; len(left) > 0 && try < deleteTries; try++ {
		if try > 0 && !sleep(ctx, jitter(100*time.Millisecond, try, time.Second), nil) {
			break
		}
		failed, err := s.tasks.DeleteMessageBatch(ctx, receipts(left))
		if err == nil {
			left = failures(left, failed)
		}
		if try == deleteTries-1 && len(left) > 0 {
			s.log.Warn("cannot delete messages; they will be delivered again", zap.Int("messages", len(left)), zap.Error(err), zap.Any("failed", failed))
		}
	}
	for _, d := range batch {
		s.hand.drop(d)
	}
}

// giveBack makes messages visible again when their delay is over, and lets go of them. Nothing is acknowledged: what was
// done of the task is done again by whoever gets it next.
func (s *settler) giveBack(ctx context.Context, batch []*delivery) {
	byDelay := make(map[time.Duration][]*delivery)
	for _, d := range batch {
		s.hand.drop(d) // before the change, so that no heartbeat comes after it
		byDelay[d.ending.delay] = append(byDelay[d.ending.delay], d)
	}
	for _, delay := range slices.Sorted(maps.Keys(byDelay)) {
		for tens := range slices.Chunk(byDelay[delay], queue.MaxBatch) {
			failed, err := s.tasks.ChangeMessageVisibilityBatch(ctx, receipts(tens), delay)
			if err != nil || len(failed) > 0 {
				s.log.Warn("cannot give messages back; they will be delivered again when their visibility timeout ends",
					zap.Int("messages", len(tens)), zap.Error(err), zap.Any("failed", failed))
			}
		}
	}
}

// extend begins the visibility timeout of messages anew, at most queue.MaxBatch of them, and gives back those to try again soon.
func (s *settler) extend(ctx context.Context, batch []*delivery, visibility time.Duration) (again []*delivery) {
	failed, err := s.tasks.ChangeMessageVisibilityBatch(ctx, receipts(batch), visibility)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			s.log.Warn("cannot extend the visibility of messages in hand", zap.Int("messages", len(batch)), zap.Error(err))
		}
		return batch
	}
	for _, f := range failed {
		// Most likely the receipt is of a delivery that has run out. Somebody else may have the task too now, which is harmless.
		s.log.Warn("cannot extend the visibility of a message in hand", zap.String("run", batch[f.Index].task.Run),
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

// failures picks the deliveries that failed in a batch. A receipt that is no longer good is no failure to try again.
func failures(batch []*delivery, failed []queue.Failure) (left []*delivery) {
	for _, f := range failed {
		if !f.SenderFault {
			left = append(left, batch[f.Index])
		}
	}
	return left
}
