package page

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Live is what the workers and the queues do now.
type Live struct {
	// Listens says that results are received in this process, so that Workers is all that have sent
	// some in the last minute.
	Listens bool
	Workers []Worker
	Queues  []Queue
	Failed  string // why the queues are not known
}

// Worker is one that has sent results in the last minute.
type Worker struct {
	Name    string
	Last    time.Time // of its messages
	Tasks   int       // in the last minute
	Again   int       // of them, those that had been received before
	Retries int       // how often they had been received before
	Dead    int
	// Throttled counts the requests that S3 throttled in the last minute.
	Throttled int
	// Waited is the longest time that a task of the last minute had waited on the queue.
	Waited time.Duration
}

// Queue is a queue with what it holds.
type Queue struct {
	Name, Holds string
	queue.Attributes
}

// Retries is that of all workers.
func (l Live) Retries() (n int) {
	for _, w := range l.Workers {
		n += w.Retries
	}
	return n
}

// Throttled is that of all workers.
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
