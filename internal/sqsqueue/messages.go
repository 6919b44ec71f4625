package sqsqueue

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// A receive has fewer tries than other calls. A lost answer has made its messages invisible, and
// the caller polls again anyway.
const receiveAttempts = 3

// SendMessageBatch sends entries, at most queue.MaxBatch and queue.MaxBatchBytes.
func (q *Queue) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	in := &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: []types.SendMessageBatchRequestEntry{}}
	for i, e := range entries {
		in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{
			Id: id(i), MessageBody: aws.String(e.Body), MessageAttributes: attributeValues(e.Attributes),
		})
	}
	out, err := q.api.SendMessageBatch(ctx, in)
	if err != nil {
		return nil, wrap("send messages to", q.url, err)
	}
	failed, err := failures(len(entries), len(out.Successful), out.Failed)
	if err != nil {
		return nil, wrap("send messages to", q.url, err)
	}
	return failed, nil
}

func attributeValues(attributes map[string]string) map[string]types.MessageAttributeValue {
	if len(attributes) == 0 {
		return nil
	}
	values := make(map[string]types.MessageAttributeValue, len(attributes))
	for name, value := range attributes {
		values[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	return values
}

// ReceiveMessage receives at most limit messages, up to queue.MaxBatch. It waits for the first one
// for at most wait, up to queue.MaxWait, rounded up to whole seconds. It waits at least one second:
// the SDK omits a 0, which SQS replaces by the queue's own wait, and without a wait SQS asks only
// some of its servers. An empty result is not an error. When ctx ends a long poll, SQS may have
// delivered messages already. They become visible again after the visibility timeout.
func (q *Queue) ReceiveMessage(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error) {
	in := &sqs.ReceiveMessageInput{
		QueueUrl:            &q.url,
		MaxNumberOfMessages: int32(limit),
		WaitTimeSeconds:     max(1, seconds(wait)),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp,
		},
		MessageAttributeNames: []string{"All"},
	}
	out, err := q.api.ReceiveMessage(ctx, in, func(o *sqs.Options) { o.RetryMaxAttempts = receiveAttempts })
	if err != nil {
		return nil, wrap("receive messages from", q.url, err)
	}
	messages := make([]queue.Message, 0, len(out.Messages))
	for _, m := range out.Messages {
		messages = append(messages, message(m))
	}
	return messages, nil
}

func message(m types.Message) queue.Message {
	// Without a readable count it is 1, the first receive, which is always safe for a worker.
	count, err := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if err != nil {
		count = 1
	}
	var attributes map[string]string
	for name, value := range m.MessageAttributes {
		if attributes == nil {
			attributes = make(map[string]string, len(m.MessageAttributes))
		}
		attributes[name] = cmp.Or(aws.ToString(value.StringValue), string(value.BinaryValue))
	}
	var waited time.Duration
	// The time of the send is in milliseconds since 1970.
	sent, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err == nil && count == 1 { // this is its first receive
		waited = max(time.Since(time.UnixMilli(sent)), 0)
	}
	return queue.Message{
		ID:           aws.ToString(m.MessageId),
		Body:         aws.ToString(m.Body),
		Receipt:      aws.ToString(m.ReceiptHandle),
		ReceiveCount: count,
		Waited:       waited,
		Attributes:   attributes,
	}
}

// DeleteMessageBatch deletes the messages of at most queue.MaxBatch receipts.
func (q *Queue) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	in := &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: []types.DeleteMessageBatchRequestEntry{}}
	for i, receipt := range receipts {
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: id(i), ReceiptHandle: aws.String(receipt)})
	}
	out, err := q.api.DeleteMessageBatch(ctx, in)
	if err != nil {
		return nil, wrap("delete messages of", q.url, err)
	}
	failed, err := failures(len(receipts), len(out.Successful), out.Failed)
	if err != nil {
		return nil, wrap("delete messages of", q.url, err)
	}
	return failed, nil
}

// ChangeMessageVisibilityBatch sets the visibility timeout of the messages of at most
// queue.MaxBatch receipts, from now. The timeout is rounded up to whole seconds, and ends at most
// queue.MaxVisibility after the receive. With 0 they are visible at once.
func (q *Queue) ChangeMessageVisibilityBatch(
	ctx context.Context, receipts []string, timeout time.Duration,
) ([]queue.Failure, error) {
	in := &sqs.ChangeMessageVisibilityBatchInput{
		QueueUrl: &q.url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{},
	}
	for i, receipt := range receipts {
		in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
			Id: id(i), ReceiptHandle: aws.String(receipt), VisibilityTimeout: seconds(timeout),
		})
	}
	out, err := q.api.ChangeMessageVisibilityBatch(ctx, in)
	if err != nil {
		return nil, wrap("change visibility of messages of", q.url, err)
	}
	failed, err := failures(len(receipts), len(out.Successful), out.Failed)
	if err != nil {
		return nil, wrap("change visibility of messages of", q.url, err)
	}
	return failed, nil
}

// id returns the ID of an entry in its batch, which is its index.
func id(i int) *string { return aws.String(strconv.Itoa(i)) }

// seconds rounds up to whole seconds, the unit of SQS, so that neither a wait nor a visibility
// timeout becomes 0.
func seconds(d time.Duration) int32 {
	return int32((d + time.Second - 1) / time.Second)
}

// failures reads the failed entries of an answer. An answer must name every entry exactly once,
// else it is an error. Otherwise an entry that is not in the answer would count as successful.
func failures(entries, done int, refused []types.BatchResultErrorEntry) ([]queue.Failure, error) {
	if done+len(refused) != entries {
		return nil, fmt.Errorf("the answer has %d entries done and %d failed of %d", done, len(refused), entries)
	}
	var failed []queue.Failure
	for _, f := range refused {
		i, err := strconv.Atoi(aws.ToString(f.Id))
		if err != nil || i < 0 || i >= entries {
			return nil, fmt.Errorf("the answer has a failure of an unknown entry %q", aws.ToString(f.Id))
		}
		failed = append(failed, queue.Failure{
			Index: i, Code: aws.ToString(f.Code), Message: aws.ToString(f.Message), SenderFault: f.SenderFault,
		})
	}
	return failed, nil
}
