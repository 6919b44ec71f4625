package benchserver_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/s3bucket"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
	"github.com/angel-nft/google-shuffle/internal/test/buckettest"
	"github.com/angel-nft/google-shuffle/internal/test/queuetest"
)

// awsConfig is the configuration for clients of a server that it starts for the test.
func awsConfig(t *testing.T, s *benchserver.Server) aws.Config {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = s.HTTPServer().ConnState
	server.Start()
	t.Cleanup(server.Close)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-west-2"), config.WithBaseEndpoint(server.URL),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestBucketContract(t *testing.T) {
	t.Parallel()
	cfg := awsConfig(t, benchserver.New(benchserver.Options{}))
	client := s3bucket.NewClient(cfg, 64)
	var n atomic.Int64
	buckettest.Run(t, func(t *testing.T) buckettest.Bucket {
		name := fmt.Sprintf("contract.%d", n.Add(1))
		if err := s3bucket.Create(t.Context(), client, name, cfg.Region); err != nil {
			t.Fatal(err)
		}
		return s3bucket.New(client, name)
	})
}

func TestQueueContract(t *testing.T) {
	t.Parallel()
	client := sqsqueue.NewClient(awsConfig(t, benchserver.New(benchserver.Options{})), 64)
	queuetest.Run(t, func(*testing.T) queuetest.Server { return account{client} })
}

// account has the queues of a server.
type account struct{ client *sqs.Client }

func (a account) Setup(ctx context.Context, spec queue.Spec) error {
	_, err := sqsqueue.Setup(ctx, a.client, spec)
	return err
}

func (a account) Queue(ctx context.Context, name string) (queuetest.Queue, error) {
	return sqsqueue.New(ctx, a.client, name)
}
