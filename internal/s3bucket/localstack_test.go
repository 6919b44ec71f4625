package s3bucket

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/angel-nft/google-shuffle/internal/test/buckettest"
)

// TestContract runs the contract against a server that speaks S3, each part in a bucket of its own.
func TestContract(t *testing.T) {
	endpoint := os.Getenv("SHUFFLE_TEST_AWS_ENDPOINT")
	if endpoint == "" {
		t.Skip("SHUFFLE_TEST_AWS_ENDPOINT is not set")
	}
	t.Parallel()
	client := NewClient(testConfig(t, endpoint), 64)
	var n atomic.Int64
	buckettest.Run(t, func(t *testing.T) buckettest.Bucket {
		name := fmt.Sprintf("contract.%d-%d", time.Now().UnixNano(), n.Add(1))
		createBucket(t, client, name)
		return New(client, name)
	})
}

func testConfig(t testing.TB, endpoint string) aws.Config {
	t.Helper()
	cfg, err := sdkconfig.LoadDefaultConfig(t.Context(),
		sdkconfig.WithRegion("us-west-2"),
		sdkconfig.WithBaseEndpoint(endpoint),
		sdkconfig.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func createBucket(t *testing.T, client *s3.Client, name string) {
	t.Helper()
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "us-west-2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for {
			out, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &name})
			if err != nil || len(out.Contents) == 0 {
				break
			}
			var ids []types.ObjectIdentifier
			for _, o := range out.Contents {
				ids = append(ids, types.ObjectIdentifier{Key: o.Key})
			}
			if _, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &name, Delete: &types.Delete{Objects: ids}}); err != nil {
				break
			}
		}
		if _, err := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name}); err != nil {
			t.Logf("delete bucket %s: %v", name, err)
		}
	})
}
