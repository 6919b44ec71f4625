package sqsqueue_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
	"github.com/angel-nft/google-shuffle/internal/test/queuetest"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// server is an account, and deletes its queues after the test.
type server struct {
	t      *testing.T
	client *sqs.Client
}

func (s server) Setup(ctx context.Context, spec queue.Spec) error {
	url, err := sqsqueue.Setup(ctx, s.client, spec)
	if err == nil {
		s.t.Cleanup(func() {
			//nolint:errcheck // Set up twice, it is deleted twice.
			s.client.DeleteQueue(context.WithoutCancel(ctx), &sqs.DeleteQueueInput{QueueUrl: &url})
		})
	}
	return err
}

func (s server) Queue(ctx context.Context, name string) (queuetest.Queue, error) {
	return sqsqueue.New(ctx, s.client, name)
}

// newClient is a client of the server at endpoint.
func newClient(t *testing.T, endpoint string) *sqs.Client {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"), config.WithBaseEndpoint(endpoint),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return sqsqueue.NewClient(cfg, 64)
}

func TestContract(t *testing.T) {
	client := newClient(t, testenv.AWSEndpoint(t))
	queuetest.Run(t, func(t *testing.T) queuetest.Server { return server{t, client} })
}

// TestSetupAttributes: what Setup gives a queue beside its spec, on a new one and on one that
// someone has made.
func TestSetupAttributes(t *testing.T) {
	client := newClient(t, testenv.AWSEndpoint(t))
	for _, tc := range []struct {
		name string
		has  map[string]string // nil: the queue does not exist
	}{
		{"new", nil},
		{"with defaults", map[string]string{}},
		{"with other values", map[string]string{
			"ReceiveMessageWaitTimeSeconds": "0", "MessageRetentionPeriod": "60", "SqsManagedSseEnabled": "false",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			name := aws.String("shuffle-test-setup-" + rand.Text())
			if tc.has != nil {
				in := &sqs.CreateQueueInput{QueueName: name, Attributes: tc.has}
				if _, err := client.CreateQueue(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			if err := (server{t, client}).Setup(t.Context(), queue.Spec{Name: *name}); err != nil {
				t.Fatal(err)
			}
			got := allAttributes(t, client, *name)
			for attribute, want := range map[string]string{
				"ReceiveMessageWaitTimeSeconds": "20", "MessageRetentionPeriod": "1209600", "SqsManagedSseEnabled": "true",
				"VisibilityTimeout": "30",
			} {
				if got[attribute] != want {
					t.Errorf("%s is %q, want %q", attribute, got[attribute], want)
				}
			}
		})
	}
}

func allAttributes(t *testing.T, client *sqs.Client, name string) map[string]string {
	t.Helper()
	q, err := sqsqueue.New(t.Context(), client, name)
	if err != nil {
		t.Fatal(err)
	}
	url := q.URL()
	out, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes
}
