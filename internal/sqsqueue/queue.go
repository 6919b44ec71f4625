// Package sqsqueue implements the queue port on standard queues of Amazon SQS.
package sqsqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// API has the calls of *sqs.Client that a Queue makes.
type API interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(
		context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options),
	) (*sqs.GetQueueAttributesOutput, error)
	SendMessageBatch(
		context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options),
	) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(
		context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options),
	) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(
		context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options),
	) (*sqs.ChangeMessageVisibilityBatchOutput, error)
	PurgeQueue(context.Context, *sqs.PurgeQueueInput, ...func(*sqs.Options)) (*sqs.PurgeQueueOutput, error)
}

// Queue is one queue. Its errors have SQS's code (smithy.APIError). They are queue.ErrNotFound when
// the queue does not exist.
type Queue struct {
	api API
	url string
}

// New returns the queue with a name or a URL. It does not check a URL. It returns queue.ErrNotFound
// when no queue in the client's account and region has the name.
func New(ctx context.Context, api API, nameOrURL string) (*Queue, error) {
	if queue.IsURL(nameOrURL) {
		return &Queue{api: api, url: nameOrURL}, nil
	}
	url, err := resolve(ctx, api, nameOrURL)
	if err != nil {
		return nil, err
	}
	return &Queue{api: api, url: url}, nil
}

// URL returns the queue's URL.
func (q *Queue) URL() string { return q.url }

type resolver interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
}

func resolve(ctx context.Context, api resolver, name string) (url string, err error) {
	out, err := api.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return "", wrap("get URL of queue", name, err)
	}
	return aws.ToString(out.QueueUrl), nil
}

// wrap adds the call and the queue to an error.
func wrap(call, name string, err error) error {
	if _, missing := errors.AsType[*types.QueueDoesNotExist](err); missing {
		return fmt.Errorf("%s %s: %w: %w", call, name, queue.ErrNotFound, err)
	}
	return fmt.Errorf("%s %s: %w", call, name, err)
}

// GetQueueAttributes returns the approximate counts and the queue's settings.
func (q *Queue) GetQueueAttributes(ctx context.Context) (queue.Attributes, error) {
	out, err := q.api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return queue.Attributes{}, wrap("get attributes of queue", q.url, err)
	}
	a, err := parseAttributes(out.Attributes)
	if err != nil {
		return queue.Attributes{}, wrap("get attributes of queue", q.url, err)
	}
	return a, nil
}

func parseAttributes(values map[string]string) (a queue.Attributes, err error) {
	var visibility, retention, delay int
	for _, number := range []struct {
		name     types.QueueAttributeName
		to       *int
		required bool
	}{
		{types.QueueAttributeNameApproximateNumberOfMessages, &a.Visible, true},
		{types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, &a.InFlight, true},
		{types.QueueAttributeNameApproximateNumberOfMessagesDelayed, &a.Delayed, true},
		{types.QueueAttributeNameVisibilityTimeout, &visibility, true},
		// Servers other than AWS omit some of these.
		{types.QueueAttributeNameMessageRetentionPeriod, &retention, false},
		{types.QueueAttributeNameDelaySeconds, &delay, false},
		{types.QueueAttributeNameMaximumMessageSize, &a.MaxMessageBytes, false},
	} {
		text, found := values[string(number.name)]
		if !found && !number.required {
			continue
		}
		if *number.to, err = strconv.Atoi(text); err != nil {
			return queue.Attributes{}, fmt.Errorf("attribute %s: %w", number.name, err)
		}
	}
	a.VisibilityTimeout, a.Retention, a.Delay = ofSeconds(visibility), ofSeconds(retention), ofSeconds(delay)
	a.FIFO = values[string(types.QueueAttributeNameFifoQueue)] == "true"
	a.KMSKey = values[string(types.QueueAttributeNameKmsMasterKeyId)]
	p, err := parseRedrive(values[string(types.QueueAttributeNameRedrivePolicy)])
	if err != nil {
		return queue.Attributes{}, err
	}
	a.MaxReceiveCount = p.count()
	// The form is arn:aws:sqs:REGION:ACCOUNT:NAME.
	a.DeadLetterQueue = p.DeadLetterTargetArn[strings.LastIndexByte(p.DeadLetterTargetArn, ':')+1:]
	return a, nil
}

func ofSeconds(n int) time.Duration { return time.Duration(n) * time.Second }

// redrive is SQS's RedrivePolicy attribute. The count is a number, or a string when CloudFormation
// or a person wrote it. json.Number reads both.
type redrive struct {
	DeadLetterTargetArn string      `json:"deadLetterTargetArn"`
	MaxReceiveCount     json.Number `json:"maxReceiveCount"`
}

// parseRedrive parses the attribute's text; "" means no policy.
func parseRedrive(text string) (p redrive, err error) {
	if text == "" {
		return redrive{}, nil
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return redrive{}, fmt.Errorf("redrive policy %q: %w", text, err)
	}
	if _, err := strconv.ParseUint(p.MaxReceiveCount.String(), 10, 31); err != nil {
		return redrive{}, fmt.Errorf("redrive policy %q: maxReceiveCount: %w", text, err)
	}
	return p, nil
}

func (p redrive) count() int {
	n, _ := strconv.Atoi(p.MaxReceiveCount.String()) // parseRedrive has checked it.
	return n
}

// PurgeQueue deletes all messages. SQS needs up to a minute, and refuses a second purge in that
// time.
func (q *Queue) PurgeQueue(ctx context.Context) error {
	if _, err := q.api.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: &q.url}); err != nil {
		return wrap("purge queue", q.url, err)
	}
	return nil
}
