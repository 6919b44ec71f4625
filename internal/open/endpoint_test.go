package open_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/queue"
)

// An address without http:// is refused with the variable's name, before any request.
func TestEndpointsWithoutAScheme(t *testing.T) {
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS"} {
		for _, raw := range []string{"localhost:4566", "127.0.0.1:4566", "//localhost", "ftp://localhost", "http://", "user:hush@localhost:4566"} {
			aws(t, "")
			t.Setenv(name, raw)
			_, _, bucketErr := newOpener(t).Bucket(t.Context(), "s3://bucket")
			_, queuesErr := newOpener(t).Queues(t.Context(), "sqs://")
			for _, err := range []error{bucketErr, queuesErr} {
				if !errors.Is(err, open.ErrURL) || !strings.Contains(err.Error(), name+":") || !strings.Contains(err.Error(), "http://") || strings.Contains(err.Error(), "hush") {
					t.Errorf("%s=%s: %v", name, raw, err)
				}
			}
			t.Setenv(name, "")
		}
	}
}

// Where nothing listens, a command ends at once.
func TestRefusedConnection(t *testing.T) {
	aws(t, "http://127.0.0.1:1")
	o := newOpener(t)
	begun := time.Now()
	b, _, err := o.Bucket(t.Context(), "s3://bucket")
	if err != nil {
		t.Fatal(err)
	}
	queues, err := o.Queues(t.Context(), "sqs://")
	if err != nil {
		t.Fatal(err)
	}
	_, listErr := b.ListObjects(t.Context(), bucket.ListInput{})
	_, queueErr := queues.Queue(t.Context(), queue.Spec{Name: "x"})
	for _, err := range []error{listErr, queueErr, o.CreateBucket(t.Context(), "s3://bucket")} {
		if err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%v", err)
		}
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}
