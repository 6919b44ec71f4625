package page

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Live is the present state of workers and queues.
type Live struct {
	// ReceivesResults is true when this process receives the results. Then Workers has every worker
	// that has sent results in the last minute.
	ReceivesResults bool
	Workers         []Worker
	Queues          []Queue
	Failed          string // why the queues are not known
}

// Worker is a worker that has sent results in the last minute.
type Worker struct {
	Name          string
	Last          time.Time // of its messages
	Tasks         int       // in the last minute
	ReceivedAgain int       // of them, those that had been received before
	// Retries is the number of those earlier receives, from their results. Requests that S3
	// throttled do not count: results do not report them.
	Retries int
	Dead    int
}

// Queue is a queue with its attributes. Content describes its messages.
type Queue struct {
	Name, Content string
	queue.Attributes
}

// Retries is that of all workers.
func (l Live) Retries() (n int) {
	for _, w := range l.Workers {
		n += w.Retries
	}
	return n
}

// Tasks is the queue of the tasks; empty when it is not known.
func (l Live) Tasks() (q Queue) {
	if len(l.Queues) > 0 {
		return l.Queues[0]
	}
	return q
}

// Workers is the page of the workers and the queues.
type Workers struct{ Live Live }

func (p *Workers) template() string { return "workers" }

// Title is that of the document.
func (p *Workers) Title() string { return "Workers" }

// Events is the address of its events.
func (p *Workers) Events() string { return "/workers/events" }
