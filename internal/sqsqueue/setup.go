package sqsqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// SetupAPI has the calls of *sqs.Client that Setup makes.
type SetupAPI interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(
		context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options),
	) (*sqs.GetQueueAttributesOutput, error)
	SetQueueAttributes(
		context.Context, *sqs.SetQueueAttributesInput, ...func(*sqs.Options),
	) (*sqs.SetQueueAttributesOutput, error)
	CreateQueue(context.Context, *sqs.CreateQueueInput, ...func(*sqs.Options)) (*sqs.CreateQueueOutput, error)
}

// Every queue also has these attributes.
const encrypted = "true" // with SQS's own keys, at no cost

// Setup creates a queue by the spec, or changes the attributes that differ, and returns its URL.
// The queue also gets long polls, 14 days of retention, no delay and encryption. A queue given by
// its URL must exist. A queue that is encrypted by a KMS key keeps that key. Setup returns
// queue.ErrNotFound when the dead-letter queue does not exist.
func Setup(ctx context.Context, api SetupAPI, spec queue.Spec) (url string, err error) {
	if err := spec.Validate(); err != nil {
		return "", fmt.Errorf("set up queue: %w", err)
	}
	want, err := wanted(ctx, api, spec)
	if err != nil {
		return "", fmt.Errorf("set up queue %s: %w", spec.Name, err)
	}
	url, made, err := findOrCreate(ctx, api, spec.Name, want)
	if err == nil && !made {
		err = change(ctx, api, url, want)
	}
	if err != nil {
		return "", fmt.Errorf("set up queue %s: %w", spec.Name, err)
	}
	return url, nil
}

// wanted returns the attributes that the queue should have. The redrive policy "" means none in
// SQS.
func wanted(ctx context.Context, api SetupAPI, spec queue.Spec) (map[string]string, error) {
	want := map[string]string{
		string(types.QueueAttributeNameVisibilityTimeout):             strconv.Itoa(int(spec.Visibility().Seconds())),
		string(types.QueueAttributeNameReceiveMessageWaitTimeSeconds): strconv.Itoa(int(queue.MaxWait.Seconds())),
		string(types.QueueAttributeNameMessageRetentionPeriod):        strconv.Itoa(int(queue.Retention.Seconds())),
		string(types.QueueAttributeNameDelaySeconds):                  "0",
		string(types.QueueAttributeNameMaximumMessageSize):            strconv.Itoa(queue.MinMessageBytes),
		string(types.QueueAttributeNameSqsManagedSseEnabled):          encrypted,
		string(types.QueueAttributeNameRedrivePolicy):                 "",
	}
	if spec.DeadLetterQueue == "" {
		return want, nil
	}
	arn, err := queueARN(ctx, api, spec.DeadLetterQueue)
	if err != nil {
		return nil, err
	}
	policy, err := json.Marshal(redrive{arn, json.Number(strconv.Itoa(spec.MaxReceiveCount))})
	want[string(types.QueueAttributeNameRedrivePolicy)] = string(policy)
	return want, err
}

func queueARN(ctx context.Context, api SetupAPI, nameOrURL string) (string, error) {
	url, err := address(ctx, api, nameOrURL)
	if err != nil {
		return "", err
	}
	arn := types.QueueAttributeNameQueueArn
	out, err := api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{arn},
	})
	if err != nil {
		return "", wrap("get ARN of queue", url, err)
	}
	return out.Attributes[string(arn)], nil
}

func address(ctx context.Context, api resolver, nameOrURL string) (url string, err error) {
	if queue.IsURL(nameOrURL) {
		return nameOrURL, nil
	}
	return resolve(ctx, api, nameOrURL)
}

// findOrCreate returns the queue's URL, and whether this call has created the queue with the wanted
// attributes.
func findOrCreate(
	ctx context.Context, api SetupAPI, name string, want map[string]string,
) (url string, made bool, err error) {
	url, err = address(ctx, api, name)
	if !errors.Is(err, queue.ErrNotFound) {
		return url, false, err
	}
	attributes := make(map[string]string, len(want))
	for attribute, value := range want {
		// The default is the maximum of SQS.
		if value != "" && attribute != string(types.QueueAttributeNameMaximumMessageSize) {
			attributes[attribute] = value
		}
	}
	out, err := api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if _, raced := errors.AsType[*types.QueueNameExists](err); raced {
		// Another process has just created the queue with other attributes.
		url, err = address(ctx, api, name)
		return url, false, err
	}
	if err != nil {
		return "", false, wrap("create queue", name, err)
	}
	return aws.ToString(out.QueueUrl), true, nil
}

// change sets the attributes that differ.
func change(ctx context.Context, api SetupAPI, url string, want map[string]string) error {
	out, err := api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return wrap("get attributes of queue", url, err)
	}
	if out.Attributes[string(types.QueueAttributeNameFifoQueue)] == "true" {
		return fmt.Errorf("queue %s is a FIFO queue, expected a standard one: create one, or leave the URL out for a name that setup creates", url)
	}
	differing := differences(out.Attributes, want)
	if len(differing) == 0 {
		return nil
	}
	if _, err := api.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: &url, Attributes: differing,
	}); err != nil {
		return wrap("set attributes of queue", url, err)
	}
	return nil
}

// differences returns the wanted attributes that differ from the queue's present ones.
func differences(has, want map[string]string) map[string]string {
	differing := make(map[string]string)
	for attribute, value := range want {
		switch types.QueueAttributeName(attribute) {
		case types.QueueAttributeNameSqsManagedSseEnabled:
			if has[string(types.QueueAttributeNameKmsMasterKeyId)] != "" {
				continue // setting it would replace the owner's key
			}
		case types.QueueAttributeNameMaximumMessageSize:
			if most, err := strconv.Atoi(has[attribute]); err != nil || most >= queue.MinMessageBytes {
				continue // the limit is large enough, or the server does not report it
			}
		case types.QueueAttributeNameDelaySeconds:
			if has[attribute] == "" {
				continue // the server does not report it
			}
		case types.QueueAttributeNameRedrivePolicy:
			if sameRedrive(has[attribute], value) {
				continue
			}
		}
		if has[attribute] != value {
			differing[attribute] = value
		}
	}
	return differing
}

// sameRedrive compares the values of two policies, not their texts.
func sameRedrive(a, b string) bool {
	p, errP := parseRedrive(a)
	q, errQ := parseRedrive(b)
	return errP == nil && errQ == nil && p == q
}
