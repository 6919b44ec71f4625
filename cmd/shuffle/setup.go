package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/open"
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
		if _, err := a.openStore(ctx); err != nil { // for a file bucket this creates the folder
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
		changes, err := setUpQueue(ctx, queues, spec)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("queue %s, visibility timeout %s", spec.Name, spec.VisibilityTimeout)
		if spec.DeadLetterQueue != "" {
			line += fmt.Sprintf(", to %s after %d receives", spec.DeadLetterQueue, spec.MaxReceiveCount)
		}
		if _, err := fmt.Fprintln(a.stdout, line+changes); err != nil {
			return err
		}
	}
	return nil
}

// setUpQueue creates a queue, or updates an existing one and describes the changes.
func setUpQueue(ctx context.Context, queues open.Queues, spec queue.Spec) (changes string, err error) {
	existing, err := queues.Queue(ctx, spec)
	switch {
	case errors.Is(err, queue.ErrNotFound):
		return "", queues.Setup(ctx, spec)
	case err != nil:
		return "", err
	}
	has, err := existing.GetQueueAttributes(ctx)
	switch {
	case errors.Is(err, queue.ErrNotFound): // the queue is given by its URL; Setup checks that
	case err != nil:
		return "", err
	default:
		changes = strings.Join(spec.Changes(has), "; ")
	}
	if err := queues.Setup(ctx, spec); err != nil {
		return "", err
	}
	if changes == "" {
		return "", nil
	}
	return "; changed: " + changes, nil
}
