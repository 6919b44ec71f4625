// Package memqueue is SQS in memory, for tests that control everything that happens to it. Like
// every adapter it passes the contract of queuetest: visibility timeout, receive count, dead-letter
// redrive, batch limits. It uses the process's clock, which in a synctest bubble is the bubble's.
package memqueue

import (
	"context"
	"fmt"
	"sync"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Server has queues by name. The zero value has none. It is safe for concurrent use.
type Server struct {
	mu     sync.Mutex
	queues map[string]*Queue
	sent   int // messages, which are numbered over all queues
}

// Setup creates a queue by the spec, or changes it.
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

// Open returns a queue that was set up.
func (s *Server) Open(name string) (*Queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.queues[name]; q != nil {
		return q, nil
	}
	return nil, absent(name)
}

func absent(name string) error { return fmt.Errorf("queue %q: %w", name, queue.ErrNotFound) }
