// Package memqueue is SQS in memory, for tests that decide about everything that happens to it. It keeps the contract of queuetest like any
// other adapter: visibility timeout, receive count, dead-letter redrive, batch limits. Its times are those of the process, so in a
// synctest bubble they are the bubble's.
package memqueue

import (
	"context"
	"fmt"
	"sync"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Server holds queues by name. The zero value has none; it may be used by many goroutines at once.
type Server struct {
	mu     sync.Mutex
	queues map[string]*Queue
	sent   int // messages, which are numbered over all queues
}

// Setup creates a queue, or changes it to be as spec says.
func (s *Server) Setup(_ context.Context, spec queue.Spec) error {
	if err := spec.Validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.DeadLetterQueue != "" && s.queues[spec.DeadLetterQueue] == nil {
		return absent(spec.DeadLetterQueue)
	}
	if s.queues == nil {
		s.queues = map[string]*Queue{}
	}
	q := s.queues[spec.Name]
	if q == nil {
		q = &Queue{server: s, wake: make(chan struct{})}
		s.queues[spec.Name] = q
	}
	q.spec = spec
	return nil
}

// Open gives a queue that was set up.
func (s *Server) Open(name string) (*Queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.queues[name]; q != nil {
		return q, nil
	}
	return nil, absent(name)
}

func absent(name string) error { return fmt.Errorf("queue %q: %w", name, queue.ErrNotFound) }
