package worker

import (
	"context"
	"slices"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// Stats is what a worker has done since it started, and its present state.
type Stats struct {
	Received int64                      // messages, without those of other environments
	Foreign  int64                      // messages of other environments
	Outcomes map[messages.Outcome]int64 // deliveries by outcome
	Rejected int64                      // messages that are no task of this program
	Retried  int64                      // deliveries that went back to the queue because of a transient error
	Stopped  int64                      // deliveries that went back to the queue because the worker stopped
	// Throttled counts the answers 503 SlowDown and similar ones.
	Throttled int64
	// Requests counts the requests by API call: "CopyObject", "ReceiveMessage".
	Requests map[string]int64

	InFlight int     // messages received and neither acknowledged nor returned
	Rate     float64 // writes a second that the bucket accepts; 0 until it has refused one
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

// counters are the source of Stats.
type counters struct {
	received, foreign, rejected, retried, stopped, throttled atomic.Int64

	unreported atomic.Int64 // of throttled, those that no results message has yet

	requests [calls]atomic.Int64
	outcomes [6]atomic.Int64 // in the order of messages.Outcomes
}

func (c *counters) request(kind call) { c.requests[kind].Add(1) }

// refused counts a throttled request of a task.
func (c *counters) refused() {
	c.throttled.Add(1)
	c.unreported.Add(1)
}

// concluded counts a delivery that has its disposition.
func (c *counters) concluded(d *delivery) {
	switch end := d.disposition; {
	case d.foreign():
		c.foreign.Add(1)
	case end.action == rejected:
		c.rejected.Add(1)
	case end.action == returned && end.delay > 0:
		c.retried.Add(1)
	case end.action == returned:
		c.stopped.Add(1)
	case end.action != ignored:
		c.outcomes[slices.Index(messages.Outcomes[:], end.outcome)].Add(1)
	}
}

// Stats may be called at any time.
func (w *Worker) Stats() Stats {
	c := w.count
	s := Stats{
		Received: c.received.Load(), Foreign: c.foreign.Load(), Rejected: c.rejected.Load(), Retried: c.retried.Load(), Stopped: c.stopped.Load(),
		Throttled: c.throttled.Load(),
		Outcomes:  make(map[messages.Outcome]int64, len(messages.Outcomes)),
		Requests:  make(map[string]int64, len(callNames)),
		InFlight:  w.inFlight.size(), Rate: w.limiter.knownRate(),
	}
	for i, o := range messages.Outcomes {
		s.Outcomes[o] = c.outcomes[i].Load()
	}
	for i, name := range callNames {
		s.Requests[name] = c.requests[i].Load()
	}
	return s
}

// fields returns the stats as fields of a log line.
func (s Stats) fields() []zap.Field {
	return []zap.Field{
		zap.Int64("received", s.Received), zap.Int64("foreign", s.Foreign), zap.Any("outcomes", s.Outcomes), zap.Int64("rejected", s.Rejected),
		zap.Int64("retried", s.Retried), zap.Int64("stopped", s.Stopped), zap.Int64("throttled", s.Throttled),
		zap.Any("requests", s.Requests), zap.Int("in_flight", s.InFlight), zap.Float64("rate", s.Rate),
	}
}

// countedSender counts the requests to a queue.
type countedSender struct {
	Sender
	count *counters
}

func (s countedSender) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	s.count.request(sendMessageBatch)
	return s.Sender.SendMessageBatch(ctx, entries)
}
