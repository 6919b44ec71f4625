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

// answerAlive answers at --alive, if there is one, until the returned function is called. That it
// cannot is logged: the service goes on, and whoever asks finds nobody.
func (a *app) answerAlive(ctx context.Context) (stop func()) {
	if a.cfg.Alive == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.pulse.serve(ctx, a.cfg.Alive); err != nil {
			a.log.Error("--alive (SHUFFLE_ALIVE)", zap.Error(err))
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// beating is a queue whose every receive, whatever came of it, shows that the service goes round.
type beating struct {
	open.Queue
	pulse *pulse
}

func (q beating) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	defer q.pulse.beat()
	return q.Queue.ReceiveMessage(ctx, most, wait)
}
