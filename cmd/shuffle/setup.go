package main

import (
	"context"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

type setupCmd struct {
	CreateBucket bool `help:"Create the bucket too, for development."`
}

func (c *setupCmd) run(ctx context.Context, a *app) error {
	if c.CreateBucket {
		if err := a.opener.CreateBucket(ctx, a.cfg.Bucket); err != nil {
			return err
		}
		if _, err := a.openStore(ctx); err != nil { // which makes a folder that is not there
			return err
		}
		if _, err := fmt.Fprintln(a.stdout, "bucket", a.cfg.Bucket); err != nil {
			return err
		}
	}
	queues, err := a.opener.Queues(ctx, a.cfg.Queues)
	if err != nil {
		return err
	}
	for _, spec := range a.cfg.QueueSpecs() {
		if err := queues.Setup(ctx, spec); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(a.stdout, describe(spec)); err != nil {
			return err
		}
	}
	return nil
}

func describe(s queue.Spec) string {
	line := fmt.Sprintf("queue %s, visibility timeout %s", s.Name, s.VisibilityTimeout)
	if s.DeadLetterQueue != "" {
		line += fmt.Sprintf(", to %s after %d receives", s.DeadLetterQueue, s.MaxReceiveCount)
	}
	return line
}
