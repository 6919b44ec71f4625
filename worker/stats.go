package worker

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// Stats is what a worker has done since it began, and where it stands.
type Stats struct {
	Received int64                      // messages, without those of other environments
	Foreign  int64                      // messages of other environments
	Outcomes map[messages.Outcome]int64 // deliveries by outcome
	Unfit    int64                      // messages that are no task of this program
	Retried  int64                      // deliveries that went back to the queue because of a transient error
	GivenUp  int64                      // deliveries that went back to the queue because the worker stopped
	// Throttled counts the answers by which the bucket asked for fewer requests.
	Throttled int64
	// Requests counts what was sent, by the names of the calls: "CopyObject", "ReceiveMessage".
	Requests map[string]int64

	InHand int     // messages received and not let go of yet
	Rate   float64 // writes a second that the bucket takes, once it has refused one; else 0
}

// call is a kind of request.
type call uint8

const (
	copyObject call = iota
	headObject
	deleteObjects
	receiveMessage
	sendMessageBatch
	deleteMessageBatch
	changeVisibilityBatch
	calls
)

var callNames = [calls]string{
	"CopyObject", "HeadObject", "DeleteObjects",
	"ReceiveMessage", "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch",
}

// counters are what Stats is made of.
type counters struct {
	received, foreign, unfit, retried, givenUp, throttled atomic.Int64

	requests [calls]atomic.Int64
	outcomes [6]atomic.Int64 // in the order of messages.Outcomes
}

func (c *counters) request(kind call) { c.requests[kind].Add(1) }

// ended counts a delivery that has its ending.
func (c *counters) ended(d *delivery) {
	if d.foreign {
		c.foreign.Add(1)
		return
	}
	switch e := d.ending; {
	case e.how == ignored:
		return
	case e.how == unfit:
		c.unfit.Add(1)
	case e.how == returned && e.delay > 0:
		c.retried.Add(1)
	case e.how == returned:
		c.givenUp.Add(1)
	default:
		for i, o := range messages.Outcomes {
			if o == e.outcome {
				c.outcomes[i].Add(1)
			}
		}
	}
}

// Stats may be called at any time.
func (w *Worker) Stats() Stats {
	c := w.count
	s := Stats{
		Received: c.received.Load(), Foreign: c.foreign.Load(), Unfit: c.unfit.Load(), Retried: c.retried.Load(), GivenUp: c.givenUp.Load(),
		Throttled: c.throttled.Load(),
		Outcomes:  make(map[messages.Outcome]int64, len(messages.Outcomes)),
		Requests:  make(map[string]int64, len(callNames)),
		InHand:    w.hand.size(), Rate: w.limits.knownRate(),
	}
	for i, o := range messages.Outcomes {
		s.Outcomes[o] = c.outcomes[i].Load()
	}
	for i, name := range callNames {
		s.Requests[name] = c.requests[i].Load()
	}
	return s
}

// fields are the stats of a log line.
func (s Stats) fields() []zap.Field {
	return []zap.Field{
		zap.Int64("received", s.Received), zap.Int64("foreign", s.Foreign), zap.Any("outcomes", s.Outcomes), zap.Int64("unfit", s.Unfit),
		zap.Int64("retried", s.Retried), zap.Int64("given_up", s.GivenUp), zap.Int64("throttled", s.Throttled),
		zap.Any("requests", s.Requests), zap.Int("in_hand", s.InHand), zap.Float64("rate", s.Rate),
	}
}

// countedTasks and countedSender count the requests to the queues.
type countedTasks struct {
	Tasks
	count *counters
}

func (t countedTasks) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	t.count.request(receiveMessage)
	return t.Tasks.ReceiveMessage(ctx, most, wait)
}

func (t countedTasks) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	t.count.request(deleteMessageBatch)
	return t.Tasks.DeleteMessageBatch(ctx, receipts)
}

func (t countedTasks) ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error) {
	t.count.request(changeVisibilityBatch)
	return t.Tasks.ChangeMessageVisibilityBatch(ctx, receipts, timeout)
}

type countedSender struct {
	Sender
	count *counters
}

func (s countedSender) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	s.count.request(sendMessageBatch)
	return s.Sender.SendMessageBatch(ctx, entries)
}
