package stacktest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"
)

// Calls records the calls that a process makes to AWS, as the permissions that they need. Several
// goroutines may use it.
type Calls struct {
	mu       sync.Mutex
	requests map[Request]bool
}

// Option records every call of the SDK, and the signed requests without an SDK call.
func (c *Calls) Option(o *awsconfig.LoadOptions) error {
	o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		proxy := t.Proxy // the transport calls it before each request
		t.Proxy = func(r *http.Request) (*url.URL, error) {
			c.noteSigned(r)
			return proxy(r)
		}
	})
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		note := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			c.note(in.Parameters)
			return next.HandleInitialize(ctx, in)
		}
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("NoteCall", note), middleware.Before)
	})
	return nil
}

// noteSigned records the requests of internal/s3bucket without an SDK call. Their path has the
// bucket.
func (c *Calls) noteSigned(r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	query := r.URL.Query()
	if source := r.Header.Get("X-Amz-Copy-Source"); source != "" {
		c.note(&s3.CopyObjectInput{Bucket: &bucket, Key: &key, CopySource: &source})
	} else if query.Get("list-type") == "2" {
		c.note(&s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String(query.Get("prefix"))})
	}
}

func (c *Calls) note(input any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requests == nil {
		c.requests = map[Request]bool{}
	}
	for _, r := range permissions(input) {
		c.requests[r] = true
	}
}

// Requests returns the requests so far, each once.
func (c *Calls) Requests() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Keys(c.requests), func(a, b Request) int { return strings.Compare(a.String(), b.String()) })
}

// permissions are the permissions that AWS checks for a call (Service Authorization Reference, S3
// and SQS). An unknown call needs a permission that no role has, so the test notices it.
func permissions(input any) []Request {
	object := func(action string, bucket *string, key string) Request {
		return Request{Action: action, Resource: "arn:aws:s3:::" + aws.ToString(bucket) + "/" + key}
	}
	switch in := input.(type) {
	case *s3.ListObjectsV2Input:
		return []Request{{"s3:ListBucket", "arn:aws:s3:::" + aws.ToString(in.Bucket), aws.ToString(in.Prefix)}}
	case *s3.GetObjectInput:
		return []Request{object("s3:GetObject", in.Bucket, aws.ToString(in.Key))}
	case *s3.HeadObjectInput:
		return []Request{object("s3:GetObject", in.Bucket, aws.ToString(in.Key))}
	case *s3.PutObjectInput:
		return []Request{object("s3:PutObject", in.Bucket, aws.ToString(in.Key))}
	case *s3.CopyObjectInput:
		source, err := url.PathUnescape(aws.ToString(in.CopySource))
		if err != nil {
			return []Request{{Action: "unreadable copy source", Resource: aws.ToString(in.CopySource)}}
		}
		return []Request{
			{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + strings.TrimPrefix(source, "/")},
			object("s3:PutObject", in.Bucket, aws.ToString(in.Key)),
		}
	case *s3.DeleteObjectsInput:
		var all []Request
		for _, o := range in.Delete.Objects {
			all = append(all, object("s3:DeleteObject", in.Bucket, aws.ToString(o.Key)))
		}
		return all
	case *sns.ListSubscriptionsByTopicInput:
		return []Request{{Action: "sns:ListSubscriptionsByTopic", Resource: aws.ToString(in.TopicArn)}}
	case *sqs.SendMessageBatchInput:
		return queueRequest("sqs:SendMessage", in.QueueUrl)
	case *sqs.ReceiveMessageInput:
		return queueRequest("sqs:ReceiveMessage", in.QueueUrl)
	case *sqs.DeleteMessageBatchInput:
		return queueRequest("sqs:DeleteMessage", in.QueueUrl)
	case *sqs.ChangeMessageVisibilityBatchInput:
		return queueRequest("sqs:ChangeMessageVisibility", in.QueueUrl)
	case *sqs.GetQueueAttributesInput:
		return queueRequest("sqs:GetQueueAttributes", in.QueueUrl)
	case *sqs.GetQueueUrlInput:
		return queueRequest("sqs:GetQueueUrl", in.QueueName)
	}
	return []Request{{Action: fmt.Sprintf("%T", input), Resource: "unknown"}}
}

// queueRequest accepts the queue's URL or its name.
func queueRequest(action string, queue *string) []Request {
	name := aws.ToString(queue)
	return []Request{{Action: action, Resource: "arn:aws:sqs:" + Region + ":" + Account + ":" + name[strings.LastIndexByte(name, '/')+1:]}}
}
