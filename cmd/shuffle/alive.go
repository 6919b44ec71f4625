package main

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/queue"
)

type aliveCmd struct{}

func (c *aliveCmd) run(ctx context.Context, a *app) error {
	if a.cfg.Alive == "" {
		return usage(errors.New("--alive (SHUFFLE_ALIVE): expected the socket of the service, such as @shuffle"))
	}
	return askAlive(ctx, a.cfg.Alive)
}

// serveLiveness answers at the socket of --alive, if that is set, until the returned function is
// called. When it cannot listen there it logs the error and the service goes on: the health check
// then fails, because it gets no answer.
func (a *app) serveLiveness(ctx context.Context) (stop func()) {
	if a.cfg.Alive == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.liveness.serve(ctx, a.cfg.Alive); err != nil {
			a.log.Error("--alive (SHUFFLE_ALIVE)", zap.Error(err))
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// monitoredQueue is a queue that marks the service as alive after each receive, also a failed one.
type monitoredQueue struct {
	open.Queue
	liveness *liveness
}

func (q monitoredQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	defer q.liveness.markAlive()
	return q.Queue.ReceiveMessage(ctx, most, wait)
}
