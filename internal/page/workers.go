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
	Last          time.Time // when its last results came
	Tasks         int       // in the last minute
	ReceivedAgain int       // of them, those that had been received before
	Retries       int       // how often they had been received before
	Dead          int
	// Throttled counts the requests that S3 throttled in the last minute.
	Throttled int
	// Waited is the longest time that a task of the last minute had waited on the queue.
	Waited time.Duration
}

// Queue is a queue with its attributes. Content describes its messages.
type Queue struct {
	Name, Content string
	queue.Attributes
}

// Retries is the number of retries of all workers.
func (l Live) Retries() (n int) {
	for _, w := range l.Workers {
		n += w.Retries
	}
	return n
}

// Throttled is the number of throttled requests of all workers.
func (l Live) Throttled() (n int) {
	for _, w := range l.Workers {
		n += w.Throttled
	}
	return n
}

// Waited is the longest of all workers.
func (l Live) Waited() (longest time.Duration) {
	for _, w := range l.Workers {
		longest = max(longest, w.Waited)
	}
	return longest
}

// Tasks is the queue of the tasks; false when it is not known.
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
