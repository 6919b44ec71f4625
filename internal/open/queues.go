package open

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
)

// Queues are the queues at one URL.
type Queues interface {
	// Queue opens the queue with the spec's name or URL. A missing queue in a file is created by
	// the spec. A missing queue in SQS gives queue.ErrNotFound.
	Queue(ctx context.Context, spec queue.Spec) (Queue, error)
	// Setup creates the queue by the spec, or changes the attributes that differ.
	Setup(ctx context.Context, spec queue.Spec) error
}

// sqsConnections is the number of connections for the workers' pollers, senders and deleters,
// including long polls.
const sqsConnections = 128

// Queues opens sqs:// or sqlite:///FILE.
func (o *Opener) Queues(ctx context.Context, raw string) (Queues, error) {
	const expected = "sqs:// or sqlite:///FILE"
	u, err := parse("queues", raw, expected)
	if err != nil {
		return nil, err
	}
	switch {
	case u.Scheme == "sqs" && u.Host == "" && u.Path == "":
		cfg, err := o.aws(ctx)
		if err != nil {
			return nil, fmt.Errorf("open queues %s: %w", raw, err)
		}
		return sqsQueues{o.hastySQS(sqsqueue.NewClient(cfg, sqsConnections))}, nil
	case u.Scheme == "sqlite" && filePath(u) != "":
		return o.sqlite(ctx, filePath(u))
	}
	return nil, unknown("queues", raw, expected)
}

type sqsQueues struct{ client *sqs.Client }

func (q sqsQueues) Queue(ctx context.Context, spec queue.Spec) (Queue, error) {
	opened, err := sqsqueue.New(ctx, q.client, spec.Name)
	if err != nil {
		return nil, err
	}
	return opened, nil
}

func (q sqsQueues) Setup(ctx context.Context, spec queue.Spec) error {
	_, err := sqsqueue.Setup(ctx, q.client, spec)
	return err
}

// MissingQueues lists the queues that do not exist, and creates none. A queue that cannot be
// checked counts as existing. Queues in a file are created when they are opened, so they are
// missing only when the file is missing. fault is why the file cannot be used.
func (o *Opener) MissingQueues(ctx context.Context, raw string, specs []queue.Spec) (missing []string, fault error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, nil //nolint:nilerr // A queue that cannot be checked counts as existing.
	}
	exists := func(queue.Spec) bool { return true }
	switch u.Scheme {
	case "sqs":
		cfg, err := o.aws(ctx)
		if err != nil {
			return nil, nil //nolint:nilerr // Likewise.
		}
		client := sqsqueue.NewClient(cfg, 1)
		exists = func(spec queue.Spec) bool {
			q, err := sqsqueue.New(ctx, client, spec.Name)
			if err == nil {
				_, err = q.GetQueueAttributes(ctx)
			}
			return !errors.Is(err, queue.ErrNotFound)
		}
	case "sqlite":
		_, err := os.Stat(filePath(u))
		if exists = func(queue.Spec) bool { return !errors.Is(err, os.ErrNotExist) }; err == nil {
			fault = tryFile(ctx, filePath(u), specs)
		}
	}
	for _, spec := range specs {
		if !exists(spec) {
			missing = append(missing, spec.Name)
		}
	}
	return missing, fault
}

// tryFile reads the queues of a file that exists.
func tryFile(ctx context.Context, path string, specs []queue.Spec) error {
	file, err := sqlitequeue.Open(path)
	if err != nil {
		return err
	}
	for _, spec := range specs {
		q, openErr := file.Queue(ctx, spec.Name)
		if errors.Is(openErr, queue.ErrNotFound) {
			continue // it is created when it is opened
		}
		if openErr == nil {
			_, openErr = q.GetQueueAttributes(ctx)
		}
		err = errors.Join(err, openErr)
	}
	return errors.Join(err, file.Close())
}
